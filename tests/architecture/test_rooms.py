"""Rooms talk through front doors, and each stands somewhere in the house (docs/adr/0001)."""

import ast
import importlib
import inspect
import tomllib

import pytest

from tests.support.source import ROOT, modules, rooms

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
OUTSIDE_WORLD = {"children", "engines", "formats", "http", "sources", "spotify", "storage", "tools"}
RUNNERS_THAT_START_PROGRAMS = {
    "src/soundforge_runners/_fetch_audio.py",  # ffmpeg
    "src/soundforge_runners/install_tool.py",  # uv and pip
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager", "managers", "service"}


def test_a_room_is_entered_through_its_front_door() -> None:
    around = []
    for module in modules("src/soundforge"):
        for line, target, name in module.imports():
            parts = [*target.split("."), *([name] if name else [])]
            private = len(parts) > 2 and any(part.startswith("_") and not part.startswith("__") for part in parts[2:])
            if parts[0] == "soundforge" and private and parts[1] != module.room:
                around.append(f"{module.where}:{line} reaches into {'.'.join(parts)}")
    assert not around, "\n".join(around)


def test_a_file_imports_its_sibling_and_not_its_own_front_door() -> None:
    """`from soundforge.library import x` inside library would be a ring that only the order of lines keeps open."""
    rings = [
        f"{module.where}:{line}"
        for module in modules("src/soundforge")
        for line, target, name in module.imports()
        if target == f"soundforge.{module.room}" and rooms()[module.room].is_dir() and "migrations" not in module.where
        if not (rooms()[module.room] / f"{name}.py").exists()
        and not (rooms()[module.room] / name / "__init__.py").exists()
    ]
    assert not rings, "\n".join(rings)


def test_files_inside_a_room_are_private() -> None:
    """Web's pages and API are read by their own names; migrations are found by alembic."""
    public = [
        module.where
        for module in modules("src/soundforge")
        for inside in [module.path.relative_to(ROOT / "src" / "soundforge").parts[1:]]
        if inside and module.room not in {"web", "cli"} and "migrations" not in inside
        if not inside[-1].startswith("_")
    ]
    assert not public, "\n".join(public)


@pytest.mark.parametrize("room", sorted(name for name, path in rooms().items() if path.is_dir()))
def test_a_front_door_says_what_it_hands_out(room: str) -> None:
    door = importlib.import_module(f"soundforge.{room}")
    assert door.__doc__, f"{room}: say in the front door what the room is for"
    names = getattr(door, "__all__", None)
    assert names is not None, f"{room}: __all__ is missing"
    things = {name: getattr(door, name) for name in names}
    dumb = [n for n, thing in things.items() if inspect.isroutine(thing) or inspect.isclass(thing) if not thing.__doc__]
    assert not dumb, "\n".join(dumb)


def test_every_room_of_the_outside_world_is_kept_from_the_database() -> None:
    contract = next(contract for contract in CONTRACTS if contract["id"] == "outside-world")
    listed = {name.removeprefix("soundforge.") for name in contract["source_modules"]}
    assert listed == OUTSIDE_WORLD & set(rooms())


def test_nothing_has_a_name_that_says_nothing() -> None:
    vague = [module.where for module in modules("src", "tests", "scripts") if module.path.stem.strip("_") in VAGUE]
    assert not vague, "\n".join(vague)


def test_only_the_spawner_and_the_database_start_processes() -> None:
    """Everything else asks `children`, which kills what it started (rule 7); a runner's programs die with its group."""
    starters = {"os.fork", "os.system", "os.posix_spawn", "os.spawnv", "os.execv", "os.popen", "pty.fork"}
    found = []
    for module in modules("src"):
        if module.room in {"children", "db"} or module.where in RUNNERS_THAT_START_PROGRAMS:
            continue
        imported = [line for line, target, _ in module.imports() if target in {"subprocess", "multiprocessing", "pty"}]
        called = [c.lineno for c, name in module.calls() if name in starters or "create_subprocess" in name]
        found += [f"{module.where}:{line}" for line in sorted({*imported, *called})]
    assert not found, "\n".join(found)


def test_what_runs_beside_torch_is_python_3_11() -> None:
    """Torch's environment may have that one; `make check` reads with our own, newer Python."""
    known, left = set[str](), {"soundforge_runners.separate_demucs"}
    while left:
        known.add(name := left.pop())
        file = ROOT / "src" / f"{name.replace('.', '/')}.py"
        tree = ast.parse(file.read_text("utf-8"), str(file), feature_version=(3, 11))
        targets = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        left |= {target for target in targets if target.startswith("soundforge_runners.")} - known
    assert "soundforge_runners._peaks" in known
