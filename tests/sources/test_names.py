import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.sources import Guess, clean_name, one_line


@pytest.mark.parametrize(
    ("name", "title", "artist"),
    [
        ("Sea.mp3", "Sea", ""),
        ("Ann - Sea.flac", "Sea", "Ann"),
        ("01 - Sea.wav", "Sea", ""),
        ("01. Ann - Sea (Official Video).mp3", "Sea", "Ann"),
        ("1-03 - Ann - Sea.m4a", "Sea", "Ann"),
        ("07 Sea.aiff", "Sea", ""),
        ("Ann – Sea.ogg", "Sea", "Ann"),
        ("Ann_-_Sea_(live).mp3", "Sea (live)", "Ann"),
        ("Ann - Sea - Night Mix.mp3", "Sea - Night Mix", "Ann"),
        ("Ann - Sea [Official Audio] [dQw4w9WgXcQ].opus", "Sea", "Ann"),
        ("Ann - Sea [Instrumental].mp3", "Sea [Instrumental]", "Ann"),
        ("Ann - Sea [Acapella_v2].mp3", "Sea [Acapella_v2]", "Ann"),
        ("99 Problems.mp3", "99 Problems", ""),
        ("1979.mp3", "1979", ""),
        ("7 rings.mp3", "7 rings", ""),
        ("1-800-273-8255.mp3", "1-800-273-8255", ""),
        ("24K Magic.mp3", "24K Magic", ""),
        ("Mr. Blue Sky.mp3", "Mr. Blue Sky", ""),
        ("Vol. 2", "Vol. 2", ""),
        ("../../etc/passwd", "passwd", ""),
        ("C:\\Music\\Ann - Sea.MP3", "Sea", "Ann"),
        ('Ann - "Sea" \'s <b>.wav', '"Sea" \'s <b>', "Ann"),
        ("🎹 Ann 👩‍🎤 - Sea 🌊.wav", "Sea 🌊", "🎹 Ann 👩‍🎤"),
        ("فيروز - نسم علينا الهوى.mp3", "نسم علينا الهوى", "فيروز"),
        ("Ann \u202e3pm.exe - Sea\u2066.mp3", "Sea", "Ann 3pm.exe"),
        ("Beyonce\u0301 - Halo.mp3", "Halo", "Beyoncé"),
        ("a\x00b\nc\td.wav", "ab c d", ""),
        ("", "Untitled", ""),
        (".mp3", "Untitled", ""),
        (" - .mp3", "Untitled", ""),
        ("..", "Untitled", ""),
        ("(Official Video).mp3", "Untitled", ""),
    ],
)
def test_a_name_tells_title_and_artist(name: str, title: str, artist: str) -> None:
    assert clean_name(name) == Guess(title, artist)


def test_a_name_of_three_hundred_letters_is_cut() -> None:
    guess = clean_name("A" * 300 + " - " + "B" * 300 + ".mp3")
    assert (guess.artist, guess.title) == ("A" * 200, "B" * 200)


@given(st.text(max_size=400))
def test_any_name_gives_a_title_that_can_be_shown_and_stored(name: str) -> None:
    guess = clean_name(name)
    assert 0 < len(guess.title) <= 200
    assert len(guess.artist) <= 200
    for text in (guess.title, guess.artist):
        assert text == text.strip()
        assert text.isprintable() or set(text) & set("\u200c\u200d")
        assert not set(text) & set("\0\r\n\t\u202e")
        text.encode()


@given(st.text(max_size=60))
def test_a_hidden_letter_is_taken_out_and_changes_nothing_else(text: str) -> None:
    assert one_line(f"{text}\u202e") == one_line(text)
