"""The separation models that could run on this machine."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts
from soundforge.engines import SEPARATORS
from soundforge.errors import Invalid

AUTO = "auto"  # the best there is


@dataclass(frozen=True)
class Model:
    """A model that could separate here now."""

    name: str
    engine: str
    label: str
    stems: tuple[str, ...]


def list_models() -> list[Model]:
    """Every model that could run here now, the best first."""
    return [
        Model(name, engine.name, engine.label, engine.stems(name))
        for engine in SEPARATORS.values()
        for name in engine.models()
    ]


def best_model() -> str:
    """The name of the model that "auto" takes."""
    return next((model.name for model in list_models()), AUTO)


def check_model(name: str) -> str:
    """Refuse a model that is not here, before anything is asked for; raises ``Invalid`` ("unknown_model")."""
    names = [AUTO, *(model.name for model in list_models())]
    if name not in names:
        sentence = f"There is no such model here. Choose one of: {', '.join(names)}."
        raise Invalid(sentence, code="unknown_model", fields={"default_model": sentence})
    return name


async def change_setting(session: AsyncSession, user_id: UUID, name: str, value: object) -> None:
    """Change a person's setting; a model must be one that could run here. Raises what ``accounts`` raises, and that."""
    if name == "default_model":
        check_model(str(value))
    await accounts.change_setting(session, user_id, name, value)
