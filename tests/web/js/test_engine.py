"""What the engine plays, sample by sample: loops, muted parts, pans, clicks, tempo, pitch."""

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.web.js.conftest import LISTEN, TURN, Studio, evaluate
from tests.web.js.server import RATE

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

type Heard = tuple[NDArray[np.float64], NDArray[np.float64]]
GRID = """
  const { Grid } = await import(app.replace("app.js", "beats.js"));
  const times_s = Array.from({ length: 180 }, (_, i) => i / 2);
  const beat_indices = times_s.map((_, i) => i).filter((i) => i % 4 === 0);
  const beats = new Grid({ beats: { times_s }, downbeats: { beat_indices } });
"""


async def record(studio: Studio, files: list[str], before: str, during: str, argument: Any = None) -> Heard:
    """Play files, each as a source named like it, and give what is heard, left and right, while `during` runs."""
    page = await studio.open()
    heard = await evaluate(
        page,
        LISTEN.join(
            [
                f"""
        const app = document.querySelector('script[src$="app.js"]').src;
        const given = argument;
        const {{ Mix }} = await import(app.replace("app.js", "mix.js"));
        const mix = new Mix();
        {before}
        const sources = {files}.map((file) => ({{ name: file.split("-").pop(), file }}));
        await mixer.open(sources, {{ rate: {RATE}, frames: 0, mix, play: false }});
        """,
                f"""
        await dump();
        {during}
        const {{ left, right }} = await dump();
        return {{ left: await packed(left), right: await packed(right) }};
        """,
            ]
        ),
        argument,
    )
    left, right = (np.frombuffer(base64.b64decode(heard[side]), "<f4").astype(float) for side in ("left", "right"))
    return left, right


def frames_of(heard: Heard) -> NDArray[np.int64]:
    """The frame numbers that a recording of "ruler" holds."""
    left, right = (np.rint(side * 32768).astype(np.int64) for side in heard)
    return right * 32768 + left


