"""Child: the likeness vectors of sound files that we wrote, such as stems: `python -m soundforge_runners.likeness`.

Request: ``{"files": [{"name": .., "path": FLAC file}]}``. Result: ``{"embeddings": {name: {"name": "sfa-69-v1",
"dim": 69, "values": [..]} or null in silence}}``. Linear algebra runs on one thread, so
equal sound gives equal numbers.
"""

import os
from pathlib import Path
from typing import Any

from soundforge_runners._protocol import Channel, serve

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Serve requests until the studio ends us."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    serve("likeness", handle)


def handle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Listen to one file after the other."""
    from soundforge_runners.analysis import EncodedSource, likeness_of

    files, embeddings = request["files"], {}
    for count, file in enumerate(files, start=1):
        embeddings[file["name"]] = likeness_of(EncodedSource.of(Path(file["path"])))
        channel.progress(100 * count / len(files), "likeness")
    return {"embeddings": embeddings}


if __name__ == "__main__":
    main()
