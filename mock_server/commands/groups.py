"""What all groups of commands have in common: how they end when something is wrong."""

from __future__ import annotations

import io
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from .client import Unreachable, WrongUse
from .tables import fail

FINDINGS, WRONG_USE, UNREACHABLE = 1, 2, 3


class Commands(TyperGroup):
    """Ends each of its commands with a message and an exit code instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that cannot show a letter gets its number.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except WrongUse as error:
            fail(str(error), WRONG_USE)
        except Unreachable as error:
            fail(str(error), UNREACHABLE)
        except BrokenPipeError:
            # Nobody reads any more; Typer ends quietly.
            raise
        except OSError as error:
            # Else the interpreter would complain again when it closes the stream.
            sys.stdout = None
            fail(f"cannot write to standard output: {error.strerror}", WRONG_USE)


def group(about: str, example: str) -> typer.Typer:
    return typer.Typer(cls=Commands, help=about, epilog=f"Example:  {example}", no_args_is_help=True)
