"""Templates: one environment, strict about names, with our few filters."""

import hashlib
from functools import cache
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.exceptions import TemplateNotFound

from soundforge import accounts, formats, library, pipeline
from soundforge.config import Settings
from soundforge.views import JobView, TrackRow
from soundforge.web._radar import radar
from soundforge.web._studio import studio_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"
_WORDS = {"import": "importing", "download": "downloading", "separation": "separating", "analysis": "analysing"}
_WORDS |= {"export": "packing", "maintenance": "tidying up"}
# What a row tells when several jobs of a track are under way: the first of these.
_LEADING = ("download", "separation", "analysis", "export")


@cache
def environment() -> Environment:
    """The template environment of this process."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["brief"] = brief
    made.globals |= {"static": static_url, "row_job": row_job, "job_words": job_words}
    made.globals |= {"KEYS": formats.KEYS, "METERS": formats.METERS, "SECTION_NAMES": formats.SECTION_NAMES}
    made.globals["FIELDS"] = library.FIELDS
    made.globals |= {"mixing_keys": formats.mixing_keys, "sketch": formats.sketch, "radar": radar}
    made.globals["CUE_COLOURS"] = library.CUE_COLOURS
    made.globals |= {"EXTENSIONS": sorted(pipeline.EXTENSIONS), "MOST_LETTERS": pipeline.MOST_LETTERS}
    made.globals["shortest_password"] = accounts.SHORTEST_PASSWORD
    return made


def brief(text: str, most_bytes: int) -> str:
    """Cut a text that takes more than so many bytes as HTML: what a feed tells of one row stays below 2,000."""
    sizes = accumulate(len(escape(letter).encode()) for letter in text)
    fits = sum(size <= most_bytes for size in sizes)
    return text if fits == len(text) else f"{text[: fits - 3].rstrip()}…"  # three letters are as much as the sign


def compile_templates() -> None:
    """Compile every template, so that nobody waits for it while the first pages are drawn."""
    for name in environment().list_templates():
        environment().get_template(name)


@cache
def static_version() -> str:
    """A hash over every file of ours: it changes when any of them does, so all may be kept for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(STATIC)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(path: str) -> str:
    """The URL of one of our files; the version is a folder, because modules import by relative paths."""
    return f"/static/{static_version()}/{path}"


def render(template: str, /, **context: Any) -> str:
    """Render a template to text."""
    return environment().get_template(template).render(**context)


@cache
def find_template(name: str) -> Template | None:
    """The template of this name, if there is one."""
    try:
        return environment().get_template(name)
    except TemplateNotFound:
        return None


def page(request: Request, template: str, /, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a page; ``user`` and ``query`` are what every page knows."""
    shared = {"user": getattr(request.state, "user", None), "query": "", "here": ""}
    shared["most_taken"] = most_taken(studio_of(request).settings)
    return HTMLResponse(render(template, **{**shared, **context}), status_code=status)


def most_taken(settings: Settings) -> str:
    """How large and how long a file may be that is imported, in words: "2 GB and 3 hours"."""
    size, seconds = settings.max_upload_mb, settings.max_duration_s
    named = ((3600, "hour"), (60, "minute"), (1, "second"))
    length, unit = next((seconds // unit_s, unit) for unit_s, unit in named if seconds % unit_s == 0)
    return f"{f'{size >> 10} GB' if size % 1024 == 0 else f'{size} MB'} and {length} {unit}{'s' * (length != 1)}"


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page (a boosted link asks for the whole page)."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def row_job(row: TrackRow) -> JobView | None:
    """The job that a library row tells about: what is under way, else what failed last."""
    by_kind = {job.kind: job for job in row.jobs}
    running = [kind for kind in _LEADING if kind in by_kind and by_kind[kind].status != "failed"]
    failed = [kind for kind in _LEADING if kind in by_kind]
    return by_kind[(running or failed)[0]] if running or failed else None


def job_words(job: JobView) -> str:
    """What a job does, in a few words: "separating", "waiting: 2 ahead, about 4 min"."""
    if job.status == "queued":
        return f"waiting: {job.wait_reason}" if job.wait_reason else job.waiting or "waiting"
    if job.status == "failed":
        return "cancelled" if job.error_code == "cancelled" else f"{job.kind} failed"
    if job.status == "completed":
        return "in your library already" if job.result.get("duplicate") else f"{job.kind} done"
    return _WORDS[job.kind]
