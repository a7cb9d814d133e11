"""What happened, told to whoever listens: the catalogue, ``publish`` inside a transaction, and the listener."""

from soundforge.events._beat import Batch, Inbox
from soundforge.events._catalogue import (
    CATALOGUE,
    AnalysisReady,
    CuesChanged,
    Event,
    JobChanged,
    LibraryChanged,
    PlaylistChanged,
    Resync,
    SessionEnded,
    StemsReady,
    TrackAdded,
    TrackChanged,
    TrackRemoved,
)
from soundforge.events._listener import Listener, open_listener
from soundforge.events._publish import publish, publish_all

__all__ = [
    "CATALOGUE",
    "AnalysisReady",
    "Batch",
    "CuesChanged",
    "Event",
    "Inbox",
    "JobChanged",
    "LibraryChanged",
    "Listener",
    "PlaylistChanged",
    "Resync",
    "SessionEnded",
    "StemsReady",
    "TrackAdded",
    "TrackChanged",
    "TrackRemoved",
    "open_listener",
    "publish",
    "publish_all",
]
