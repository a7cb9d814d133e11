"""A small server for the browser tests: our templates and scripts around a made-up song, with the product's CSP."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundforge.library import FIELDS
from soundforge.web._render import brief
from soundforge.web._security_headers import COMPILER_PATH, COMPILER_POLICY, CONTENT_SECURITY_POLICY
from soundforge.web._sound import pack
from soundforge.web._stream import PING
from tests.support.waveforms import level

WEB = Path(__file__).resolve().parents[3] / "src" / "soundforge" / "web"
RATE = 44100
DURATION_S = 96
FRAMES = RATE * DURATION_S
BEAT_S = 60 / 124
ROWS = 3000
SECTIONS = [
    ("intro", 8), ("verse", 16), ("chorus", 16), ("verse", 16),
    ("chorus", 16), ("break", 8), ("chorus", 10), ("outro", 6),
]  # fmt: skip

Samples = NDArray[np.int16]


@functools.cache
def sound(name: str) -> Samples:
    """Frames x 2; most sound, and look, like a song.

    "ruler" holds its own frame number in each frame; "tone" is 165 Hz; "marks" has a single loud sample at each second,
    left, and nothing else.
    """
    frame = np.arange(FRAMES)
    if name == "tone":
        wave = 12000 * np.sin(2 * np.pi * 165 * frame / RATE)
        return np.stack([wave, wave], axis=1).astype(np.int16)
    if name == "marks":
        return np.stack([np.where(frame % RATE == 0, 24000, 0), 0 * frame], axis=1).astype(np.int16)
    if name == "ruler":
        return np.stack([frame % 32768, frame // 32768], axis=1).astype(np.int16)
    if name == "mix":
        return (np.sum([sound(stem).astype(np.int32) for stem in STEMS], axis=0) // 2).astype(np.int16)
    time = frame / RATE
    rng = np.random.default_rng(len(name))
    shape = {
        "vocals": lambda: np.sin(880 * time) * np.clip(np.sin(0.7 * time) + 0.4 * np.sin(3.1 * time), 0, 1),
        "drums": lambda: rng.normal(0, 0.35, FRAMES) * np.exp(-((time % BEAT_S) * 14)),
        "bass": lambda: np.sin(2 * np.pi * 55 * time) * (0.45 + 0.4 * np.sign(np.sin(time * 0.4))),
        "other": lambda: np.sin(2 * np.pi * 220 * time) * (0.35 + 0.25 * np.sin(time / 9)),
    }[name]()
    lively = np.interp(time, *_energy())
    return (np.stack([shape, shape], axis=1) * lively[:, None] * 14000).astype(np.int16)


STEMS = ("vocals", "drums", "bass", "other")


def _energy() -> tuple[list[float], list[float]]:
    times, levels, at = [], [], 0.0
    for name, bars in SECTIONS:
        level = {"intro": 0.35, "verse": 0.7, "chorus": 1.0, "break": 0.4, "outro": 0.3}[name]
        times += [at, at + bars - 0.01]
        levels += [level, level]
        at += bars
    return times, levels


@functools.cache
def peaks(name: str, width: int) -> bytes:
    """One level of the waveform of a sound, so many samples a pair."""
    mono = sound(name).mean(axis=1)[: FRAMES // width * width].reshape(-1, width) / 256
    pairs = np.stack([mono.min(axis=1), mono.max(axis=1)], axis=1).clip(-128, 127).astype(np.int8)
    return level(RATE, width, pairs.tobytes())


def document() -> dict[str, object]:
    """What an analysis of that song says."""
    beats = [round(i * BEAT_S, 4) for i in range(int(DURATION_S / BEAT_S))]
    chords = ["A:min", "F:maj", "C:maj", "G:maj"]
    sections, at = [], 0.0
    for name, length in SECTIONS:
        sections.append({"start_s": at, "end_s": at + length, "label": name, "group": name[0].upper()})
        at += length
    return {
        "beats": {"times_s": beats},
        "downbeats": {"beat_indices": list(range(0, len(beats), 4))},
        "sections": sections,
        "vocals": {"share": 0.5, "spans": [{"start_s": 8.0, "end_s": 56.0, "confidence": 0.9}]},
        "chords": [
            {"start_s": i * 4 * BEAT_S, "end_s": (i + 1) * 4 * BEAT_S, "label": chords[i % 4]}
            for i in range(len(beats) // 4)
        ],
    }


async def pcm(request: Request) -> Response:
    """A span of some files, one behind the other: raw s16le, or a FLAC file each."""
    files, form = request.path_params["files"].split(","), request.query_params.get("as", "pcm")
    start, count = int(request.query_params["from"]), int(request.query_params["frames"])
    request.app.state.requests += [(file, start, form) for file in files]
    request.app.state.runs.append((tuple(files), start, count))
    if request.app.state.withheld.intersection([*files, start]):
        await request.app.state.released.wait()
    if status := request.app.state.refused:
        return Response(b"not all of it", status, headers={"Content-Length": "1000"} if status == 200 else {})
    blocks = [sound(file.split("-")[0])[start : start + count] for file in files]
    parts = [pack(block, RATE) if form == "flac" and len(block) else block.tobytes() for block in blocks]
    told = {"X-Sample-Rate": RATE, "X-Channels": 2, "X-Frames": FRAMES}
    headers = {name: ",".join([str(number)] * len(files)) for name, number in told.items()}
    headers["X-Bytes"] = ",".join(str(len(part)) for part in parts)
    kind = "audio/flac" if form == "flac" else "application/octet-stream"
    data = b"".join(parts)
    if bits_per_s := request.app.state.bits_per_s:
        async with request.app.state.line:
            await asyncio.sleep(0.03 + 8 * len(data) / bits_per_s)
    return Response(data, media_type=kind, headers=headers)


async def whole(request: Request) -> Response:
    """A whole file, or the range of it that a browser asks for when it seeks."""
    data = packed(request.path_params["file"])
    start, _, stop = request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
    last = min(int(stop or len(data)), len(data) - 1)
    headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{last}/{len(data)}"}
    return Response(data[int(start) : last + 1], 206, headers=headers, media_type="audio/flac")


@functools.cache
def packed(name: str) -> bytes:
    """A sound as one FLAC file."""
    return pack(sound(name), RATE)


async def dat(request: Request) -> Response:
    """A file's peaks."""
    width = int(request.query_params["samples_per_pixel"])
    return Response(peaks(request.path_params["file"], width), media_type="application/octet-stream")