def pitch_of(sound: NDArray[np.float64], near_hz: float) -> float:
    """The frequency of the strongest partial within 5 % of a guess, in Hz, to a hundredth."""
    sound = sound[len(sound) // 4 :]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 22))
    hz = np.fft.rfftfreq(1 << 22, 1 / RATE)
    close = np.abs(hz / near_hz - 1) < 0.05
    return float(hz[close][np.argmax(spectrum[close])])


PLAY = (
    "await mixer.play(); await until(() => mixer.playing && !mixer.held && !mixer.counting && mixer.position > {at});"
)


async def test_a_loop_goes_from_its_last_frame_to_its_first_and_loses_none(studio: Studio) -> None:
    start, end = 2 * RATE + 1017, 2 * RATE + 1017 + 9_001
    heard = await record(
        studio,
        ["ruler-a"],
        f"mix.set({{ region: {{ start_s: {start / RATE}, end_s: {end / RATE} }}, looping: true }});",
        f"await mixer.seek(2); {PLAY.format(at=2.05)} await after(1.2);",
    )
    frames = frames_of(heard)
    frames = frames[np.flatnonzero(frames > 2 * RATE)[0] + 256 :]
    steps = np.diff(frames)
    assert set(steps.tolist()) == {1, start - (end - 1)}
    assert (steps != 1).sum() >= 4
    assert {int(frame) for frame in frames[:-1][steps != 1]} == {end - 1}


async def test_a_loop_that_is_turned_off_lets_the_song_go_on(studio: Studio) -> None:
    heard = await record(
        studio,
        ["ruler-a"],
        "mix.set({ region: { start_s: 1, end_s: 1.25 }, looping: true });",
        f"await mixer.seek(1); {PLAY.format(at=1.01)} await after(0.4); mix.set({{ looping: false }});"
        "await until(() => mixer.position > 1.4);",
    )
    frames = frames_of(heard)
    assert frames.max() > 1.3 * RATE
    assert (np.diff(frames) < 0).sum() >= 1


async def test_a_muted_part_is_silent_in_its_stem_alone_and_exact_outside(studio: Studio) -> None:
    start, end = 10_000, 20_000
    heard = await record(
        studio,
        ["ruler-a", "ruler-b"],
        f"mix.setStrip('a', {{ mutes: [[{start / RATE}, {end / RATE}]] }});",
        f"{PLAY.format(at=0.6)}",
    )
    left, right = (np.rint(side * 32768).astype(np.int64) for side in heard)
    total = right * 32768 + left  # twice the frame's number; once where one of the two is muted
    first = int(np.flatnonzero(total == 2 * 9000)[0]) - 9000
    for begin, stop in ((9000, start), (end, 21_000)):
        assert (total[first + begin : first + stop] == 2 * np.arange(begin, stop)).all()
    fade = round(RATE / 200)
    assert (total[first + start + fade : first + end - fade] == np.arange(start + fade, end - fade)).all()
    assert np.abs(np.diff(heard[0][first + start - 10 : first + end + 10])).max() < 0.01  # no step


async def test_a_stem_panned_to_the_left_leaves_the_right_and_the_middle_changes_nothing(studio: Studio) -> None:
    during = f"{PLAY.format(at=0.4)}"
    middle = frames_of(await record(studio, ["ruler-a"], "", during))
    assert (np.diff(middle[middle > 256]) == 1).all()
    left, right = await record(studio, ["tone-a"], "mix.setStrip('a', { pan: -1 });", during)
    assert np.abs(left).max() > 0.3
    assert np.abs(right).max() == 0


@pytest.mark.parametrize(("tempo", "semitones"), [(0.8, 0), (1.25, 0), (0.5, 0), (1.5, 0), (1, 12), (1, -5), (0.8, 3)])
async def test_tempo_keeps_the_pitch_and_pitch_keeps_the_tempo(studio: Studio, tempo: float, semitones: int) -> None:
    heard = await record(
        studio,
        ["tone-a"],
        f"mix.set({{ tempo: {tempo}, semitones: {semitones} }});",
        f"""
        {PLAY.format(at=0.3)}
        await dump();
        const told = [];
        (await mixer.node).port.addEventListener("message", ({{ data }}) => told.push(data));
        await after(3);
        const steps = told.slice(1).map((now, i) => (now.frame - told[i].frame) / (now.time - told[i].time) / {RATE});
        window.ratio = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)];
        """,
    )
    expected = 165 * 2 ** (semitones / 12)
    assert pitch_of(heard[0], expected) == pytest.approx(expected, abs=0.5)
    assert await studio.page.evaluate("window.ratio") == pytest.approx(tempo, rel=0.002)
    assert np.abs(heard[0]).max() == pytest.approx(12000 / 32768, rel=0.3)


async def test_at_another_tempo_four_copies_of_one_sound_still_cancel_to_the_last_bit(studio: Studio) -> None:
    loud = await record(studio, ["mix-a", "mix-b", "mix-c", "mix-d"], "mix.set({ tempo: 0.8 });", PLAY.format(at=1))
    assert np.abs(loud[0]).max() > 0.1
    left, right = await record(
        studio,
        ["mix-a", "mix-b", "mix-c", "mix-d"],
        "mix.set({ tempo: 1.25 });",
        TURN
        + """
        await mixer.play();
        await after(1);
        await dump();
        for (let i = 0; i < 20; i++) {
          await mixer.seek((i * 37.3) % 90);
          await until(() => !mixer.held && mixer.position > (i * 37.3) % 90 + 0.02);
        }
        """,
    )
    assert len(left) > RATE // 2
    assert np.abs(left).max() == np.abs(right).max() == 0


async def test_back_at_the_recorded_tempo_the_stretcher_is_out_of_the_way(studio: Studio) -> None:
    heard = await record(
        studio,
        ["ruler-a"],
        "",
        f"mix.set({{ tempo: 0.8 }}); {PLAY.format(at=0.4)} mix.set({{ tempo: 1 }}); await after(0.5); await dump();"
        "await after(0.3);",
    )
    assert (np.diff(frames_of(heard)) == 1).all()


async def test_a_click_begins_on_the_very_frame_of_its_beat_and_the_first_of_a_bar_is_higher(studio: Studio) -> None:
    left, right = await record(
        studio,
        ["marks-a"],
        "mix.set({ click: true, click_db: 0 });",
        GRID + f"mixer.setGrid(beats); await mixer.seek(0.7); {PLAY.format(at=3.2)}",
    )
    marks = np.flatnonzero(np.abs(left - right) > 0.5)
    assert len(marks) >= 2
    for mark in marks[:2]:
        assert np.abs(right[mark - 400 : mark + 1]).max() < 1e-6
        assert abs(right[mark + 1]) > 0.01
    struck = np.flatnonzero(np.abs(right) > 0.01)
    onsets = struck[np.diff(struck, prepend=-RATE) > 5000][:3]  # at 1.0 and 1.5 s, then at 2.0 s: a bar's first
    crossings = [int((np.diff(np.sign(right[onset : onset + 1000])) != 0).sum()) for onset in onsets]
    assert crossings[0] == pytest.approx(2 * 1174.66 * 1000 / RATE, abs=2)
    assert crossings[2] == pytest.approx(2 * 1760 * 1000 / RATE, abs=2)
    assert crossings[1] == crossings[0]


async def test_at_another_tempo_clicks_fall_where_the_song_is_heard(studio: Studio) -> None:
    left, right = await record(
        studio,
        ["marks-a"],
        "mix.set({ click: true, click_db: 0, tempo: 0.8 });",
        GRID + f"mixer.setGrid(beats); await mixer.seek(0.4); {PLAY.format(at=4.2)}",
    )
    song = np.abs(left - right)
    marks = [int(np.argmax(song[i * RATE : (i + 1) * RATE]) + i * RATE) for i in range(len(song) // RATE)]
    strong = [mark for mark in marks if song[mark] > 0.25 * song.max()]
    clicks = np.flatnonzero(np.abs(right) > 0.01)
    apart = [np.abs(clicks - mark).min() / RATE for mark in strong]
    assert len(strong) >= 3
    assert max(apart) < 0.006, apart


async def test_a_bar_is_counted_in_and_the_song_begins_on_its_beat(studio: Studio) -> None:
    left, right = await record(
        studio,
        ["marks-a"],
        "mix.set({ count_in: true });",
        GRID + "mixer.setGrid(beats); await mixer.seek(0.5); await mixer.play(); await until(() => mixer.counting);"
        "await until(() => mixer.position > 1.2 && !mixer.counting);",
    )
    mark = int(np.flatnonzero(np.abs(left - right) > 0.5)[0])
    first = int(np.flatnonzero(np.abs(right) > 0)[0]) - 1
    assert mark - first == 4 * RATE // 2 + RATE // 2
    assert np.abs(right[mark + 1 : mark + 100]).max() == 0  # the click itself is off
