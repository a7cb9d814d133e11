"""Child: what finished stems of one song say: `python -m soundforge_runners.hear_stems`.

Request: ``{"files": [{"name": .., "path": FLAC file}]}``. Result: ``{"embeddings": {name: {"name": "sfa-69-v1",
"dim": 69, "values": [..]} or null in silence}, "vocals": {"share": .., "spans": [..]} or null without a stem of that
name, "algorithm_version": ..}``. Linear algebra runs on one thread, so equal sound gives equal numbers.
"""

import os
from pathlib import Path
from typing import Any

from soundforge_runners._protocol import Channel, serve

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Serve requests until the studio ends us."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    serve("hear_stems", handle)


def handle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Listen to one file after the other, then for singing."""
    from soundforge_runners.analysis import ALGORITHM_VERSION, EncodedSource, likeness_of, vocals_of

    stems = {file["name"]: EncodedSource.of(Path(file["path"])) for file in request["files"]}
    embeddings = {}
    for count, (name, stem) in enumerate(stems.items(), start=1):
        embeddings[name] = likeness_of(stem)
        channel.progress(90 * count / len(stems), "likeness")
    vocals = vocals_of(stems)
    channel.progress(100, "vocals")
    return {"embeddings": embeddings, "vocals": vocals, "algorithm_version": ALGORITHM_VERSION}


if __name__ == "__main__":
    main()
