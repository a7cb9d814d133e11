"""The downloader that is shipped: spotdl first, yt-dlp where that fails or where somebody chose the source.

Both run as children in the environment of the tool ``downloader``, speak the same requests, and reach the world through
the gate alone. What they say is believed as little as what a site says: addresses are read by ``parse_link``, files
must lie in their folder.
"""

import asyncio
import math
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from soundforge.children import Child, Limits, open_child, path_inside
from soundforge.errors import Broken, Invalid, SoundForgeError
from soundforge.http import Gate, open_gate
from soundforge.tools import Tools

from ._downloader import LIKELY_SCORE, MOST_CANDIDATES, SURE_SCORE, Candidate, Downloaded, OnProgress, Song
from ._failures import SourceRefused, failure
from ._lengths import is_right_length
from ._links import Link, parse_link
from ._names import one_line

type Programs = Callable[[str], list[str]]
type Cookies = Callable[[], Awaitable[str]]
type OpenGate = Callable[[Path, frozenset[str]], Any]

DOWNLOADER: Final = "downloader"  # its name among the tools
SPOTDL, YTDLP = "fetch_spotdl", "fetch_ytdlp"
# Where the sites keep their pages, their searches and their sound. Everything else is refused at the gate.
SITES: Final = frozenset(
    {"youtube.com", "googlevideo.com", "ytimg.com"}
    | {"soundcloud.com", "soundcloud.cloud", "sndcdn.com"}
    | {"bandcamp.com", "bcbits.com"}
)
_EXTENSIONS = frozenset({".m4a", ".opus", ".mp3", ".ogg", ".flac"})
_TRIES = 3  # candidates of one search
_LETTERS = 300
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What the other program may do better: a tool's own troubles, not a site's decision about a source.
_OTHER_PROGRAM = frozenset(
    {"download_failed", "tool_outdated", "network", "source_forbidden", "engine_crashed", "engine_garbage"}
    | {"engine_silent"}
)
_OTHER_SOURCE = frozenset(
    {"source_gone", "geo_blocked", "age_restricted", "source_not_finished", "source_not_audio", "source_not_allowed"}
    | {"source_too_long", "wrong_length"}
)
_SILENCE_S, _TOTAL_S, _MEMORY_MB = 90, 600, 1536
_SLOWEST = 20  # seconds of sound that a slow line brings in one
_BYTES_PER_S, _SLACK_MB = 64_000, 96  # 512 kbit/s, and room for what programs write beside it
_SEARCH_SHARE = 8.0  # percent of the whole


class ToolDownloader:
    """Finds and fetches with spotdl and yt-dlp. See ``Downloader``."""

    def __init__(
        self,
        tools: Tools,
        *,
        cookies: Cookies | None = None,
        programs: Programs | None = None,
        gate: OpenGate = open_gate,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """``cookies`` gives the text of a cookie file, or "". The others take the world's place in tests."""
        self._tools, self._cookies, self._gate = tools, cookies, gate
        self._programs = programs or self._installed
        self._env, self._limits = env, limits

    def is_ready(self) -> bool:
        """Whether the tool is installed; see ``Downloader``."""
        return self._programs != self._installed or self._tools.is_installed(DOWNLOADER)

    async def find(self, song: Song, *, folder: Path, on_progress: OnProgress | None = None) -> tuple[Candidate, ...]:
        """Search; see ``Downloader``."""
        async with self._open(song, folder, _TOTAL_S, on_progress) as run:
            return await run.find()

    async def fetch(
        self,
        song: Song,
        *,
        folder: Path,
        max_duration_s: float,
        source: Link | None = None,
        on_progress: OnProgress | None = None,
    ) -> Downloaded:
        """Fetch; see ``Downloader``."""
        async with self._open(song, folder, max_duration_s, on_progress) as run:
            return await (run.fetch_chosen(source) if source else run.fetch_best())

    @asynccontextmanager
    async def _open(
        self, song: Song, folder: Path, max_duration_s: float, on_progress: OnProgress | None
    ) -> AsyncIterator["_Run"]:
        """Open a folder of its own with the gate in it; all of it is gone afterwards, and every program too."""
        place = folder / f"fetch-{secrets.token_hex(4)}"
        place.mkdir(parents=True)
        try:
            async with AsyncExitStack() as stack:
                gate = await stack.enter_async_context(self._gate(place / "gate", SITES))
                wanted = _wanted(song, await self._write_cookies(place), max_duration_s)
                yield _Run(self, song, place, wanted, on_progress, gate, stack)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def _installed(self, program: str) -> list[str]:
        return [str(self._tools.python(DOWNLOADER)), "-m", f"soundforge_runners.{program}"]

    def limits_for(self, max_duration_s: float) -> Limits:
        """Limits of one request; the longest song at a high rate must fit into the folder, twice."""
        megabytes = _SLACK_MB + 2 * max_bytes(max_duration_s) // 1_000_000
        total_s = _TOTAL_S + max_duration_s / _SLOWEST
        return self._limits or Limits(total_s, silence_s=_SILENCE_S, memory_mb=_MEMORY_MB, output_mb=megabytes)

    def environment(self, argv: Sequence[str]) -> dict[str, str]:
        """What a program is told beside what every child is: where its siblings are, and to load nobody's plugins."""
        path = os.pathsep.join([str(Path(argv[0]).parent), os.environ.get("PATH", os.defpath)])
        told = {"PATH": path, "YTDLP_NO_PLUGINS": "1", "NO_COLOR": "1", "COLUMNS": "400"}
        return {**told, **(self._env or {})}

    def argv(self, program: str) -> list[str]:
        """Return the command line of a program; raises Broken ``tool_missing``."""
        return self._programs(program)

    async def _write_cookies(self, place: Path) -> str | None:
        """Write the cookies down for one run, readable to us alone; gives the path, None where there are none."""
        text = await self._cookies() if self._cookies else ""
        if not text:
            return None
        path = place / "cookies"
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)


