"""How much less to believe of what a short piece says of its song; fitted to songs cut to 4 to 30 s (bench)."""

_SURE_OF_TEMPO_S, _TEMPO_POWER = 20.0, 0.08
_SURE_OF_KEY_S, _KEY_POWER = 40.0, 0.35


def tempo_belief(duration_s: float) -> float:
    """Factor of a tempo's confidence, 0..1; 1 from 20 s on: a few beats may be any beats."""
    return float(min(1.0, duration_s / _SURE_OF_TEMPO_S) ** _TEMPO_POWER)


def key_belief(duration_s: float) -> float:
    """Factor of a key's confidence, 0..1; 1 from 40 s on: two chords belong to many keys."""
    return float(min(1.0, duration_s / _SURE_OF_KEY_S) ** _KEY_POWER)