def recorder(_request: Request) -> Response:
    """The worklet that writes down what the mixer plays."""
    return FileResponse(Path(__file__).parent / "recorder.js", media_type="text/javascript")


async def analysis(_request: Request) -> Response:
    """The analysis document."""
    return JSONResponse(document())


async def mixes(request: Request) -> Response:
    """The saved mixes: those that this test put there."""
    saved = request.app.state.mixes
    if request.method == "PUT":
        body = await request.json()
        saved[body["name"]] = {"id": f"mix-{len(saved)}", "link": None, **body}
        return JSONResponse(saved[body["name"]])
    return JSONResponse(list(saved.values()))


def tracks(_request: Request) -> Response:
    """What the library's search finds for the palette: nothing."""
    return JSONResponse({"rows": [], "next": None})


async def feed(request: Request) -> Response:
    """Changes, as elements to put in place; refused as often as the test asked for."""
    if request.app.state.refusals > 0:
        request.app.state.refusals -= 1
        return HTMLResponse("<p>not now</p>", status_code=503)

    state = request.app.state
    state.feeds += 1

    async def messages() -> AsyncIterator[str]:
        yield 'data: <progress id="progress-job-0" max="100" value="64" hx-swap-oob="outerMorph"></progress>\n\n'
        while not state.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(state.stopping.wait(), 0.1)
            if state.pings:
                yield PING.decode()

    return StreamingResponse(messages(), media_type="text/event-stream")


