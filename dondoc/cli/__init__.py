"""What can be typed? `dondoc ...`: each command parses, calls one function of the engine, prints.

Only what every command needs is imported here; the rest of the house is imported inside the commands, so that
`dondoc --help` and `dondoc check` answer at once.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from dondoc.cli import (
    acts,
    bring,
    calendars,
    care,
    changes,
    check,
    contacts,
    cycles,
    dates,
    explain,
    letters,
    messages,
    people,
    plans,
    rounds,
    running,
    simulate,
    status,
    units,
    zalo,
)
from dondoc.cli.app import app
from dondoc.cli.trouble import OUTER, of_system
from dondoc.cli.usage import told
from dondoc.cli.words import CommandFailedError, _, lang
from dondoc.i18n import LANGUAGES
from engine.errors import RefusedError

__all__ = [
    "acts",
    "bring",
    "calendars",
    "care",
    "changes",
    "check",
    "contacts",
    "cycles",
    "dates",
    "explain",
    "letters",
    "main",
    "messages",
    "people",
    "plans",
    "rounds",
    "running",
    "simulate",
    "status",
    "units",
    "zalo",
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Its exit code: 0, 1 when it was refused, 2 when it was not understood."""
    given = os.environ.get("DONDOC_LANG", LANGUAGES[0])
    if given not in LANGUAGES:
        return _fail(
            [_("DONDOC_LANG: cần một trong {allowed}, gặp “{got}”", allowed=", ".join(LANGUAGES), got=given)], 2
        )
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(
            [told(error), _("Xem: {command} --help", command=" ".join(["dondoc", *(error.command_chain or ())]))], 2
        )
    except CommandFailedError as error:
        return _fail(error.lines, error.code)
    except RefusedError as error:
        return _fail([error.text(lang())], 1)
    except BrokenPipeError:
        # Whoever read our output has read enough (`dondoc timeline ... | head`); nothing is left to flush at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in OUTER:
            raise
        return _fail(of_system(error), 1)
    return code if isinstance(code, int) else 0


def _fail(lines: Sequence[str], code: int) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return code
