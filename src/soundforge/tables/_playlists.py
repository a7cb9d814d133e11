"""Rows of ``library`` about where songs come from: lists, their entries, sources of audio, answers that are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from soundforge.tables._base import Row


class Playlist(Row):
    """A list of songs in order: as it was when it was read last (playlist, album, list), or made here by hand (own)."""

    __tablename__ = "playlists"
    __table_args__ = (
        CheckConstraint("kind IN ('playlist', 'album', 'list', 'own')", name="kind"),
        Index("uq_playlists_source", "owner_id", "kind", "source_id", unique=True),
        Index("ix_playlists_created", "owner_id", "created_at", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    kind: Mapped[str]
    source_id: Mapped[str]  # Spotify's id; of a list from a file the hash of its text; of an own one its id
    title: Mapped[str]
    made_by: Mapped[str] = mapped_column(default="")
    total: Mapped[int | None]  # entries that the source says there are; more than we hold where it keeps some back
    notice: Mapped[str | None]  # what is not the whole truth about it: "first 100 of 512"
    walk_id: Mapped[UUID]  # the reading that is under way, or was the last
    read_at: Mapped[datetime | None]  # when it was last read to its end


class PlaylistTrack(Row):
    """One entry of a list: a track, or why there is none. The same song may stand in many places."""

    __tablename__ = "playlist_tracks"
    __table_args__ = (
        Index("uq_playlist_tracks_entry", "playlist_id", "entry_id", "occurrence", unique=True),
        Index("ix_playlist_tracks_position", "playlist_id", "position", "id", postgresql_where=text("gone_at IS NULL")),
    )

    playlist_id: Mapped[UUID] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), index=True)
    entry_id: Mapped[str]  # what the source calls the song; of what it does not name, a text made of what it tells
    occurrence: Mapped[int]  # the how many-th entry of this song it is, from 1
    position: Mapped[int] = mapped_column(BigInteger)  # from 0 without gaps; of an own list with room between two
    title: Mapped[str] = mapped_column(default="")
    skip: Mapped[str | None]  # why it is no track: removed, local, episode, unreadable
    walk_id: Mapped[UUID]  # the reading that saw it last
    added_at: Mapped[datetime]  # when it was first seen here
    gone_at: Mapped[datetime | None]  # when it was found to be there no more


class Candidate(Row):
    """One place where a track's audio may be, as one download found it."""

    __tablename__ = "candidates"
    __table_args__ = (Index("uq_candidates_job_place", "job_id", "place", unique=True),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    place: Mapped[int]  # 0 is the best
    title: Mapped[str]
    channel: Mapped[str]
    duration_ms: Mapped[int | None]
    score: Mapped[float]  # 0 to 100: how well title, artist and length agree
    url: Mapped[str]
    is_chosen: Mapped[bool] = mapped_column(default=False)  # the audio was taken from here


class SourceAnswer(Row):
    """What Spotify told of a track or an album, so that it is not asked again; nobody's own (ADR 20)."""

    __tablename__ = "source_answers"
    __table_args__ = (Index("uq_source_answers_thing", "kind", "source_id", unique=True),)

    kind: Mapped[str]
    source_id: Mapped[str]
    answer: Mapped[dict[str, Any]]
    read_at: Mapped[datetime]