async def upload(request: Request) -> Response:
    """Takes a file, or refuses it in words."""
    body = await request.body()
    if request.query_params["name"].endswith(".pdf"):
        return JSONResponse({"error": {"code": "not_audio", "message": "This is not an audio file."}}, 422)
    return JSONResponse({"message": f"imported {len(body)} bytes"})


def page(request: Request) -> Response:
    """A sample page; `?state=` picks what stands on the stage."""
    name = request.path_params.get("page", "studio")
    context = {"here": "jobs" if name == "jobs" else "library", "query": "", "user": None, "stems": STEMS,
               "frames": FRAMES, "rate": RATE, "duration_s": DURATION_S, "sections": document()["sections"],
               "most_taken": "2 GB and 3 hours", "state": request.query_params.get("state", "track")}  # fmt: skip
    return HTMLResponse(templates().get_template(f"{name}.html").render(context))


def rows(request: Request) -> Response:
    """A page of a hundred rows, and the sentinel that brings the next; three thousand in all."""
    first = int(request.query_params["from"])
    request.app.state.requests.append(("rows", first))
    context = {"first": first, "more": first + 100 < ROWS and "until" not in request.query_params}
    return HTMLResponse(templates().get_template("rows.html").render(context))


@functools.cache
def templates() -> Environment:
    """The product's templates, and the sample pages beside this file."""
    folders = [Path(__file__).parent / "pages", WEB / "templates"]
    environment = Environment(loader=FileSystemLoader(folders), undefined=StrictUndefined, autoescape=True)
    environment.filters["brief"] = brief
    environment.globals |= {"FIELDS": FIELDS, "EXTENSIONS": [".wav", ".flac"]}
    environment.globals["static"] = lambda path: f"/static/v1/{path}"
    return environment


class Policy:
    """Puts the product's content security policy on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the header to what the application sends."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = COMPILER_POLICY if COMPILER_PATH.fullmatch(scope["path"]) else CONTENT_SECURITY_POLICY
                message["headers"] = [*message["headers"], (b"content-security-policy", policy.encode())]
            await send(message)

        await self.app(scope, receive, sending)


def create_app() -> Starlette:
    """The application; `app.state` holds what a test turns: withheld (files, or first frames), released, refusals,
    pings (whether the feed gives signs of life), feeds (begun), requests, runs (of sound: files, first frame, frames),
    refused (the status that sound gets instead; 200: an answer that breaks off), bits_per_s (of the line that answers
    with sound take in turn; 0: at once), stopping.
    """
    app = Starlette(
        routes=[
            Route("/", page),
            Route("/audio/{files}/pcm", pcm),
            Route("/audio/{file}", whole),
            Route("/peaks/{file}.dat", dat),
            Route("/analysis.json", analysis),
            Route("/tracks/{track}", page),
            Route("/feed", feed),
            Route("/rows", rows),
            Route("/api/v1/tracks", tracks),
            Route("/api/v1/tracks/{track}/mixes", mixes, methods=["GET", "PUT"]),
            Route("/import/files", upload, methods=["POST"]),
            Mount("/static/v1", StaticFiles(directory=WEB / "static")),
            Route("/recorder.js", recorder),
            Route("/{page}", page),
        ],
        middleware=[Middleware(Policy)],
    )
    app.state.withheld = set()
    app.state.released = asyncio.Event()
    app.state.refusals = 0
    app.state.feeds = 0
    app.state.pings = False
    app.state.refused = 0
    app.state.bits_per_s = 0
    app.state.line = asyncio.Lock()
    app.state.requests = []
    app.state.runs = []
    app.state.mixes = {}
    app.state.stopping = asyncio.Event()
    return app


if __name__ == "__main__":
    uvicorn.run(create_app(), port=8765, timeout_graceful_shutdown=1)
