"""Every setting there is: what it does, who sets it, how its value is read. Declared once; pages derive the rest."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

type Value = str | int | bool

_MODEL = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_MOST_UNDO_DAYS, _MOST_EXPORT_DAYS = 90, 30
_QUALITIES = (("usual", "usual"), ("fast", "fast: less overlap"), ("fine", "fine: three times, averaged; much slower"))
_CLIENT_ID = re.compile(r"(?:[0-9A-Za-z._-]{1,128})?")
_MOST_COOKIES, _COOKIE_TABS = 256_000, 6  # letters; tabs in a line of Netscape's format
_COOKIE_SITES = ("youtube.com", "soundcloud.com", "bandcamp.com")
_MARKET = re.compile(r"(?:[A-Z]{2})?")
COLUMNS: Final[tuple[str, ...]] = (
    "bpm",
    "key",
    "time",
    "album",
    "year",
    "loudness",
    "added",
    "stems",
)  # of the library, beside the name
USUAL_COLUMNS: Final[tuple[str, ...]] = ("bpm", "key", "time", "stems")
_YES, _NO = frozenset({"true", "on", "yes", "1"}), frozenset({"false", "off", "no", "0", ""})


@dataclass(frozen=True)
class SettingSpec:
    """One setting: what it is, what it does, and how its value is read. ``read`` raises ValueError."""

    name: str
    label: str
    effect: str
    default: Value
    read: Callable[[object], Value]
    scope: Literal["user", "instance"]  # instance: one value for everybody, which an admin sets
    secret: bool = False
    has_lines: bool = False  # a text of several lines
    choices: tuple[tuple[str, str], ...] = ()  # the values there are, and what a page calls them


def _read_model(value: object) -> str:
    if not isinstance(value, str) or not _MODEL.fullmatch(value):
        raise ValueError("This is not the name of a model.")
    return value


def _read_quality(value: object) -> str:
    if value not in dict(_QUALITIES):
        raise ValueError(f"A quality is one of: {', '.join(dict(_QUALITIES))}.")
    return str(value)


def _read_undo_days(value: object) -> int:
    return _days(value, least=0, most=_MOST_UNDO_DAYS, what="A deleted track")


def _read_export_days(value: object) -> int:
    return _days(value, least=1, most=_MOST_EXPORT_DAYS, what="A zip or a rendered mix")


def _days(value: object, *, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip().isdecimal():
        raise ValueError("This is not a whole number of days.")
    days = int(value)
    if days > most:
        raise ValueError(f"{what} is kept for at most {most} days.")
    if days < least:
        raise ValueError(f"{what} is kept for at least {least} day.")
    return days


def _read_yes_or_no(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError("This is neither on nor off.")
    return word in _YES


def _read_client_id(value: object) -> str:
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value.strip()):
        raise ValueError("Copy it from your app on developer.spotify.com: letters and digits alone.")
    return value.strip()


def _read_market(value: object) -> str:
    if not isinstance(value, str) or not _MARKET.fullmatch(value.strip().upper()):
        raise ValueError("A country is two letters, like DE; or leave it empty.")
    return value.strip().upper()


def _read_cookies(value: object) -> str:
    """Keep the lines of the sites that songs are fetched from; a browser's file holds everybody's."""
    text = value if isinstance(value, str) else ""
    if len(text) > _MOST_COOKIES:
        raise ValueError("This is too long for a file of cookies.")
    lines = [line.strip("\r") for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if not line.startswith("#") or line.startswith("#HttpOnly_")]
    if any(row.count("\t") != _COOKIE_TABS for row in rows) or (lines and not rows):
        raise ValueError("Paste a cookies.txt as browsers' add-ons export it (Netscape format), or nothing.")
    kept = [row for row in rows if row.partition("\t")[0].removeprefix("#HttpOnly_").endswith(_COOKIE_SITES)]
    if rows and not kept:
        raise ValueError("No cookie in it belongs to YouTube, SoundCloud or Bandcamp.")
    return "\n".join(["# Netscape HTTP Cookie File", *kept, ""]) if kept else ""


def _read_columns(value: object) -> str:
    names = [name.strip() for name in str(value).split(",") if name.strip()]
    if unknown := [name for name in names if name not in COLUMNS]:
        raise ValueError(f"There is no column {unknown[0]}; there are: {', '.join(COLUMNS)}.")
    return ",".join(name for name in COLUMNS if name in names)


SETTINGS: Final[Mapping[str, SettingSpec]] = {
    spec.name: spec
    for spec in (
        SettingSpec(
            name="default_model",
            label="Separation model",
            effect="Separates new songs where nothing else is chosen; “auto” takes the best that is installed.",
            default="auto",
            read=_read_model,
            scope="user",
        ),
        SettingSpec(
            name="quality",
            label="Separation quality",
            effect="How new songs are separated by a learned model; the built-in separation knows only one way.",
            default="usual",
            read=_read_quality,
            scope="user",
            choices=_QUALITIES,
        ),
        SettingSpec(
            name="separate_new",
            label="Separate new songs",
            effect="Off: a new song plays and is analysed; it is split into stems when you ask for it.",
            default=True,
            read=_read_yes_or_no,
            scope="user",
        ),
        SettingSpec(
            name="analyse_new",
            label="Analyse new songs",
            effect="Off: tempo, key, chords and the rest are found when you ask for them.",
            default=True,
            read=_read_yes_or_no,
            scope="user",
        ),
        SettingSpec(
            name="undo_days",
            label="Keep deleted tracks, in days",
            effect="So many days a deleted track can be brought back; then its files are removed.",
            default=7,
            read=_read_undo_days,
            scope="instance",
        ),
        SettingSpec(
            name="library_columns",
            label="Columns of the library",
            effect=f"Shown beside title and artist: some of {', '.join(COLUMNS)}. The library's own menu sets it too.",
            default=",".join(USUAL_COLUMNS),
            read=_read_columns,
            scope="user",
        ),
        SettingSpec(
            name="export_days",
            label="Keep zips and rendered mixes, in days",
            effect="So many days what was packed or rendered can be downloaded; it can always be made again.",
            default=1,
            read=_read_export_days,
            scope="instance",
        ),
        SettingSpec(
            name="allow_audio_download",
            label="Fetch audio from other sites",
            effect="Songs from links and lists are fetched from YouTube, SoundCloud and Bandcamp. Their terms forbid it"
            " in most cases, and so may the law where you live; whether you may do it is for you to judge.",
            default=False,
            read=_read_yes_or_no,
            scope="instance",
        ),
        SettingSpec(
            name="downloader_cookies",
            label="Cookies for the downloader",
            effect="The text of a cookies.txt of a browser that is logged in, for sites that take this machine for a"
            " robot or ask for an age. The site may close that account, so use a spare one. Kept encrypted.",
            default="",
            read=_read_cookies,
            scope="instance",
            secret=True,
            has_lines=True,
        ),
        SettingSpec(
            name="spotify_client_id",
            label="Spotify client id",
            effect="Reads tracks, albums and playlists with your own app of developer.spotify.com; its owner needs"
            " Premium.",
            default="",
            read=_read_client_id,
            scope="instance",
        ),
        SettingSpec(
            name="spotify_client_secret",
            label="Spotify client secret",
            effect="The other half of the same app; kept encrypted and never shown again.",
            default="",
            read=_read_client_id,
            scope="instance",
            secret=True,
        ),
        SettingSpec(
            name="spotify_market",
            label="Spotify country",
            effect="Shows Spotify's catalogue of one country (two letters); empty asks for none.",
            default="",
            read=_read_market,
            scope="instance",
        ),
        SettingSpec(
            name="spotify_pages",
            label="Read Spotify's public pages",
            effect="Where Spotify's API refuses, its public page is read instead: the first 100 entries of a list. It"
            " is no API and may stop working.",
            default=False,
            read=_read_yes_or_no,
            scope="instance",
        ),
    )
}