class _Run:
    """One call: its folder, its gate, and the programs that were started for it."""

    def __init__(
        self,
        owner: ToolDownloader,
        song: Song,
        place: Path,
        wanted: Mapping[str, Any],
        on_progress: OnProgress | None,
        gate: Gate,
        stack: AsyncExitStack,
    ) -> None:
        self._owner, self._song, self._place, self._wanted = owner, song, place, wanted
        self._on_progress, self._gate, self._stack = on_progress, gate, stack
        self._children: dict[str, Child] = {}
        self._attempts = 0
        self._percent = 0.0

    async def find(self) -> tuple[Candidate, ...]:
        """Ask spotdl; where it is in trouble of its own, yt-dlp."""
        answer = await self._first_of((SPOTDL, YTDLP), {"do": "find"})
        return _candidates(answer)[:MOST_CANDIDATES]

    async def fetch_best(self) -> Downloaded:
        """Fetch the best candidate that is likely enough; where a site refuses one, the next."""
        found = await self.find()
        likely = [one for one in found if one.score >= LIKELY_SCORE][:_TRIES]
        refusal: SourceRefused | None = None
        for candidate in likely:
            try:
                return await self._fetch(candidate, found, (SPOTDL, YTDLP))
            except SourceRefused as refused:
                refusal = refusal or refused
                if refused.code not in _OTHER_SOURCE:
                    break
        if refusal is None:
            best = found[0].score if found else None
            raise failure("no_match", f"{len(found)} candidates, the best with a score of {best}", found)
        raise failure(refusal.code, refusal.detail, found) from refusal

    async def fetch_chosen(self, source: Link) -> Downloaded:
        """Fetch what somebody chose, whatever its length."""
        chosen = Candidate(source, self._song.title, "", None, 100.0)
        return await self._fetch(chosen, (), (YTDLP,))

    async def _fetch(self, candidate: Candidate, found: tuple[Candidate, ...], programs: Sequence[str]) -> Downloaded:
        answer = await self._first_of(programs, {"do": "fetch", "url": candidate.url})
        got = _downloaded(answer, self._place, candidate, found)
        is_right = is_right_length(got.duration_s, self._song.duration_s)
        if found and not is_right:
            detail = f"{candidate.url} has {got.duration_s:.0f} s, the song {self._song.duration_s:.0f} s"
            raise failure("wrong_length", detail, found)
        path = self._place.parent / f"{candidate.link.id.replace('/', '_')}{got.path.suffix}"
        got.path.replace(path)
        self._report(100, "fetched")
        is_doubtful = not is_right or candidate.score < SURE_SCORE
        return replace(got, path=path, is_doubtful=is_doubtful)

    async def _first_of(self, programs: Sequence[str], request: dict[str, Any]) -> dict[str, Any]:
        """Ask one program after the other until one can do it; raises what the last one said."""
        *others, last = programs
        for program in others:
            try:
                return await self._ask(program, request)
            except SoundForgeError as error:
                if error.code not in _OTHER_PROGRAM:
                    raise
        return await self._ask(last, request)

    async def _ask(self, program: str, request: dict[str, Any]) -> dict[str, Any]:
        child = await self._child(program)
        self._attempts += 1
        out = self._place / f"out-{self._attempts}"
        out.mkdir()
        answer = await child.ask({**request, **self._wanted, "folder": str(out)}, self._show(request["do"]))
        if answer.get("ok") is True:
            return answer
        await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
        code, cause = str(answer.get("code")), str(answer.get("cause") or "the program gave no cause")
        refused = "; ".join(self._gate.refused[-3:])
        raise failure(code, f"{cause} [{program}]{f' [gate: {refused}]' if refused else ''}")

    async def _child(self, program: str) -> Child:
        """Return a living child that runs a program, started once a run unless it died."""
        child = self._children.get(program)
        if child is None or not child.alive:
            argv = self._owner.argv(program)
            limits = self._owner.limits_for(self._wanted["max_duration_s"])
            opened = open_child(argv, folder=self._place, limits=limits, env=self._owner.environment(argv))
            child = self._children[program] = await self._stack.enter_async_context(opened)
        return child

    def _show(self, what: str) -> OnProgress:
        low, share = (0.0, _SEARCH_SHARE) if what == "find" else (_SEARCH_SHARE, 99 - _SEARCH_SHARE)
        return lambda percent, stage: self._report(low + share * percent / 100, stage)

    def _report(self, percent: float, stage: str) -> None:
        """Pass progress on; a second candidate begins where the first had come."""
        self._percent = max(self._percent, percent)
        if self._on_progress:
            self._on_progress(self._percent, stage)


