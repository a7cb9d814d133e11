"""How candidates are judged. Runs in the tool's own environment, where rapidfuzz is."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.require import tool_python

pytestmark = [pytest.mark.engines, pytest.mark.needs("downloader")]
SRC = Path(__file__).resolve().parents[2] / "src"
SONG = {"title": "Harbour Lights", "artists": ["Ann Lee", "Ben"], "duration_s": 200.0}
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from soundforge_runners._fetch_match import score
print(json.dumps([score(*case) for case in json.load(sys.stdin)]))
"""
CASES = [
    ("Ann Lee - Harbour Lights", "Ann Lee", 200, "sure"),
    ("Harbour Lights", "Ann Lee - Topic", 201, "sure"),
    ("Ann Lee - Harbour Lights (Official Video)", "AnnLeeVEVO", 203, "sure"),
    ("Ann Lee & Ben - Harbour Lights [Lyrics]", "lyrics4u", 199, "sure"),
    ("ANN LEE – HARBOUR LIGHTS", "somebody", 200, "sure"),
    ("Ann Lee - Harbour Lights", "Ann Lee", None, "likely"),
    ("Ann Lee - Harbour Lights (Live)", "Ann Lee", 200, "not sure"),
    ("Ann Lee - Harbour Lights (Karaoke Cover)", "Sing Along", 200, "not sure"),
    ("Ann Lee - Harbour Lights 1 hour loop", "Loops", 3600, "no"),
    ("Ann Lee - Harbour Lights (slowed + reverb)", "x", 230, "no"),
    ("Quite another thing", "Ann Lee", 200, "no"),
    ("Harbour Lights", "The Platters", 200, "no"),
]
BANDS = {"sure": (80, 100), "likely": (60, 79.9), "not sure": (0, 79.9), "no": (0, 59.9)}


def test_candidates_fall_into_the_bands_that_decide() -> None:
    cases = [(SONG, title, channel, seconds) for title, channel, seconds, _ in CASES]
    said = subprocess.run(
        [str(tool_python("downloader")), "-c", CODE, str(SRC)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    wrong = [
        (title, value)
        for (title, _, _, band), value in zip(CASES, json.loads(said), strict=True)
        if not BANDS[band][0] <= value <= BANDS[band][1]
    ]
    assert wrong == []
