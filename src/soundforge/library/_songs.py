"""Songs that somebody asked for: tracks whose audio is yet to come, and those that are there already."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.events import TrackAdded, TrackChanged, publish, publish_all
from soundforge.library._search import fold, one_line, search_fields
from soundforge.library._tracks import LONGEST_WORDS, get_track
from soundforge.library._types import Linked, NewSong
from soundforge.tables import PlaylistTrack, Track

_SAME_MS = 2000  # two lengths of one song may differ by so much
_TITLE = func.split_part(Track.search_text, func.chr(10), 1)
_ARTIST = func.split_part(Track.search_text, func.chr(10), 2)


async def add_songs(session: AsyncSession, owner_id: UUID, songs: Sequence[NewSong]) -> list[Linked]:
    """Find each song in the owner's library or add it without audio; in the order asked, each song once.

    The same song is the same Spotify id, source, ISRC, or title and artist with no other length. Two of one owner's
    imports wait for each other here, so that no song comes in twice.
    """
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"songs of {owner_id}", 0))))
    known = _Known(await _alike(session, owner_id, songs))
    linked = []
    for song in songs:
        track = known.find(song)
        is_new = track is None
        if track is None:
            track = _new_track(owner_id, song)
            session.add(track)
            known.add(track)
        elif track.spotify_id is None and song.spotify_id:
            track.spotify_id = song.spotify_id
        linked.append(Linked(track.id, is_new=is_new, has_audio=track.audio_file_id is not None))
    await session.flush()
    await publish_all(session, [TrackAdded(owner_id, one.track_id) for one in linked if one.is_new])
    return linked


async def confirm_track(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Track:
    """Note that a doubtful track is the right song; raises ``NotFound``."""
    track = await get_track(session, owner_id, track_id)
    if track.is_doubtful:
        track.is_doubtful = False
        await session.flush()
        await publish(session, TrackChanged(owner_id=owner_id, track_id=track_id, fields=("is_doubtful",)))
    return track


async def set_isrc(session: AsyncSession, owner_id: UUID, track_id: UUID, isrc: str) -> None:
    """Note a track's ISRC where it has none yet."""
    missing = (Track.id == track_id, Track.owner_id == owner_id, Track.isrc.is_(None))
    await session.execute(update(Track).where(*missing).values(isrc=isrc))


async def set_year(session: AsyncSession, owner_id: UUID, track_id: UUID, year: int) -> None:
    """Note when a track came out where that is not known yet."""
    missing = (Track.id == track_id, Track.owner_id == owner_id, Track.year.is_(None))
    await session.execute(update(Track).where(*missing).values(year=year))


async def join_tracks(session: AsyncSession, owner_id: UUID, double_id: UUID, into_id: UUID) -> None:
    """Let every list name ``into_id`` in place of ``double_id``, and let it be found by all that the double was called.

    So a list that is read again finds the one track under both its Spotify ids and makes no new double.
    """
    double = await get_track(session, owner_id, double_id)
    track = await get_track(session, owner_id, into_id)
    moved = update(PlaylistTrack).where(PlaylistTrack.track_id == double_id)
    await session.execute(moved.values(track_id=into_id))
    names = [*_names(double), *double.aliases]
    spotify_id, double.spotify_id = double.spotify_id, None
    await session.flush()  # no two living tracks have the same
    track.spotify_id = track.spotify_id or spotify_id
    track.isrc = track.isrc or double.isrc
    track.aliases = sorted({*track.aliases, *names} - {*_names(track)})
    await session.flush()


async def _alike(session: AsyncSession, owner_id: UUID, songs: Iterable[NewSong]) -> Sequence[Track]:
    """The owner's living tracks that any of the songs may be, the oldest first."""
    words = {(fold(_words(song)["title"]), fold(_words(song)["artist"])) for song in songs}
    alike = or_(
        Track.spotify_id.in_({song.spotify_id for song in songs if song.spotify_id}),
        Track.isrc.in_({song.isrc for song in songs if song.isrc}),
        Track.source_url.in_({song.source_url for song in songs if song.source_url}),
        tuple_(_TITLE, _ARTIST).in_(words),
        Track.aliases.overlap([name for song in songs for name in _names(song)]),
    )
    statement = select(Track).where(Track.owner_id == owner_id, Track.deleted_at.is_(None), alike)
    return (await session.scalars(statement.order_by(Track.created_at, Track.id))).all()


class _Known:
    """Tracks by everything that tells them apart."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._by: dict[str, list[Track]] = {}
        for track in tracks:
            self.add(track)

    def add(self, track: Track) -> None:
        """Take a track in."""
        title, artist = track.search_text.split("\n")[:2]
        for name in (*_names(track), *track.aliases, f"words:{title}\n{artist}"):
            self._by.setdefault(name, []).append(track)

    def find(self, song: NewSong) -> Track | None:
        """The track that is this song, surest signs first."""
        for name in _names(song):
            if found := self._by.get(name):
                return found[0]
        if song.source_url:
            return None  # somebody's own choice of a source is never another track's
        words = _words(song)
        alike = self._by.get(f"words:{fold(words['title'])}\n{fold(words['artist'])}", ())
        return next((track for track in alike if _may_be(track, song)), None)


def _names(thing: Track | NewSong) -> list[str]:
    """What tells a song apart, the surest first."""
    named = (("spotify", thing.spotify_id), ("url", thing.source_url), ("isrc", thing.isrc))
    return [f"{kind}:{name}" for kind, name in named if name]


def _may_be(track: Track, song: NewSong) -> bool:
    """Whether title and artist alone may tell that it is the same: no other id, no other length."""
    if track.spotify_id and song.spotify_id:
        return False
    return not (track.duration_ms and song.duration_ms) or abs(track.duration_ms - song.duration_ms) <= _SAME_MS


def _words(song: NewSong) -> dict[str, str]:
    return {name: one_line(getattr(song, name))[:LONGEST_WORDS] for name in ("title", "artist", "album")}


def _new_track(owner_id: UUID, song: NewSong) -> Track:
    words = _words(song)
    return Track(
        id=song.id,
        owner_id=owner_id,
        source=song.source,
        source_url=song.source_url or None,
        spotify_id=song.spotify_id or None,
        isrc=song.isrc or None,
        aliases=[],
        duration_ms=song.duration_ms or None,
        **words,
        **search_fields(**words),
    )
