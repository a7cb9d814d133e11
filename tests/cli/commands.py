"""The tree of commands, and how a test runs one."""

from collections.abc import Callable, Iterator

from cyclopts import App

from soundforge.cli._main import app

type Command = Callable[..., tuple[int, str, str]]


def leaves(group: App = app, words: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    """Every command with its words, as in "tracks cues add"."""
    for name in (one for one in group if not one.startswith("-")):
        below = [*leaves(group[name], (*words, name))]
        yield from below or [(" ".join((*words, name)), group[name])]


def commands() -> list[str]:
    """The words of every command."""
    return [words for words, _command in leaves()]
