"""Child: put files into one zip. Audio does not compress again, so the files are only stored.

Request: ``{"files": [{"path": path, "name": name in the zip}], "zip": path}``. Result: ``{"files": int}``.
"""

import shutil
import zipfile
from pathlib import Path
from typing import Any

from soundforge_runners._protocol import Channel, serve

# One date for every member: the same stems give the same zip.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Store each file under its name; names are unique and checked by the caller."""
    files = request["files"]
    with zipfile.ZipFile(request["zip"], "x", zipfile.ZIP_STORED) as packed:
        for count, file in enumerate(files, start=1):
            member = zipfile.ZipInfo(file["name"], EPOCH)
            with Path(file["path"]).open("rb") as source, packed.open(member, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            channel.progress(100 * count / len(files), "packing")
    return {"files": len(files)}


if __name__ == "__main__":
    serve("pack", pack)
