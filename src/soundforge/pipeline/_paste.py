"""What somebody pastes, recognised without a network: for every line what it is, or why it is refused."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, jobs, sources, spotify
from soundforge.errors import Forbidden, Invalid
from soundforge.tables import Job, Kind

_SHOWN = 120  # letters of a line
_NAMES = {"track": "Spotify track", "album": "Spotify album", "playlist": "Spotify playlist"}
_SITES = {
    sources.Site.YOUTUBE: "YouTube link",
    sources.Site.SOUNDCLOUD: "SoundCloud link",
    sources.Site.BANDCAMP: "Bandcamp link",
}


@dataclass(frozen=True)
class Line:
    """One line of a paste. ``order`` is what an import is to do about it; empty where ``code`` says why nothing."""

    number: int
    text: str
    name: str  # "Spotify playlist", "Song"
    code: str = ""
    sentence: str = ""
    order: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recognised:
    """A paste as it was understood. ``songs``: how many a pasted list holds, None for lines."""

    lines: tuple[Line, ...]
    songs: int | None = None

    @property
    def orders(self) -> list[dict[str, str]]:
        """What is to be imported, in order."""
        return [line.order for line in self.lines if line.order]

    @property
    def count(self) -> int:
        """How many things are to be imported."""
        return len(self.orders) if self.songs is None else self.songs


def recognise(text: object) -> Recognised:
    """Tell for every line of a paste what it is; asks nobody.

    Raises ``Invalid`` for the paste as a whole: ``not_text``, ``empty``, ``too_many_lines``, and for a list what
    ``sources.read_exported_list`` raises.
    """
    if isinstance(text, str) and sources.is_exported_list(text):
        return _recognise_list(text)
    return Recognised(tuple(_line(line) for line in sources.split_paste(text)))


async def request_paste(session: AsyncSession, owner_id: UUID, recognised: Recognised, *, model: str = "auto") -> Job:
    """Import what the lines name: one job for all of them, with a download for each song.

    Raises ``Forbidden`` ("downloads_off"), ``Invalid`` ("nothing_recognised") and ``Conflict`` ("already_running").
    """
    await check_downloads(session)
    orders = recognised.orders
    if not orders:
        sentence = (
            recognised.lines[0].sentence if len(recognised.lines) == 1 else "None of these lines can be imported."
        )
        raise Invalid(sentence, code="nothing_recognised")
    return await request_lines(session, owner_id, orders, name=_title(recognised), model=model)


async def request_lines(
    session: AsyncSession,
    owner_id: UUID,
    orders: Sequence[Mapping[str, str]],
    *,
    name: str,
    model: str,
    parent_id: UUID | None = None,
) -> Job:
    """Import what lines were recognised as; raises ``Conflict`` ("already_running") while the same is under way."""
    same = hashlib.sha256(json.dumps(orders).encode()).hexdigest()
    return await jobs.add_job(
        session,
        kind=Kind.IMPORT,
        owner_id=owner_id,
        parent_id=parent_id,
        unique_key=f"paste:{same}",
        params={"what": "paste", "name": name, "lines": list(orders), "model": model},
    )


async def check_downloads(session: AsyncSession) -> None:
    """Refuse what would fetch audio as long as nobody allowed that; raises ``Forbidden`` ("downloads_off")."""
    if not await accounts.get_setting(session, None, "allow_audio_download"):
        sentence = "Fetching audio from other sites is switched off here; an admin can allow it in Settings."
        raise Forbidden(sentence, code="downloads_off")


def _recognise_list(text: str) -> Recognised:
    listed = sources.read_exported_list(text)
    unread = tuple(Line(row.number, "", "Row", row.code, row.sentence) for row in listed.unread[: sources.MOST_LINES])
    return Recognised(unread, len(listed.songs))


def _line(pasted: sources.Pasted) -> Line:
    shown = sources.one_line(pasted.text[: _SHOWN * 2])[:_SHOWN]
    try:
        name, order = read_order(pasted.text)
    except Invalid as refusal:
        return Line(pasted.number, shown, "Refused", refusal.code, refusal.sentence)
    return Line(pasted.number, shown, name, order=order)


def read_order(text: str) -> tuple[str, dict[str, str]]:
    """What one line is, and what an import is to do about it; raises ``Invalid`` where it is nothing."""
    if spotify.names_spotify(text):
        ref = spotify.parse_url(text)
        return _NAMES[ref.kind], {"kind": ref.kind.value, "id": ref.id}
    read = sources.read_line(text)
    if isinstance(read, sources.Link):
        return _SITES[read.site], {"kind": "link", "url": read.url}
    return "Song", {"kind": "song", "title": read.title, "artist": read.artist}


def _title(recognised: Recognised) -> str:
    accepted = [line for line in recognised.lines if line.order]
    if len(accepted) > 1:
        return f"{len(accepted)} links and songs"
    line = accepted[0]
    return line.text if line.name == "Song" else line.name
