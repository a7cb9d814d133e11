"""Sound that travels packed is the same sound; when it does, and when not."""

import logging

import numpy as np
import pytest

from tests.web.js.conftest import TURN, Studio, evaluate
from tests.web.js.server import RATE
from tests.web.js.test_engine import PLAY, frames_of, record

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

_log = logging.getLogger(__name__)
PLAYS = """
    mixer.local = {local};
    const names = ["vocals", "drums", "bass", "other"];
    await mixer.open(names.map((name) => ({{ name, file: name }})), {{ rate: {rate}, frames: 0 }});
    await until(() => mixer.playing && !mixer.held && mixer.position > 0.5, 60000);
    const before = mixer.stalls, began = performance.now();
    await until(() => {ends}, 30000);
    return {{ stalls: mixer.stalls - before, ms: performance.now() - began }};
"""
FAR = "mixer.local = false;"


async def test_packed_chunks_hold_every_sample_and_join_without_a_gap(studio: Studio) -> None:
    heard = await record(studio, ["ruler-a"], FAR, f"await mixer.seek(0.9); {PLAY.format(at=3.1)}")
    frames = frames_of(heard)
    blocks = frames[: len(frames) // 128 * 128].reshape(-1, 128)
    whole = blocks[(np.diff(blocks, axis=1) == 1).all(axis=1)]  # all but those that fade in or out
    assert len(whole) * 128 > 2 * RATE
    assert set(np.diff(whole[:, 0]).tolist()) <= {128, 384}  # over a fade out and in, where the machine was too slow
    assert frames.max() > 3 * RATE
    assert {one[2] for one in studio.app.state.requests if len(one) > 2} == {"flac"}


async def test_packed_stems_stay_together_to_the_sample_through_seeks(studio: Studio) -> None:
    left, right = await record(
        studio,
        ["mix-a", "mix-b", "mix-c", "mix-d"],
        FAR,
        TURN
        + """
        await mixer.play();
        await until(() => !mixer.held && mixer.position > 0.5);
        await dump();
        window.waits = [];
        for (let i = 0; i < 20; i++) {
          const began = performance.now();
          await mixer.seek((i * 37.3) % 90);
          await until(() => !mixer.held && mixer.position > (i * 37.3) % 90 + 0.02);
          window.waits.push(performance.now() - began - 20);
        }
        """,
    )
    waits = await studio.page.evaluate("window.waits")
    _log.info("seek to sound, packed: %s ms", [round(wait) for wait in waits])
    assert len(left) > RATE // 3
    assert np.abs(left).max() == np.abs(right).max() == 0


async def test_on_this_machine_sound_goes_as_it_is(studio: Studio) -> None:
    page = await studio.open()
    await page.click(".stage [data-play]")
    await evaluate(page, "await until(() => mixer.playing && !mixer.held);")
    assert {one[2] for one in studio.app.state.requests if len(one) > 2} == {"pcm"}


async def test_a_link_that_carries_six_times_what_sound_takes_gets_it_as_it_is_and_a_slow_one_packed(
    studio: Studio,
) -> None:
    page = await studio.open()
    seen = await evaluate(
        page,
        """
        const { Link, isLocal } = await import("/static/v1/js/link.js");
        const link = new Link();
        const near = ["localhost", "127.0.0.1", "[::1]", "a.localhost", "studio.example"].map(isLocal);
        const send = (bits, ms) => { link.leave(0); link.arrive((bits / 8000) * ms, ms); return link.packs(1e6); };
        const forms = [link.packs(1e6), send(20e6, 500), send(20e6, 500)];
        for (let i = 0; i < 20; i++) send(4e6, 500);
        forms.push(send(4e6, 500));
        for (let i = 0; i < 20; i++) send(2e6, 500);
        forms.push(send(2e6, 500), send(4e6, 500));
        return { near, forms };
        """,
    )
    assert seen == {"near": [True] * 4 + [False], "forms": [True, False, False, False, True, True]}


async def test_over_a_slow_link_packed_stems_play_where_plain_ones_stall(studio: Studio) -> None:
    page = await studio.open()
    studio.app.state.bits_per_s = 4.4e6
    plain = await evaluate(page, PLAYS.format(local="true", ends="mixer.stalls > before", rate=RATE))
    assert plain["stalls"] == 1
    twice_as_long = f"performance.now() - began > {2 * plain['ms']}"
    packed = await evaluate(page, PLAYS.format(local="false", ends=twice_as_long, rate=RATE))
    assert packed["stalls"] == 0
