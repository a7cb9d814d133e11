"""The entry: what the commands are, and what an error becomes on a terminal."""

import logging
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

from soundforge import __version__, logs
from soundforge.cli import _audio, _demo, _forge, _instance, _library, _serve
from soundforge.cli._output import say_error
from soundforge.errors import Broken, Rejected, SoundForgeError, Unavailable

# By who must act, as in the HTTP edge.
EXIT_CODES: dict[type[SoundForgeError], int] = {Rejected: 2, Unavailable: 4, Broken: 1, SoundForgeError: 1}

app = App(name="soundforge", help="Songs in; stems, tempo, key and a mixer out.", version=__version__)
for group in (_serve, _forge, _audio, _library, _instance, _demo):
    group.add_to(app)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run one command; an error of ours is one sentence on stderr and an exit code by its family."""
    logs.set_up(level=logging.WARNING)
    try:
        code = app(argv, exit_on_error=False, result_action="return_value")
    except SoundForgeError as error:
        say_error(error)
        sys.exit(exit_code(error))
    except CycloptsError:  # it has told already what is wrong with the command line
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def exit_code(error: SoundForgeError) -> int:
    """The exit code of the nearest family."""
    return next(EXIT_CODES[family] for family in type(error).__mro__ if family in EXIT_CODES)


if __name__ == "__main__":
    main()
