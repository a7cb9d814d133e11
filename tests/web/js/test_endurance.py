"""A minute of four stems while the machine is busy: nothing is missing, and no stem has left the others."""

import logging

import pytest

from tests.support.copies import busy, listen, open_copies
from tests.web.js.conftest import Studio, evaluate
from tests.web.js.server import RATE

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.browser,
    pytest.mark.needs("chromium"),
    pytest.mark.timeout(240),
]

_log = logging.getLogger(__name__)


async def test_a_minute_under_load_has_no_gap_no_late_block_and_the_stems_stay_together(studio: Studio) -> None:
    page = await studio.open()
    async with busy():
        loud = await open_copies(page, "mix", rate=RATE, recorder="/recorder.js", loop_end_s=90)
        halves = [await listen(page, 30, tempo=tempo) for tempo in (1, 0.8)]
    _log.info("30 s at 100 %%, 30 s at 80 %%: %s", halves)
    assert loud > 0.1
    for heard in halves:
        assert (heard.stalls, heard.underruns, heard.loudest) == (0, 0, 0)
        assert heard.blocks * 128 / RATE == pytest.approx(30, abs=1)


async def test_sound_lies_ready_for_longer_than_a_machine_stands_still_and_a_late_block_is_counted(
    studio: Studio,
) -> None:
    page = await studio.open()
    await open_copies(page, "mix", rate=RATE, recorder="/recorder.js", loop_end_s=90)
    assert await evaluate(page, "return mixer.context.baseLatency;") > 0.02  # 0.01 is the shortest there is
    await evaluate(
        page,
        """
        const late = () => mixer.context.playbackStats.underrunEvents;
        const before = late();
        const holding = new AudioWorkletNode(mixer.context, "late", { processorOptions: { ms: 400 } });
        holding.connect(mixer.context.destination);
        await until(() => late() > before);
        """,
    )
