from soundforge.formats import KEYS, mixing_keys, read_key


def test_every_key_has_its_place_on_the_wheel() -> None:
    wheel = {key.name: key.camelot for key in KEYS}
    majors = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    assert [wheel[f"{tonic} major"] for tonic in majors] == [
        f"{number}B" for number in (8, 3, 10, 5, 12, 7, 2, 9, 4, 11, 6, 1)
    ]
    assert [wheel[f"{tonic} minor"] for tonic in majors] == [
        f"{number}A" for number in (5, 12, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10)
    ]
    assert [key.camelot for key in KEYS[:4]] == ["1A", "1B", "2A", "2B"]


def test_a_key_is_read_as_people_write_it() -> None:
    written = {"8A": "A minor", "8b": "C major", "Am": "A minor", "c#:min": "C# minor", "Bb": "Bb major"}
    written |= {
        "D♭ major": "C# major",
        "g# Minor": "Ab minor",
        "CM": "C major",
        "F#maj": "F# major",
        " 12B ": "E major",
    }
    for text, name in written.items():
        key = read_key(text)
        assert key is not None, text
        assert key.name == name
    for text in ("", "13A", "0B", "H", "A dorian", "8C", "Am7", "\0"):
        assert read_key(text) is None, text


def test_every_key_is_read_back_from_its_name_and_from_its_code() -> None:
    for key in KEYS:
        assert read_key(key.name) == read_key(key.camelot) == key


def test_the_neighbours_on_the_wheel_mix_also_across_twelve() -> None:
    assert mixing_keys("8A") == {
        "8A": "same key",
        "9A": "a fifth up",
        "7A": "a fifth down",
        "8B": "relative major",
    }
    assert list(mixing_keys("12B")) == ["12B", "1B", "11B", "12A"]
    assert list(mixing_keys("1A")) == ["1A", "2A", "12A", "1B"]
