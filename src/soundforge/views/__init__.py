"""Read-only joins as frozen values, for pages, API and CLI alike."""

from soundforge.views._cues import cue_of, list_cue_views
from soundforge.views._health import Check, Health, check_tools, get_health
from soundforge.views._jobs import (
    count_active,
    get_job_view,
    list_family,
    list_job_views,
    list_maintenance,
    view_of,
)
from soundforge.views._library import get_library_page, get_track_row, get_track_view, list_neighbours
from soundforge.views._mixes import find_chosen_stems, get_shared_view, mix_of
from soundforge.views._neighbours import Alike, Near, get_query_near, list_alike, tempo_change
from soundforge.views._playlists import (
    EntryPage,
    EntryView,
    PlaylistView,
    get_entry_page,
    get_playlist_view,
    list_playlist_views,
)
from soundforge.views._queues import QueueNode, QueueView, get_queue_view, list_queue_views
from soundforge.views._spotify import SpotifyView, get_spotify_view
from soundforge.views._tools import ToolView, list_tools, tool_view
from soundforge.views._trash import TrashRow, get_trash_page
from soundforge.views._values import (
    Audio,
    CandidateView,
    CueView,
    JobView,
    LibraryPage,
    MixView,
    NearView,
    Neighbour,
    SharedView,
    Songs,
    StemSet,
    StemView,
    TrackRow,
    TrackView,
    plain,
)

__all__ = [
    "Alike",
    "Audio",
    "CandidateView",
    "Check",
    "CueView",
    "EntryPage",
    "EntryView",
    "Health",
    "JobView",
    "LibraryPage",
    "MixView",
    "Near",
    "NearView",
    "Neighbour",
    "PlaylistView",
    "QueueNode",
    "QueueView",
    "SharedView",
    "Songs",
    "SpotifyView",
    "StemSet",
    "StemView",
    "ToolView",
    "TrackRow",
    "TrackView",
    "TrashRow",
    "check_tools",
    "count_active",
    "cue_of",
    "find_chosen_stems",
    "get_entry_page",
    "get_health",
    "get_job_view",
    "get_library_page",
    "get_playlist_view",
    "get_query_near",
    "get_queue_view",
    "get_shared_view",
    "get_spotify_view",
    "get_track_row",
    "get_track_view",
    "get_trash_page",
    "list_alike",
    "list_cue_views",
    "list_family",
    "list_job_views",
    "list_maintenance",
    "list_neighbours",
    "list_playlist_views",
    "list_queue_views",
    "list_tools",
    "mix_of",
    "plain",
    "tempo_change",
    "tool_view",
    "view_of",
]
