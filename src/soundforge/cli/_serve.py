"""``serve`` and ``work``: the long-running commands."""

import sys
import threading
import webbrowser
from typing import Annotated

from cyclopts import App, Parameter

from soundforge.cli._signals import ending_in_order
from soundforge.config import Settings
from soundforge.errors import Invalid


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(serve)
    app.command(work)


def serve(
    *,
    queues: str | None = None,
    host: str | None = None,
    port: int | None = None,
    open_page: Annotated[bool, Parameter(name="--open")] = False,
) -> int:
    """Serve the studio: pages, API and the work itself.

    Parameters
    ----------
    queues
        Queues to work and how many jobs of each at once, like "processing:2,analysis:1"; "none" for pages alone.
    host
        Address to listen on.
    port
        Port to listen on; 0 picks a free one.
    open_page
        Open the studio in the browser.

    """
    from soundforge import app, logs
    from soundforge.db import open_server

    settings = _settings(queues=queues, host=host, port=port)
    logs.set_up(json=settings.log_json)
    with ending_in_order() as ending, open_server(settings) as dsn:
        ending.run(app.serve(settings, dsn, told=lambda url: _tell(url, open_page=open_page)))
    return 0


def work(*, queues: str) -> int:
    """Work queues without serving pages, on this or any machine that reaches the database and the storage.

    Parameters
    ----------
    queues
        For example "processing:2".

    """
    from soundforge import app, logs
    from soundforge.db import open_server

    settings = _settings(queues=queues)
    if not settings.queue_limits():
        raise Invalid('Name at least one queue to work, like "processing:2".', code="no_queue")
    logs.set_up(json=settings.log_json)
    with ending_in_order() as ending, open_server(settings) as dsn:
        ending.run(app.work(settings, dsn))
    return 0


def _settings(**given: object) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type] # pydantic reads them


def _tell(url: str, *, open_page: bool) -> None:
    sys.stdout.write(f"Sound Forge Alchemy is ready: {url}\n")
    sys.stdout.flush()
    if open_page:
        # Beside the event loop: finding a browser takes its time, and one in a terminal does not return.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
