"""What a person sets while the studio runs. The environment wins, and then shows as locked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.accounts._catalogue import SETTINGS, SettingSpec, Value
from soundforge.accounts._keyring import Keyring
from soundforge.config import Settings
from soundforge.errors import Broken, Conflict, Invalid, NotFound
from soundforge.tables import Setting

type Source = Literal["environment", "user", "instance", "default"]


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
