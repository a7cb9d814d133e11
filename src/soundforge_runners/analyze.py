"""The analysis engine: `python -m soundforge_runners.analyze`.

Request: ``{"path": raw float32, "sample_rate_hz": .., "channels": .., "frames": .., "peaks_path": where to write,
"vocals": raw float32 of a vocal stem at the same rate and with as many channels, optional}``.
Every stage is a ``part``, peaks first; the result has ``algorithm_version`` and ``warnings``.

Linear algebra runs on one thread, whatever the machine offers: the same song gives the same bytes.
"""

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from soundforge_runners._protocol import Channel, Refused, serve

if TYPE_CHECKING:
    from pathlib import Path

    from soundforge_runners.analysis import Source

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Serve requests until the studio ends us."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    serve("analyze", handle)


def handle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Analyse one song."""
    from pathlib import Path

    from soundforge_runners.analysis import ALGORITHM_VERSION, Source, analyze

    source = Source(Path(request["path"]), request["sample_rate_hz"], request["channels"], request["frames"])
    if source.frames <= 0 or source.channels not in (1, 2) or source.sample_rate_hz <= 0:
        raise Refused("no_sound", "There is no sound in this file.")
    part = partial(channel.part, version=ALGORITHM_VERSION)
    vocals = vocal_stem(source, Path(request["vocals"])) if request.get("vocals") else None
    warnings = analyze(source, Path(request["peaks_path"]), part, channel.progress, vocals)
    channel.progress(100, "done")
    return {"algorithm_version": ALGORITHM_VERSION, "warnings": warnings}


def vocal_stem(song: "Source", path: "Path") -> "Source":
    """Take a stem that has the song's rate and channels; its length is the file's. Raises Refused if there is none."""
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise Refused("no_vocals", "The vocal stem is gone.") from error
    return replace(song, path=path, frames=size_bytes // (4 * song.channels))


if __name__ == "__main__":
    main()
