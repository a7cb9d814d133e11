"""Which model separates: what there is, what is here, which one "auto" takes and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.engines import SEPARATORS, ModelSpec, Separator, model_store
from soundforge.errors import Invalid

AUTO = "auto"  # the best there is
USUAL = "htdemucs"  # whose absence is told where there is no learned model at all
_MB = 1e6


@dataclass(frozen=True)
class Model:
    """A model as people see it. ``lack`` says in a sentence why it cannot run here; empty: it can, by ``engine``.

    ``precisions`` are the number formats that its engine can work in here. ``size_mb`` is what there is to download in
    all, ``part_mb`` what has come of it; ``is_here``: its files are; ``is_ours``: the studio pulled them, and may
    remove them.
    """

    name: str
    label: str
    stems: tuple[str, ...]
    engine: str
    engines: tuple[str, ...]
    precisions: tuple[str, ...]
    is_here: bool
    is_ours: bool
    lack: str
    size_mb: int
    part_mb: int
    licence: str
    may_sell: bool
    source: str


@dataclass(frozen=True)
class Choice:
    """What runs: an engine, one of its models, and why these."""

    engine: Separator
    model: str
    why: str


def list_models(separators: Mapping[str, Separator] = SEPARATORS) -> list[Model]:
    """Every model there is, the better ones first; also those that are not here."""
    store = model_store()
    models = []
    for spec in store.models.values():
        engine = next((name for name in spec.engines if spec.name in _runs(separators, name)), "")
        models.append(
            Model(
                name=spec.name,
                label=spec.label,
                stems=spec.stems,
                engine=engine,
                engines=spec.engines,
                precisions=separators[engine].precisions() if engine else (),
                is_here=store.is_here(spec.name),
                is_ours=store.is_pulled(spec.name),
                lack="" if engine else _lack(spec),
                size_mb=spec.about_mb,
                part_mb=round(store.part_bytes(spec.name) / _MB),
                licence=spec.licence,
                may_sell=spec.may_sell,
                source=spec.repo,
            )
        )
    return models


def list_choices(separators: Mapping[str, Separator] = SEPARATORS) -> list[Model]:
    """The models that could run here now, the better ones first."""
    return [model for model in list_models(separators) if model.engine]


def choose(model: str, engine: str = "", *, separators: Mapping[str, Separator] = SEPARATORS) -> Choice:
    """Choose what runs for a model's name or "auto", by a certain engine where one is named.

    Raises Invalid (``unknown_model`` for a name that is none, ``model_not_here`` for one that cannot run).
    """
    found = [one for one in _candidates(separators) if model in (AUTO, one[1]) and engine in ("", one[0].name)]
    if found:
        best, name = found[0]
        return Choice(best, name, _why(name) if model == AUTO else "It was asked for.")
    raise _refusal(model, engine, [name for _, name in _candidates(separators)])


def best_model() -> str:
    """The name of the model that "auto" takes."""
    return choose(AUTO).model


def check_model(name: str) -> str:
    """Refuse a model that cannot run here, before anything is asked for; raises what ``choose`` raises."""
    if name != AUTO:
        choose(name)
    return name


async def change_setting(session: AsyncSession, user_id: UUID, name: str, value: object) -> None:
    """Change a person's setting; a model must be one that could run here. Raises what ``accounts`` raises, and that."""
    if name == "default_model":
        check_model(str(value))
    await accounts.change_setting(session, user_id, name, value)


def _candidates(separators: Mapping[str, Separator]) -> Iterator[tuple[Separator, str]]:
    """Every engine and model that could run, the better models first, each by the engine to prefer."""
    known = model_store().models
    names = dict.fromkeys(name for engine in separators.values() for name in engine.models())
    order = [name for name in names if name not in known] + [name for name in known if name in names]
    for name in order:
        for engine in known[name].engines if name in known else separators:
            if name in _runs(separators, engine):
                yield separators[engine], name


def _runs(separators: Mapping[str, Separator], engine: str) -> tuple[str, ...]:
    return separators[engine].models() if engine in separators else ()


def _lack(spec: ModelSpec) -> str:
    """Why a model cannot run here."""
    if not model_store().is_here(spec.name):
        return f"{spec.name} is not downloaded"
    return f"the engine for {spec.name} ({' or '.join(spec.engines)}) is not installed"


def _why(name: str) -> str:
    """Why "auto" came to this model: what would be better and what it lacks, where nothing learned is here."""
    known = model_store().models
    if name not in known or known[name].files:
        return "It is the best model here."
    without = [spec for spec in known.values() if spec.files and model_store().is_here(spec.name)]
    usual = [known[USUAL]] if USUAL in known else []
    lacks = [_lack(spec) for spec in (*without, *usual)]
    return f"{lacks[0][0].upper()}{lacks[0][1:]}: {known[name].label.lower()}." if lacks else "It is the only one here."


def _refusal(model: str, engine: str, names: list[str]) -> Invalid:
    known = model_store().models
    if model in known:
        lack = _lack(known[model]) if not engine else f"{engine} cannot run {model} here"
        sentence = f"This cannot be separated by {model}: {lack}. Here now: {', '.join(dict.fromkeys(names))}."
        return Invalid(sentence, code="model_not_here", fields={"default_model": sentence})
    sentence = f"There is no such model. Choose one of: {', '.join((AUTO, *dict.fromkeys(names)))}."
    return Invalid(sentence, code="unknown_model", fields={"default_model": sentence})
