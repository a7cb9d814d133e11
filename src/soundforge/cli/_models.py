"""``models``: what separates, what of it is here; no database is touched (ADR 0011)."""

from cyclopts import App

from soundforge import pipeline
from soundforge.cli._foreground import bar, run_foreground
from soundforge.cli._output import say, say_json, say_table
from soundforge.cli._separation import open_local_models
from soundforge.config import Settings
from soundforge.engines import ModelHub
from soundforge.views import plain

models = App(name="models", help="Separation models.")


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(models)


@models.command(name="list")
def list_models(*, json: bool = False) -> int:
    """List every model, the better ones first, and what of it is here."""
    with open_local_models():
        found = pipeline.list_models()
    if json:
        say_json([plain(model) for model in found])
        return 0
    rows = []
    for model in found:
        here = f"yes, by {model.engine}" if model.engine else model.lack
        size = f"{model.size_mb} MB" if model.size_mb else "built in"
        commercial = "yes" if model.may_sell else "unclear"
        rows.append((model.name, here, " ".join(model.stems), size, commercial, model.label))
    say_table(("model", "here", "stems", "size", "commercial use", "label"), rows)
    return 0


@models.command
def pull(model: str, *, json: bool = False) -> int:
    """Download a model and check it; what is here already stays, and what was cut off is gone on with.

    Parameters
    ----------
    model
        The model, e.g. "htdemucs".
    json
        Print what came as JSON.

    """
    settings = Settings()
    with open_local_models(settings) as store:
        spec = store.spec(model)
        with bar(f"Downloading {model}") as show:
            size = run_foreground(ModelHub(settings.model_hub, store).pull(model, on_progress=show))
    if json:
        say_json({"model": model, "bytes": size})
        return 0
    say(f"{spec.label} ({model}) is here; {size / 1e6:.0f} MB came.")
    if not spec.may_sell:
        say(spec.licence)
    return 0


@models.command
def remove(model: str, *, json: bool = False) -> int:
    """Remove a model that was downloaded."""
    with open_local_models() as store:
        size = store.remove(model)
    say_json({"model": model, "bytes": size}) if json else say(f"{size / 1e6:.0f} MB are free again.")
    return 0
