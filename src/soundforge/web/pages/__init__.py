"""Every page, by what it is about."""

from soundforge.web.pages import _account, _audio, _events, _imports, _jobs, _library

routers = (_account.router, _audio.router, _events.router, _imports.router, _jobs.router, _library.router)

__all__ = ["routers"]
