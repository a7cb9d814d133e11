"""The JSON API under ``/api/v1``: the same functions as the pages, for programs."""

from soundforge.web.api import _account, _corrections, _jobs, _mixes, _neighbours, _tools, _tracks

routers = (
    _tracks.router,
    _corrections.router,
    _mixes.router,
    _neighbours.router,
    _jobs.router,
    _account.router,
    _tools.router,
)

__all__ = ["routers"]
