"""How much of the singing that was found is to be believed. Pure."""

from collections.abc import Mapping
from typing import Any, Final

LIKELY: Final = 0.5  # which no singing from the basic separation passes: js/layers/vocals.js draws by the same line


def likely_sung(vocals: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The spans of a document's ``vocals`` in which singing is more likely than not, in order."""
    return [span for span in (vocals or {}).get("spans", ()) if span["confidence"] > LIKELY]


def sung_share(vocals: Mapping[str, Any] | None) -> float | None:
    """How much of the song is sung, 0 to 1; None where nobody heard a vocal stem, or all that it holds is a guess."""
    if not vocals or (vocals["spans"] and not likely_sung(vocals)):
        return None
    share: float = vocals["share"]
    return share
