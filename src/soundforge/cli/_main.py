"""The entry: what the commands are, and what an error becomes on a terminal."""

import logging
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError
from pydantic import ValidationError

from soundforge import __version__, logs
from soundforge.cli import _audio, _demo, _forge, _instance, _library, _models, _queues, _serve, _sources, _tools
from soundforge.cli._output import say_error, say_line, set_up_output
from soundforge.errors import Broken, Rejected, SoundForgeError, Unavailable

# By who must act, as in the HTTP edge.
EXIT_CODES: dict[type[SoundForgeError], int] = {Rejected: 2, Unavailable: 4, Broken: 1, SoundForgeError: 1}

app = App(name="soundforge", help="Songs in; stems, tempo, key and a mixer out.", version=__version__)
for group in (_serve, _forge, _audio, _sources, _library, _instance, _models, _queues, _tools, _demo):
    group.add_to(app)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run one command; an error of ours is one sentence on stderr and an exit code by its family."""
    set_up_output()
    logs.set_up(level=logging.WARNING)  # ``serve`` and ``work`` tell more
    try:
        code = app(argv, exit_on_error=False, result_action="return_value")
    except SoundForgeError as error:
        say_error(error)
        sys.exit(exit_code(error))
    except ValidationError as error:
        say_line(_bad_setting(error))
        sys.exit(2)
    except OSError as error:
        say_line(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        sys.exit(1)
    except CycloptsError:  # it has told already what is wrong with the command line
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _bad_setting(error: ValidationError) -> str:
    """The first setting that cannot be: its name in the environment, and why."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    name = name if name.isupper() else f"SOUNDFORGE_{name.upper()}"
    why = first["msg"].removeprefix("Value error, ")
    return f"{name} cannot be {first.get('input')!r}: {why}."


def exit_code(error: SoundForgeError) -> int:
    """The exit code of the nearest family."""
    return next(EXIT_CODES[family] for family in type(error).__mro__ if family in EXIT_CODES)


if __name__ == "__main__":
    main()
