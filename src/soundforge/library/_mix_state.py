"""What a saved mix says: the shape that pages, API and renderer share. ``static/js/mix.js`` makes it."""

from collections.abc import Collection
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

SILENT_DB = -36.0  # a fader at its lower end is shut
type Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
type StemName = Annotated[str, Field(pattern="^[a-z_]{1,20}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(_Strict):
    """A part of a track."""

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.end_s <= self.start_s:
            msg = "a region ends after it starts"
            raise ValueError(msg)
        return self


class StripState(_Strict):
    """One stem: fader in dB, place from -1 (left) to 1, muted, soloed, and where it is silent, in order and apart."""

    db: float = Field(default=0, ge=SILENT_DB, le=6)
    pan: float = Field(default=0, ge=-1, le=1)
    muted: bool = False
    soloed: bool = False
    mutes: list[tuple[Seconds, Seconds]] = Field(default_factory=list, max_length=64)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        edges = [edge for region in self.mutes for edge in region]
        if edges != sorted(edges) or any(start == end for start, end in self.mutes):
            msg = "muted regions lie in order and apart from each other"
            raise ValueError(msg)
        return self


class MixState(_Strict):
    """How a track is mixed. ``tempo`` 1 is as recorded; ``stems_job`` the separation it was made with."""

    version: Literal[1] = 1
    stems_job: UUID | None = None
    strips: dict[StemName, StripState] = Field(default_factory=dict, max_length=12)
    tempo: float = Field(default=1, ge=0.5, le=1.5)
    semitones: int = Field(default=0, ge=-12, le=12)
    region: Region | None = None
    looping: bool = False
    click: bool = False
    click_db: float = Field(default=-6, ge=SILENT_DB, le=6)
    count_in: bool = False

    def strip(self, name: str) -> StripState:
        """The state of a stem; what nobody touched is as recorded."""
        return self.strips.get(name, StripState())

    def gains(self, name: str, names: Collection[str], gain_db: float) -> tuple[float, float]:
        """Linear gains, left and right, of one of the stems that play; ``gain_db`` was put on it. As in ``mix.js``."""
        strip = self.strip(name)
        soloed = any(self.strip(other).soloed for other in names)
        if strip.muted or (soloed and not strip.soloed) or strip.db <= SILENT_DB:
            return 0.0, 0.0
        gain = float(10 ** ((strip.db - gain_db) / 20))
        return gain * min(1.0, 1 - strip.pan), gain * min(1.0, 1 + strip.pan)
