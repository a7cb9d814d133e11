"""What can be measured of the looks: contrast of both themes, nothing wider than the screen, targets not too small."""

import itertools
from typing import Any

import pytest

from tests.web.js.conftest import Studio

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

COLOURS = """
  (names) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const probe = document.body.appendChild(document.createElement("i"));
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = getComputedStyle(probe).color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    return Object.fromEntries(names.map((name) => [name, read(name)]));
  }
"""
SURFACES = ("ground", "panel", "raised", "hover", "well", "accent-wash")
INKS = ("text", "muted", "accent", "good", "warn", "bad")
STEMS = tuple(f"stem-{name}" for name in ("mix", "vocals", "drums", "bass", "other", "guitar", "piano"))


def luminance(colour: list[int]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    shares = [part / 255 for part in colour]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[int], other: list[int]) -> float:
    """Contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_text_has_4_5_to_1_and_edges_and_stems_have_3_to_1(studio: Studio, theme: str) -> None:
    page = await studio.open()
    await page.evaluate("(theme) => document.documentElement.dataset.theme = theme", theme)
    colour: dict[str, Any] = await page.evaluate(COLOURS, [*SURFACES, *INKS, *STEMS, "edge", "on-accent", "bad-wash"])
    faint = [
        f"{ink} on {surface}: {contrast(colour[ink], colour[surface]):.2f}"
        for ink, surface in itertools.product(INKS, SURFACES)
        if contrast(colour[ink], colour[surface]) < 4.5
    ]
    faint += [
        f"{line} on {surface}: {contrast(colour[line], colour[surface]):.2f}"
        for line, surface in itertools.product(("edge", *STEMS), ("ground", "panel", "raised", "well"))
        if contrast(colour[line], colour[surface]) < 3
    ]
    for ink, surface in (("on-accent", "accent"), ("on-accent", "warn"), ("text", "bad-wash"), ("bad", "bad-wash")):
        if contrast(colour[ink], colour[surface]) < 4.5:
            faint.append(f"{ink} on {surface}: {contrast(colour[ink], colour[surface]):.2f}")
    assert faint == []


async def test_where_motion_is_reduced_a_colour_counts_at_once(studio: Studio) -> None:
    page = await studio.open()
    await page.emulate_media(reduced_motion="reduce")
    read = await page.evaluate("""
      () => {
        const probe = document.body.appendChild(document.createElement("i"));
        return ["rgb(1, 2, 3)", "rgb(4, 5, 6)"].map((colour) => {
          probe.style.color = colour;
          return getComputedStyle(probe).color;
        });
      }
    """)
    assert read == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"], "a waveform's colour is read like that"


@pytest.mark.parametrize("width", [390, 768, 1440, 2560])
async def test_nothing_is_wider_than_the_screen_and_targets_have_24_pixels(studio: Studio, width: int) -> None:
    await studio.page.set_viewport_size({"width": width, "height": 900})
    page = await studio.open()
    faults = await page.evaluate("""
      () => {
        const shown = [...document.querySelectorAll("body *")]
          .filter((one) => one.checkVisibility({ visibilityProperty: true }));
        const name = (one) => `${one.localName} ${one.getAttribute("class")} ${one.textContent.trim().slice(0, 20)}`;
        const wide = shown.filter((one) => {
          const { left, right, width } = one.getBoundingClientRect();
          return width > 1 && (right > innerWidth + 1 || left < -1) && !one.closest(".unseen, .skip, sf-timeline");
        });
        const small = shown.filter((one) => one.matches("button, summary, select, input:not(.unseen), .button, .nav a"))
          .filter((one) => { const box = one.getBoundingClientRect(); return box.width < 24 || box.height < 20; });
        return [...wide.map((one) => `wide: ${name(one)}`), ...small.map((one) => `small: ${name(one)}`)];
      }
    """)
    assert faults == []
