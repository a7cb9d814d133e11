"""How a separation is asked for on the command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from soundforge.config import Settings
from soundforge.engines import DEFAULT_OPTIONS, ModelStore, SeparateOptions, open_models
from soundforge.errors import Invalid
from soundforge.tools import Tools

_REGION = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


@Parameter(name="*")
@dataclass(frozen=True)
class Wanted:
    """The options of ``separate`` and ``tracks separate``."""

    model: Annotated[str, Parameter(help='The model; "auto" takes the best that is here.')] = "auto"
    stems: Annotated[str, Parameter(help="Only these stems, e.g. vocals,drums; they do not sum to the song.")] = ""
    two_stem: Annotated[str, Parameter(help="This stem and the rest of the song, e.g. vocals.")] = ""
    raw: Annotated[bool, Parameter(help='Keep the model\'s own "other", not one that closes the sum.')] = False
    overlap: Annotated[float, Parameter(help="Share of each segment that the next one covers again, 0 to 0.9.")] = (
        DEFAULT_OPTIONS.overlap
    )
    shifts: Annotated[int, Parameter(help="How often to separate, shifted, for the average, 0 to 10.")] = (
        DEFAULT_OPTIONS.shifts
    )
    region: Annotated[str, Parameter(help="Only this part, in seconds, e.g. 60-90.")] = ""
    precision: Annotated[str, Parameter(help="float32, or bfloat16 where the processor computes with it.")] = (
        DEFAULT_OPTIONS.precision
    )

    def options(self) -> SeparateOptions:
        """The same as an engine takes it; raises Invalid (``bad_region``)."""
        return SeparateOptions(
            stems=tuple(name.strip() for name in self.stems.split(",") if name.strip()),
            two_stem=self.two_stem,
            raw=self.raw,
            region_s=_region(self.region),
            overlap=self.overlap,
            shifts=self.shifts,
            precision=self.precision,
        )


USUAL = Wanted()


@contextmanager
def open_local_models(settings: Settings | None = None) -> Iterator[ModelStore]:
    """The models of this machine, for a command that opens no database."""
    chosen = settings or Settings()
    models = ModelStore(chosen.models_folder, offline=chosen.offline_models)
    with open_models(models, Tools(chosen.tools_folder)) as store:
        yield store


def _region(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    found = _REGION.fullmatch(text)
    if found is None:
        raise Invalid("A region is a beginning and an end in seconds, like 60-90.", code="bad_region")
    return float(found[1]), float(found[2])
