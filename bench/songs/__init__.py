"""Synthetic songs with exact musical truth, the accuracy benchmark of the analysis.

    python -m bench.songs OUT [--seed 7] [--count 36] [--seconds 48]

Per song `OUT/<id>/{mix,drums,bass,keys,lead}.flac` and `truth.json`. Needs the program `fluidsynth` and the General
MIDI sound fonts FluidR3 and TimGM6mb (Debian: fluidsynth fluid-soundfont-gm timgm6mb-soundfont), for songs in other
sounds also MuseScore General and OPL3 (musescore-general-soundfont-small opl3-soundfont). Song i is drawn from
(seed, i) alone, so the same seed gives the same songs.
"""

from bench.songs._compose import Note, Song, Variation, compose
from bench.songs._render import render
from bench.songs._styles import STYLES

__all__ = ["STYLES", "Note", "Song", "Variation", "compose", "render"]
