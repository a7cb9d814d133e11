"""What a person sets while the studio runs. The environment wins, and then shows as locked."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._keyring import Keyring
from soundforge.config import Settings
from soundforge.errors import Broken, Conflict, Invalid, NotFound
from soundforge.tables import Setting

type Value = str | int | bool
type Source = Literal["environment", "user", "instance", "default"]

_MODEL = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_MOST_UNDO_DAYS = 90
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


@dataclass(frozen=True)
class SettingValue:
    """A setting as a page shows it. ``value`` is None for a secret: only whether it is set is shown."""

    spec: SettingSpec
    value: Value | None
    source: Source

    @property
    def locked(self) -> bool:
        """Whether the environment decides."""
        return self.source == "environment"


def _read_model(value: object) -> str:
    if not isinstance(value, str) or not _MODEL.fullmatch(value):
        raise ValueError("This is not the name of a model.")
    return value


def _read_undo_days(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip().isdecimal():
        raise ValueError("This is not a whole number of days.")
    days = int(value)
    if days > _MOST_UNDO_DAYS:
        raise ValueError(f"A deleted track is kept for at most {_MOST_UNDO_DAYS} days.")
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


@dataclass(frozen=True)
class _Bound:
    locked: Mapping[str, object] = field(default_factory=dict)
    keyring: Keyring | None = None


_bound = [_Bound()]


@contextmanager
def open_settings(locked: Mapping[str, object], keyring: Keyring | None = None) -> Iterator[None]:
    """Tell this process which settings the environment decides, and the key of the secret ones."""
    _bound.append(_Bound(locked, keyring))
    try:
        yield
    finally:
        _bound.pop()


def locked_by(settings: Settings) -> dict[str, object]:
    """Return those values of the catalogue that the environment or ``.env`` sets."""
    found = {name: getattr(settings, name) for name in SETTINGS if name in settings.model_fields_set}
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in found.items()}


async def get_setting(
    session: AsyncSession, user_id: UUID | None, name: str, *, catalogue: Mapping[str, SettingSpec] = SETTINGS
) -> Value:
    """Return the value that counts for a user (None: for the instance), a secret one unsealed.

    Raises:
        NotFound: ``setting_not_found``.
        Broken: ``secret_unreadable``, ``no_key``.

    """
    spec = _spec(name, catalogue)
    return _value(spec, await _rows(session, user_id, [name]))


async def list_settings(
    session: AsyncSession, user_id: UUID | None, *, catalogue: Mapping[str, SettingSpec] = SETTINGS
) -> list[SettingValue]:
    """Return every setting as it counts for a user, in the order of the catalogue; no secret among them."""
    rows = await _rows(session, user_id, [*catalogue])
    return [_shown(spec, rows) for spec in catalogue.values()]


async def change_setting(
    session: AsyncSession,
    user_id: UUID | None,
    name: str,
    value: object,
    *,
    catalogue: Mapping[str, SettingSpec] = SETTINGS,
) -> Value:
    """Set a user's value, or everybody's for None or a setting of the instance; returns it as read.

    Who may set what is everybody's is for the caller to judge.

    Raises:
        NotFound: ``setting_not_found``.
        Conflict: ``setting_locked``.
        Invalid: ``bad_value``.

    """
    spec = _changeable(name, catalogue)
    try:
        read = spec.read(value)
    except ValueError as error:
        raise Invalid(str(error), code="bad_value", fields={name: str(error)}) from error
    stored = {"sealed": _keyring().seal(str(read))} if spec.secret else {"value": read}
    owner = _owner(spec, user_id)
    row = {"user_id": owner, "name": name, "value": stored, "changed_at": datetime.now(UTC)}
    keyed = ["name"] if owner is None else ["user_id", "name"]
    where = Setting.user_id.is_(None) if owner is None else Setting.user_id.is_not(None)
    fresh = {"value": stored, "changed_at": row["changed_at"]}
    adding = insert(Setting).values(**row)
    await session.execute(adding.on_conflict_do_update(index_elements=keyed, index_where=where, set_=fresh))
    return read


async def reset_setting(
    session: AsyncSession, user_id: UUID | None, name: str, *, catalogue: Mapping[str, SettingSpec] = SETTINGS
) -> None:
    """Forget the value that :func:`change_setting` set for the same user."""
    spec = _changeable(name, catalogue)
    await session.execute(
        delete(Setting).where(Setting.name == name, Setting.user_id.is_not_distinct_from(_owner(spec, user_id)))
    )


async def _rows(session: AsyncSession, user_id: UUID | None, names: list[str]) -> dict[tuple[str, bool], Any]:
    """Read the stored values by (name, whether it is the user's own)."""
    mine = or_(Setting.user_id.is_(None), Setting.user_id == user_id)
    found = await session.execute(
        select(Setting.name, Setting.user_id, Setting.value).where(Setting.name.in_(names), mine)
    )
    return {(name, owner is not None): value for name, owner, value in found}


def _source(spec: SettingSpec, rows: Mapping[tuple[str, bool], Any]) -> Source:
    if spec.name in _bound[-1].locked:
        return "environment"
    if spec.scope == "user" and (spec.name, True) in rows:
        return "user"
    return "instance" if (spec.name, False) in rows else "default"


def _value(spec: SettingSpec, rows: Mapping[tuple[str, bool], Any]) -> Value:
    source = _source(spec, rows)
    if source == "environment":
        return _read_locked(spec, _bound[-1].locked[spec.name])
    if source == "default":
        return spec.default
    stored = rows[spec.name, source == "user"]
    return spec.read(_keyring().unseal(stored["sealed"]) if spec.secret else stored["value"])


def _read_locked(spec: SettingSpec, value: object) -> Value:
    try:
        return spec.read(value)
    except ValueError as error:
        sentence = f"The environment sets {spec.name} to a value that it cannot have."
        raise Broken(sentence, code="bad_environment", detail=str(error)) from error


def _shown(spec: SettingSpec, rows: Mapping[tuple[str, bool], Any]) -> SettingValue:
    return SettingValue(spec, None if spec.secret else _value(spec, rows), _source(spec, rows))


def _changeable(name: str, catalogue: Mapping[str, SettingSpec]) -> SettingSpec:
    spec = _spec(name, catalogue)
    if name in _bound[-1].locked:
        raise Conflict("This setting is set by the environment and locked here.", code="setting_locked")
    return spec


def _spec(name: str, catalogue: Mapping[str, SettingSpec]) -> SettingSpec:
    if name not in catalogue:
        raise NotFound("There is no such setting.", code="setting_not_found")
    return catalogue[name]


def _owner(spec: SettingSpec, user_id: UUID | None) -> UUID | None:
    return user_id if spec.scope == "user" else None


def _keyring() -> Keyring:
    keyring = _bound[-1].keyring
    if keyring is None:
        raise Broken("The key file of the secret settings is not open.", code="no_key")
    return keyring
