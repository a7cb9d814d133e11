"""Rows of ``library``: files, tracks, stems, parts of an analysis, corrections, cue points."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from soundforge.tables._base import Row

WHEEL = tuple(f"{number}{mode}" for number in range(1, 13) for mode in "AB")  # Camelot's, once around
# What a library may be sorted by. Each expression is never null, so one keyset helper serves them all.
# Words sort as they are searched, folded: Élan stands beside elan. Keys go round the Camelot wheel: 1A 1B 2A … 12B.
# The words' lines have statistics of their own (revision 0012): without them PostgreSQL takes each search for a hit.
# What is not known counts as the least: first where the list rises, last where it falls.
TRACK_SORTS = {
    "title": "split_part(search_text, chr(10), 1)",
    "artist": "split_part(search_text, chr(10), 2)",
    "album": "split_part(search_text, chr(10), 3)",
    "created": "created_at",
    "bpm": "coalesce(bpm, 0)",
    "key": f"coalesce(array_position(ARRAY[{', '.join(map(repr, WHEEL))}], camelot), 0)",
    "duration": "coalesce(duration_ms, 0)",
    "loudness": "coalesce(loudness_lufs, -1000)",
    "year": "coalesce(year, 0)",
}


class File(Row):
    """One object in storage. Storage holds exactly the keys of these rows, with their size and hash."""

    __tablename__ = "files"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    media_type: Mapped[str]
    orphaned_at: Mapped[datetime | None] = mapped_column(index=True)  # nothing refers to it: purge may remove it


class Track(Row):
    """A song in somebody's library."""

    __tablename__ = "tracks"
    __table_args__ = (
        Index("uq_tracks_audio", "owner_id", "audio_sha256", unique=True, postgresql_where=text("deleted_at IS NULL")),
        *(
            Index(f"ix_tracks_{name}", "owner_id", text(by), "id", postgresql_where=text("deleted_at IS NULL"))
            for name, by in TRACK_SORTS.items()
        ),
        Index(
            "uq_tracks_spotify",
            "owner_id",
            "spotify_id",
            unique=True,
            postgresql_where=text("deleted_at IS NULL AND spotify_id IS NOT NULL"),
        ),
        Index(
            "ix_tracks_source_url",
            "owner_id",
            "source_url",
            postgresql_where=text("deleted_at IS NULL AND source_url IS NOT NULL"),
        ),
        Index("ix_tracks_isrc", "owner_id", "isrc", postgresql_where=text("deleted_at IS NULL AND isrc IS NOT NULL")),
        Index("ix_tracks_aliases", "aliases", postgresql_using="gin", postgresql_where=text("deleted_at IS NULL")),
        Index("ix_tracks_grams", "search_grams", postgresql_using="gin"),
        Index("ix_tracks_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_tracks_trash", "owner_id", "deleted_at", "id", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    title: Mapped[str]
    artist: Mapped[str] = mapped_column(default="")
    album: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str] = mapped_column(default="")  # title, artist, album, folded: see library.fold
    search_grams: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # its runs of 1 to 3 letters
    source: Mapped[str] = mapped_column(default="upload")  # upload, demo, spotify, youtube, …
    source_url: Mapped[str | None]  # where its audio is from, or shall come from: made by us of site and id
    spotify_id: Mapped[str | None]
    isrc: Mapped[str | None]
    # "spotify:…", "url:…", "isrc:…": how tracks were known that turned out to be this one
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    frames: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int | None]
    sample_rate_hz: Mapped[int | None]
    channels: Mapped[int | None]
    format: Mapped[str | None]  # "FLAC", "MP3", … as found in the content
    audio_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))  # as received
    mix_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))  # FLAC, what plays
    cover_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))
    audio_sha256: Mapped[str | None]
    bpm: Mapped[float | None]
    musical_key: Mapped[str | None]  # "A minor"
    camelot: Mapped[str | None]  # "8A"
    loudness_lufs: Mapped[float | None]
    year: Mapped[int | None]  # when it came out
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    is_doubtful: Mapped[bool] = mapped_column(server_default=text("false"))  # found by a search: maybe another song
    deleted_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Correction(Row):
    """What somebody put right in a track's analysis: one row for each field. It outlives every analysis."""

    __tablename__ = "corrections"
    __table_args__ = (Index("uq_corrections_track_field", "track_id", "field", unique=True),)

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))  # who said so
    field: Mapped[str]  # tempo, downbeat, meter, key, sections
    value: Mapped[dict[str, Any]]  # what they say; see formats.read_correction
    found: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # what the newest analysis says
    corrected_at: Mapped[datetime]
    earlier: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))  # what they said before, the last one last


class CuePoint(Row):
    """A moment of a track that somebody marked: a hot cue on one of eight pads, or a memory cue."""

    __tablename__ = "cue_points"
    __table_args__ = (
        CheckConstraint("slot BETWEEN 1 AND 8", name="slot"),
        Index("uq_cue_points_track_slot", "track_id", "slot", unique=True),  # memory cues have none, and no limit here
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    slot: Mapped[int | None]  # the pad of a hot cue, 1 to 8; none for a memory cue
    t_s: Mapped[float]  # seconds from the first decoded sample, as in the analysis document
    name: Mapped[str]
    colour: Mapped[str]  # one of library.CUE_COLOURS


class Mix(Row):
    """How somebody mixes a track of theirs, under a name; the one without a name is where they left off."""

    __tablename__ = "mixes"
    __table_args__ = (Index("uq_mixes_track_name", "track_id", "name", unique=True),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    name: Mapped[str]
    state: Mapped[dict[str, Any]]  # see library.MixState
    share_token: Mapped[str | None] = mapped_column(unique=True)  # whoever is logged in and has it may listen
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Stem(Row):
    """One stem of a track, made by one separation job; two jobs' stems stand side by side."""

    __tablename__ = "stems"
    __table_args__ = (Index("uq_stems_job_name", "job_id", "name", unique=True),)

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    name: Mapped[str]  # vocals, drums, bass, other, guitar, piano, no_vocals
    position: Mapped[int]
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))
    peaks_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))
    gain_db: Mapped[float] = mapped_column(default=0.0)  # was applied to every stem; mixer and export undo it


class Embedding(Row):
    """A vector by which what sounds alike is found: of a song, or of one of its stems; the newest of each stays.

    A row is never changed, only replaced by another, so its id tells whether somebody has read it already.
    """

    __tablename__ = "embeddings"
    __table_args__ = (
        Index("uq_embeddings_track_stem_name", "track_id", "stem", "name", unique=True),
        Index("ix_embeddings_scan", "owner_id", "name", "stem", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))  # as the track's: for the scan
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    stem: Mapped[str] = mapped_column(default="")  # vocals, drums, …; empty for the whole song
    name: Mapped[str]  # what made it; only vectors of one name compare
    values: Mapped[list[float]] = mapped_column(ARRAY(REAL))


class AnalysisPart(Row):
    """One finished stage of one analysis job."""

    __tablename__ = "analysis_parts"
    __table_args__ = (Index("uq_analysis_parts_job_stage", "job_id", "stage", unique=True),)

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    stage: Mapped[str]  # peaks, loudness, rhythm, harmony, structure, …
    algorithm_version: Mapped[str]
    document: Mapped[dict[str, Any]]
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="RESTRICT"))


class PartialUpload(Row):
    """A file that is being received in parts; its bytes lie in ``incoming/<id>.part``."""

    __tablename__ = "uploads"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    model: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
