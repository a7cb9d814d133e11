"""The analysis engine: `python -m soundforge_runners.analyze`.

Request: ``{"path": raw float32, "sample_rate_hz": .., "channels": .., "frames": .., "peaks_path": where to write}``.
Every stage is a ``part``, peaks first; the result has ``algorithm_version`` and ``warnings``.

Linear algebra runs on one thread, whatever the machine offers: the same song gives the same bytes.
"""

import os
from functools import partial
from typing import Any

from soundforge_runners._protocol import Channel, Refused, serve

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
    warnings = analyze(source, Path(request["peaks_path"]), part, channel.progress)
    channel.progress(100, "done")
    return {"algorithm_version": ALGORITHM_VERSION, "warnings": warnings}


if __name__ == "__main__":
    main()
