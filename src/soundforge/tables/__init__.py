"""Every table of ours, their foreign keys, and the status moves that a trigger enforces."""

from soundforge.tables._accounts import ApiToken, Session, Setting, User
from soundforge.tables._base import Row, is_ours
from soundforge.tables._jobs import (
    AnalysisJob,
    DownloadJob,
    ExportJob,
    ImportJob,
    Job,
    MaintenanceJob,
    ProcessingJob,
    QueueSetting,
)
from soundforge.tables._keyset import Page, Sort, cursor_of, page_of, read_again, read_number, read_page, read_text
from soundforge.tables._library import (
    TRACK_SORTS,
    WHEEL,
    AnalysisPart,
    Correction,
    CuePoint,
    Embedding,
    File,
    Mix,
    PartialUpload,
    Stem,
    Track,
)
from soundforge.tables._migrate import migrate
from soundforge.tables._moves import ACTIVE, MOVES, RUNNING, TERMINAL, Kind, Moves, Status, may_move
from soundforge.tables._playlists import Candidate, Playlist, PlaylistTrack, SourceAnswer
from soundforge.tables._trigger import CHANNEL, trigger_sql

__all__ = [
    "ACTIVE",
    "CHANNEL",
    "MOVES",
    "RUNNING",
    "TERMINAL",
    "TRACK_SORTS",
    "WHEEL",
    "AnalysisJob",
    "AnalysisPart",
    "ApiToken",
    "Candidate",
    "Correction",
    "CuePoint",
    "DownloadJob",
    "Embedding",
    "ExportJob",
    "File",
    "ImportJob",
    "Job",
    "Kind",
    "MaintenanceJob",
    "Mix",
    "Moves",
    "Page",
    "PartialUpload",
    "Playlist",
    "PlaylistTrack",
    "ProcessingJob",
    "QueueSetting",
    "Row",
    "Session",
    "Setting",
    "Sort",
    "SourceAnswer",
    "Status",
    "Stem",
    "Track",
    "User",
    "cursor_of",
    "is_ours",
    "may_move",
    "migrate",
    "page_of",
    "read_again",
    "read_number",
    "read_page",
    "read_text",
    "trigger_sql",
]
