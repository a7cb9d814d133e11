"""What people take away: names of files, documents. Pure: frozen values in, text and bytes out."""

from soundforge.formats._analysis import (
    DOCUMENT_KEYS,
    SCHEMA,
    AnalysisSource,
    AnalysisStage,
    analysis_document,
    analysis_json,
)
from soundforge.formats._names import attachment, file_name

__all__ = [
    "DOCUMENT_KEYS",
    "SCHEMA",
    "AnalysisSource",
    "AnalysisStage",
    "analysis_document",
    "analysis_json",
    "attachment",
    "file_name",
]
