"""A parent made to be killed: opens a child, prints the pids of its family, and waits.

``python parent.py PROGRAM FOLDER REQUEST``
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from soundforge.children import Limits, open_child


def tell(part: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(part["document"]) + "\n")
    sys.stdout.flush()


async def main(program: str, folder: str, request: str) -> None:
    limits = Limits(total_s=600, silence_s=600)
    async with open_child([sys.executable, program], folder=Path(folder), limits=limits) as child:
        await child.ask(json.loads(request), on_part=tell)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
