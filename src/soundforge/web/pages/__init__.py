"""Every page, by what it is about."""

from soundforge.web.pages import (
    _account,
    _audio,
    _batch,
    _corrections,
    _cues,
    _events,
    _imports,
    _instance,
    _jobs,
    _library,
    _own_playlists,
    _people,
    _playlists,
    _settings,
    _shared,
    _shelves,
    _sources,
)

_rooms = (
    _account,
    _audio,
    _batch,
    _corrections,
    _cues,
    _events,
    _imports,
    _instance,
    _jobs,
    _library,
    _own_playlists,
    _people,
    _playlists,
    _settings,
    _shared,
    _shelves,
    _sources,
)
routers = tuple(room.router for room in _rooms)

__all__ = ["routers"]
