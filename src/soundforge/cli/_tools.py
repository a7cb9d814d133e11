"""``tools``: the environments of programs beside the studio; no database is touched (ADR 0011)."""

from cyclopts import App

from soundforge.cli._foreground import bar, run_foreground
from soundforge.cli._output import say, say_json, say_table
from soundforge.config import Settings
from soundforge.tools import Tools, ToolState
from soundforge.views import plain, tool_view

tools = App(name="tools", help="Programs beside the studio, such as the downloader.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(tools)


@tools.command(name="list")
def list_tools(*, json: bool = False) -> int:
    """List the tools, and what is installed of them."""
    found = [tool_view(state) for state in _tools().list()]
    if json:
        say_json([plain(one) for one in found])
        return 0
    rows = []
    for one in found:
        inside = ", ".join(f"{name} {version}" for name, version in one.versions.items())
        newer = "" if one.is_current or not one.is_installed else "; a newer one came with the studio"
        rows.append((one.name, f"{inside}{newer}" if one.is_installed else "no", one.python_version, one.purpose))
    say_table(("tool", "installed", "", "for"), rows)
    return 0


@tools.command
def install(name: str, *, json: bool = False) -> int:
    """Install a tool, exactly as locked by hash. What is installed already stays.

    Parameters
    ----------
    name
        The tool, e.g. "downloader".
    json
        Print what is installed as JSON.

    """
    return _install(name, upgrade=False, json=json)


@tools.command
def upgrade(name: str, *, json: bool = False) -> int:
    """Bring a tool to its newest version, without touching the studio.

    Parameters
    ----------
    name
        The tool, e.g. "downloader".
    json
        Print what is installed as JSON.

    """
    return _install(name, upgrade=True, json=json)


def _tools() -> Tools:
    return Tools(Settings().tools_folder)


def _install(name: str, *, upgrade: bool, json: bool) -> int:
    with bar(f"Installing {name}") as show:
        state: ToolState = run_foreground(_tools().install(name, upgrade=upgrade, on_progress=show))
    if json:
        say_json(plain(tool_view(state)))
    else:
        say(", ".join(f"{package} {version}" for package, version in state.versions.items()))
    return 0
