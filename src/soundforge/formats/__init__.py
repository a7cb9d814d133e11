"""What people take away: names of files, documents. Pure: frozen values in, text and bytes out."""

from soundforge.formats._analysis import (
    DOCUMENT_KEYS,
    SCHEMA,
    AnalysisSource,
    AnalysisStage,
    analysis_document,
    analysis_json,
)
from soundforge.formats._corrections import (
    CORRECTABLE,
    Correction,
    corrected,
    found_value,
)
from soundforge.formats._cue_points import FoundCue, beats_on, found_cues, has_grid, on_beat
from soundforge.formats._keys import KEYS, Key, mixing_keys, read_key
from soundforge.formats._likeness import vector_at
from soundforge.formats._names import attachment, file_name
from soundforge.formats._sections import SECTION_NAMES
from soundforge.formats._sketch import Measure, Passage, Sketch, sketch
from soundforge.formats._vocals import sung_share
from soundforge.formats._wishes import METERS, read_correction

__all__ = [
    "CORRECTABLE",
    "DOCUMENT_KEYS",
    "KEYS",
    "METERS",
    "SCHEMA",
    "SECTION_NAMES",
    "AnalysisSource",
    "AnalysisStage",
    "Correction",
    "FoundCue",
    "Key",
    "Measure",
    "Passage",
    "Sketch",
    "analysis_document",
    "analysis_json",
    "attachment",
    "beats_on",
    "corrected",
    "file_name",
    "found_cues",
    "found_value",
    "has_grid",
    "mixing_keys",
    "on_beat",
    "read_correction",
    "read_key",
    "sketch",
    "sung_share",
    "vector_at",
]
