"""The decoder: a child of its own for every file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, path_inside, runner
from soundforge.errors import Broken

from ._contract import Decoded, OnProgress, Pcm, Tags, Warning_

_FORMATS = frozenset({"wav", "aiff", "flac", "mp3", "aac", "ogg", "opus", "m4a"})
# The child holds itself to its own limits too (address space, processor, file size); these are the outer fence.
_LIMITS = Limits(total_s=1800, silence_s=60, memory_mb=1024)


class ChildDecoder:
    """Decodes with ``soundforge_runners.decode``."""

    async def decode(
        self, source: Path, out: Path, *, folder: Path, max_duration_s: float, on_progress: OnProgress | None = None
    ) -> Decoded:
        """Decode ``source`` into ``out``; see ``Decoder``."""
        paths = {"source": source, "out": out, "folder": folder}
        request = {**{name: str(path.absolute()) for name, path in paths.items()}, "max_duration_s": max_duration_s}
        answer = await call(runner("decode"), request, folder=folder, limits=_LIMITS, on_progress=on_progress)
        return _decoded(answer, out, folder)


def _decoded(answer: Mapping[str, Any], out: Path, folder: Path) -> Decoded:
    """Believe nothing: the child has read a stranger's file."""
    try:
        pcm = Pcm(out, int(answer["sample_rate_hz"]), int(answer["channels"]), int(answer["frames"]))
        told = answer["tags"]
        words = {name: str(told.get(name) or "")[:500] for name in ("title", "artist", "album", "isrc")}
        tags = Tags(**words, year=int(told["year"]) if str(told.get("year") or "").isdecimal() else None)
        cover = path_inside(folder, answer["cover"]) if answer["cover"] else None
        warnings = tuple(Warning_(str(one["code"]), str(one["sentence"])) for one in answer["warnings"])
        right = answer["format"] in _FORMATS and pcm.channels in (1, 2) and out.lstat().st_size == pcm.size_bytes > 0
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise Broken("The decode program sent a wrong result.", code="engine_garbage", detail=repr(error)) from error
    if not right:
        raise Broken("The decode program sent a wrong result.", code="engine_garbage", detail=repr(answer)[:500])
    return Decoded(pcm, str(answer["format"]), tags, cover, warnings)
