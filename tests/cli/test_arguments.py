"""Arguments that make no sense, for every command there is; and lists that are read page by page."""

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from cyclopts import App

from soundforge import accounts
from soundforge.db import open_database, transaction
from tests.cli.commands import Command, leaves
from tests.support.factories import add_many_songs

WORDS = {UUID: "0193c3a1-7f7e-4c0e-9d57-6a1f5a3c2b10", Path: "nowhere.wav", float: "1", int: "1", str: "x"}
BAD = {UUID: ["no-uuid", ""], int: ["x", ""], float: ["x", ""], "limit": ["0", "-5", "501", "x"]}
NAMED = ("tracks artists", "tracks albums")  # their places are names, so any text is one
OF_DATABASE = {"after": ["gibberish"], "user": ["nobody"]}  # refused once the database is there


def parameters(command: App) -> list[inspect.Parameter]:
    assert command.default_command
    return [*inspect.signature(command.default_command).parameters.values()]


def option(one: inspect.Parameter, value: str) -> list[str]:
    if one.kind is inspect.Parameter.KEYWORD_ONLY:
        return [f"--{one.name.replace('_', '-')}={value}"]
    return [value]


def usual(one: inspect.Parameter) -> list[str]:
    """What a command needs of a parameter to go on to its work."""
    if one.default is not inspect.Parameter.empty and one.kind is not inspect.Parameter.VAR_POSITIONAL:
        return []
    kind = one.annotation
    return option(one, get_args(kind)[0] if get_args(kind) else WORDS[kind])


def faults(words: str, command: App, bad: dict[Any, list[str]]) -> Iterator[list[str]]:
    """Command lines of one command, each with one fault."""
    taken = parameters(command)
    for one in taken:
        if one.name == "after" and words in NAMED:
            continue
        kinds = (one.name, one.annotation, *get_args(one.annotation))
        for value in next((bad[kind] for kind in kinds if kind in bad), ()):
            line = [word for other in taken for word in (option(one, value) if other is one else usual(other))]
            yield [*words.split(), *line]


def said(run: Command, words: list[str]) -> str:
    code, out, err = run(*words)
    assert (code, out) == (2, ""), out + err
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(("words", "command"), [pytest.param(*each, id=each[0]) for each in leaves()])
def test_what_cannot_be_read_is_refused_by_every_command_before_it_begins(
    run_bare: Command, words: str, command: App
) -> None:
    for line in faults(words, command, BAD):
        assert "Invalid value" in said(run_bare, line)


def test_an_unknown_user_and_a_damaged_place_are_refused_by_every_command_in_one_line(run: Command) -> None:
    for words, command in leaves():
        for line in faults(words, command, OF_DATABASE):
            assert said(run, line).count("\n") == 1, line


async def add_songs(dsn: str, how_many: int) -> None:
    async with open_database(dsn), transaction() as session:
        owner = await accounts.ensure_owner(session)
        await add_many_songs(session, owner.id, how_many)


def test_a_list_that_goes_on_says_so_and_is_gone_on_with_from_there(run: Command, dsn: str) -> None:
    asyncio.run(add_songs(dsn, 7))
    seen: list[str] = []
    more: list[str] = []
    for _page in range(3):
        code, out, err = run("tracks", "list", "--limit", "3", *more)
        assert code == 0, err
        seen += [line.split("\t")[0] for line in out.splitlines()]
        more = err.strip().removeprefix("… more: ").split()
    assert (len(set(seen)), more) == (7, [])
    document = json.loads(run("tracks", "list", "--limit", "3", "--json")[1])
    assert [
        row["id"] for row in json.loads(run("tracks", "list", "--after", document["next"], "--json")[1])["rows"]
    ] == (seen[3:])