def _wanted(song: Song, cookies: str | None, max_duration_s: float) -> dict[str, Any]:
    """What every request of a run holds: all that people typed is in here, as fields."""
    told = {
        "title": song.title,
        "artists": list(song.artists),
        "album": song.album,
        "duration_s": song.duration_s,
        "isrc": song.isrc,
        "year": song.year,
        "track_number": song.track_number,
        "cover": str(song.cover.absolute()) if song.cover else None,
    }
    return {
        "song": told,
        "gate": "gate",  # from the child's folder, for a socket's path must be short
        "cookies": cookies,
        "max_duration_s": max_duration_s,
        "max_bytes": max_bytes(max_duration_s),
    }


def max_bytes(max_duration_s: float) -> int:
    """Return how many bytes the longest song may have."""
    return int(max_duration_s * _BYTES_PER_S) + (8 << 20)


def _candidates(answer: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """Read what a search found; an address that is no song's on our sites is left out."""
    try:
        read = [_candidate(one) for one in answer["candidates"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _garbage(answer) from error
    return tuple(sorted((one for one in read if one), key=lambda one: -one.score))


def _candidate(told: Mapping[str, Any], link: Link | None = None) -> Candidate | None:
    score, length = float(told["score"]), told["duration_s"]
    if not math.isfinite(score):
        raise ValueError(score)
    try:
        link = link or parse_link(str(told["url"]))
    except Invalid:
        return None
    title, channel = (one_line(str(told[name])[: _LETTERS * 4])[:_LETTERS] for name in ("title", "channel"))
    duration_s = None if length is None else max(0.0, float(length))
    return Candidate(link, title, channel, duration_s, min(max(score, 0.0), 100.0))


def _downloaded(
    answer: Mapping[str, Any], place: Path, candidate: Candidate, found: tuple[Candidate, ...]
) -> Downloaded:
    """Read a result: the file must be there, with an extension that we know and a length."""
    path = path_inside(place, answer.get("path"))
    try:
        length_s, tool = float(answer["duration_s"]), one_line(str(answer["tool"]))[:100]
        sha256 = str(answer["audio_sha256"])
        page = _candidate({**answer["page"], "score": candidate.score}, candidate.link)
    except (KeyError, TypeError, ValueError) as error:
        raise _garbage(answer) from error
    if page is None or path.suffix not in _EXTENSIONS or not (math.isfinite(length_s) and length_s > 0):
        raise _garbage(answer)
    if not _SHA256.fullmatch(sha256):
        raise _garbage(answer)
    source = Candidate(candidate.link, page.title or candidate.title, page.channel, page.duration_s, candidate.score)
    return Downloaded(path, sha256, length_s, source, found or (source,), is_doubtful=False, tool=tool)


def _garbage(answer: Mapping[str, Any]) -> Broken:
    return Broken("The download program sent a wrong result.", code="engine_garbage", detail=repr(answer)[:500])
