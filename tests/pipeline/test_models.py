from collections.abc import Iterator
from pathlib import Path

import pytest

from soundforge import pipeline
from soundforge.engines import ModelStore, Separator, model_store, open_models
from soundforge.engines._dsp import DspSeparator
from soundforge.errors import Invalid
from soundforge.pipeline._models import AUTO
from tests.support.fakes_separator import FakeSeparator
from tests.support.models import put, tiny_store


class Learned(FakeSeparator):
    """An engine that runs those of its models whose files are here."""

    name = "learned"
    label = "Learned separation"

    def models(self) -> tuple[str, ...]:
        known = model_store()
        return tuple(name for name, spec in known.models.items() if self.name in spec.engines and known.is_here(name))


BOTH: dict[str, Separator] = {"learned": Learned(), "dsp": DspSeparator()}
BASIC: dict[str, Separator] = {"dsp": DspSeparator()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    with open_models(tiny_store(tmp_path, "better", "htdemucs")) as opened:
        yield opened


def test_auto_takes_the_best_that_is_here_and_says_why(store: ModelStore) -> None:
    choice = pipeline.choose(AUTO, separators=BOTH)
    assert (choice.engine.name, choice.model) == ("dsp", "dsp")
    assert choice.why == "Htdemucs is not downloaded: basic separation."
    put(store, "htdemucs")
    choice = pipeline.choose(AUTO, separators=BOTH)
    assert (choice.engine.name, choice.model, choice.why) == ("learned", "htdemucs", "It is the best model here.")
    put(store, "better")
    assert pipeline.choose(AUTO, separators=BOTH).model == "better"
    assert pipeline.choose("htdemucs", separators=BOTH).model == "htdemucs"


def test_weights_without_an_engine_are_told_apart_from_no_weights(store: ModelStore) -> None:
    put(store, "better")
    choice = pipeline.choose(AUTO, separators=BASIC)
    assert choice.model == "dsp"
    assert choice.why == "The engine for better (learned) is not installed: basic separation."


@pytest.mark.parametrize(
    ("model", "engine", "code", "said"),
    [
        ("htdemucs", "", "model_not_here", "htdemucs is not downloaded"),
        ("none", "", "unknown_model", "Choose one of: auto, dsp"),
        ("dsp", "learned", "model_not_here", "learned cannot run dsp"),
    ],
)
def test_what_cannot_run_is_refused_in_a_sentence(
    store: ModelStore, model: str, engine: str, code: str, said: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        pipeline.choose(model, engine, separators=BOTH)
    assert refusal.value.code == code
    assert said in refusal.value.sentence


def test_every_model_is_listed_with_what_it_lacks(store: ModelStore) -> None:
    put(store, "better")
    found = {model.name: model for model in pipeline.list_models(BOTH)}
    assert [*found] == ["better", "htdemucs", "dsp"]
    assert (found["better"].engine, found["better"].lack) == ("learned", "")
    assert (found["htdemucs"].engine, found["htdemucs"].lack) == ("", "htdemucs is not downloaded")
    assert [model.name for model in pipeline.list_choices(BOTH)] == ["better", "dsp"]
