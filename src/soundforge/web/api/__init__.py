"""The JSON API under ``/api/v1``: the same functions as the pages, for programs."""

from soundforge.web.api import (
    _account,
    _batch,
    _corrections,
    _cues,
    _imports,
    _jobs,
    _mixes,
    _models,
    _neighbours,
    _own_playlists,
    _people,
    _queues,
    _shelves,
    _tools,
    _tracks,
    _uploads,
)

_rooms = (
    _batch,
    _tracks,
    _imports,
    _corrections,
    _cues,
    _mixes,
    _neighbours,
    _own_playlists,
    _shelves,
    _jobs,
    _uploads,
    _queues,
    _people,
    _account,
    _models,
    _tools,
)
routers = tuple(room.router for room in _rooms)

__all__ = ["routers"]
