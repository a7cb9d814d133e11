"""What a test needs of the machine, and what must be there.

A test says ``@pytest.mark.needs("chromium")``. Where that is missing the test is skipped with a sentence, so
``make test`` works on any machine. ``SOUNDFORGE_REQUIRE="chromium root"`` names what must be there: its absence
is a failure then, and so is any other skip. Load it with ``pytest_plugins = ["tests.support.require"]``.
"""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from soundforge.config import Settings
from soundforge.tools import TOOLS, Tools

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Path of the browser that Playwright drives, or None."""
    named = os.environ.get("SOUNDFORGE_CHROMIUM")
    return named or next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def tool_python(name: str) -> Path | None:
    """The interpreter of a tool that this checkout's own data folder has installed, or None."""
    tools = Tools(Settings(_env_file=None).tools_folder)
    return tools.python(name) if name in TOOLS and tools.is_installed(name) else None


def demucs_python() -> Path | None:
    """An interpreter with torch and the demucs package: the installed tool's, or the one that is named; or None."""
    named = os.environ.get("SOUNDFORGE_DEMUCS_PYTHON")
    return Path(named) if named else tool_python("demucs")


# What may be needed: is it there, and what to say when it is not.
PROBES: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (lambda: chromium() is not None, "no Chromium here (Debian: apt install chromium)"),
    "demucs": (
        lambda: demucs_python() is not None,
        "the demucs package is not installed (soundforge tools install demucs, or name its SOUNDFORGE_DEMUCS_PYTHON)",
    ),
    "downloader": (
        lambda: tool_python("downloader") is not None,
        "the downloader is not installed (soundforge tools install downloader)",
    ),
    "root": (lambda: os.geteuid() == 0, "this runs as a plain user"),
}


def required() -> set[str]:
    """Names in ``SOUNDFORGE_REQUIRE``, separated by commas or spaces."""
    return set(os.environ.get("SOUNDFORGE_REQUIRE", "").replace(",", " ").split())


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; refuse a name that nobody knows, for it would require nothing."""
    config.addinivalue_line(
        "markers", "needs(name, …): skipped where the machine lacks it; see tests/support/require.py"
    )
    if unknown := required() - set(PROBES):
        raise pytest.UsageError(
            f"SOUNDFORGE_REQUIRE names {', '.join(sorted(unknown))}; known are {', '.join(PROBES)}."
        )
    for name in required():
        is_there, missing = PROBES[name]
        if not is_there():
            raise pytest.UsageError(f"SOUNDFORGE_REQUIRE={name}, but {missing}.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs this machine does not meet."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            is_there, missing = PROBES[name]
            if not is_there():
                pytest.skip(f"needs {name}: {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn every skip into a failure while something is required."""
    report = yield
    if required() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although SOUNDFORGE_REQUIRE is set: {report.longrepr}"
    return report
