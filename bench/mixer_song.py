"""A finished song of four minutes for the mixer's bench: four stems of 24 bits, as a separation leaves them."""

from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import soundfile

from soundforge import library
from soundforge.db import transaction
from soundforge.storage import DiskStorage
from soundforge.tables import Kind, Status
from soundforge_runners._peaks import PeaksWriter
from tests.support.factories import new_track
from tests.support.house import add_job, finish
from tests.web.js.server import RATE, STEMS, sound

SECONDS = 240
FRAMES = RATE * SECONDS


async def add_stems_song(owner_id: UUID, root: Path) -> tuple[UUID, UUID]:
    """Add the song; gives its track and the file of its first stem."""
    storage = DiskStorage(root)
    files = {name: await _put(storage, root, name) for name in ("mix", *STEMS)}
    async with transaction() as session:
        new = new_track("Four minutes", "Bench", mix=files["mix"][0], frames=FRAMES, duration_ms=1000 * SECONDS)
        track = await library.add_track(session, owner_id, new)
        job = await add_job(session, owner_id, Kind.SEPARATION, track_id=track.id)
        stems = [library.NewStem(name, *files[name], 0.0) for name in STEMS]
        await library.add_stems(session, owner_id, track.id, job.id, stems)
        await finish(session, job, Status.COMPLETED, {"engine": "dsp", "model": "dsp"})
    return track.id, stems[0].audio.id


async def _put(storage: DiskStorage, root: Path, name: str) -> tuple[library.NewFile, library.NewFile]:
    """Sound with noise in its last bits, as music has it, and its waveform."""
    noise = np.random.default_rng(7).integers(-400, 400, (FRAMES, 2))
    block = np.resize(sound(name), (FRAMES, 2)) / 32768 + noise / (1 << 23)
    audio, peaks = root / f"{name}.flac", root / f"{name}.dat"
    soundfile.write(audio, block, RATE, subtype="PCM_24")
    with PeaksWriter(peaks, RATE, 2) as writer:
        writer.add(block.astype(np.float32))
    return (
        await _keep(storage, audio, "audio/flac"),
        await _keep(storage, peaks, "application/octet-stream"),
    )


async def _keep(storage: DiskStorage, path: Path, media_type: str) -> library.NewFile:
    stored = await storage.put(path, f"jobs/{uuid4()}/1/{path.name}")
    return library.NewFile(stored.key, stored.size_bytes, stored.sha256, media_type)
