"""A minute of four stems while the machine is busy: nothing is missing, and no stem has left the others."""

import logging

import pytest

from tests.support.copies import busy, listen, open_copies
from tests.web.js.conftest import Studio, evaluate
from tests.web.js.server import RATE

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.browser,
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


HELD_UP = """
  const late = () => mixer.context.playbackStats.underrunEvents;
  const before = late();
  const holding = new AudioWorkletNode(mixer.context, "late", { processorOptions: { ms: argument } });
  holding.connect(mixer.context.destination);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return late() - before;
"""


async def test_an_audio_thread_held_up_for_25_ms_is_not_heard_and_one_for_400_ms_is_counted(studio: Studio) -> None:
    page = await studio.open()
    await open_copies(page, "mix", rate=RATE, recorder="/recorder.js", loop_end_s=90)
    short = [await evaluate(page, HELD_UP, 25) for _ in range(5)]
    assert sorted(short)[2] == 0  # the machine itself may stand still meanwhile
    assert await evaluate(page, HELD_UP, 400) > 0
