"""Pages, API and live feeds. The only room that knows HTTP servers and templates."""

from soundforge.web._app import create_app
from soundforge.web._serve import bind_port, open_monitor, serve_web
from soundforge.web._studio import Studio

__all__ = ["Studio", "bind_port", "create_app", "open_monitor", "serve_web"]
