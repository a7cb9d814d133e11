"""The story: what happens next. The room that knows several rooms; pages, API and CLI ask it with ``request_*``."""

from soundforge.engines import DEFAULT_OPTIONS, SeparateOptions
from soundforge.pipeline._batch import ACTIONS, PACKED, BatchAsked, BatchDone, request_batch
from soundforge.pipeline._choices import (
    request_cancel,
    request_fetch,
    request_retry_all,
    request_retry_failed,
    request_source,
)
from soundforge.pipeline._corrections import add_correction, remove_correction, undo_correction
from soundforge.pipeline._cues import add_cue, adopt_cues, change_cue
from soundforge.pipeline._demo import offer_demo
from soundforge.pipeline._files import sweep_prefix
from soundforge.pipeline._housekeeping import open_housekeeping
from soundforge.pipeline._incoming import Upload, open_upload, too_large
from soundforge.pipeline._model_jobs import request_model
from soundforge.pipeline._models import (
    Choice,
    Model,
    change_setting,
    check_model,
    choose,
    list_choices,
    list_models,
)
from soundforge.pipeline._options import QUALITIES
from soundforge.pipeline._parts import (
    KEEP_PARTS,
    PART_BYTES,
    PartialFile,
    begin_upload,
    open_part,
    received_bytes,
    stop_upload,
)
from soundforge.pipeline._paste import Line, Recognised, read_order, recognise, request_paste
from soundforge.pipeline._pcm import PcmCache
from soundforge.pipeline._ports import CpuSlots, Ports, bind
from soundforge.pipeline._readiness import lacking, open_readiness
from soundforge.pipeline._render import RENDERED, request_render
from soundforge.pipeline._requests import (
    check_options,
    request_analysis,
    request_demo,
    request_export,
    request_import,
    request_purge,
    request_separation,
    request_spotify_check,
)
from soundforge.pipeline._song import hash_of, request_missing
from soundforge.pipeline._tools import request_tool
from soundforge.pipeline._trash import request_let_go
from soundforge.pipeline._verify import Finding, verify
from soundforge.pipeline._workers import (
    AnalysisWorker,
    DownloadWorker,
    ExportWorker,
    ImportWorker,
    MaintenanceWorker,
    SeparationWorker,
)
from soundforge.sources import EXTENSIONS, MOST_LETTERS

__all__ = [
    "ACTIONS",
    "DEFAULT_OPTIONS",
    "EXTENSIONS",
    "KEEP_PARTS",
    "MOST_LETTERS",
    "PACKED",
    "PART_BYTES",
    "QUALITIES",
    "RENDERED",
    "AnalysisWorker",
    "BatchAsked",
    "BatchDone",
    "Choice",
    "CpuSlots",
    "DownloadWorker",
    "ExportWorker",
    "Finding",
    "ImportWorker",
    "Line",
    "MaintenanceWorker",
    "Model",
    "PartialFile",
    "PcmCache",
    "Ports",
    "Recognised",
    "SeparateOptions",
    "SeparationWorker",
    "Upload",
    "add_correction",
    "add_cue",
    "adopt_cues",
    "begin_upload",
    "bind",
    "change_cue",
    "change_setting",
    "check_model",
    "check_options",
    "choose",
    "hash_of",
    "lacking",
    "list_choices",
    "list_models",
    "offer_demo",
    "open_housekeeping",
    "open_part",
    "open_readiness",
    "open_upload",
    "read_order",
    "received_bytes",
    "recognise",
    "remove_correction",
    "request_analysis",
    "request_batch",
    "request_cancel",
    "request_demo",
    "request_export",
    "request_fetch",
    "request_import",
    "request_let_go",
    "request_missing",
    "request_model",
    "request_paste",
    "request_purge",
    "request_render",
    "request_retry_all",
    "request_retry_failed",
    "request_separation",
    "request_source",
    "request_spotify_check",
    "request_tool",
    "stop_upload",
    "sweep_prefix",
    "too_large",
    "undo_correction",
    "verify",
]
