"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .client import LARGEST, WrongUse
from .tables import say_file

STANDARD = "-"


def write(target: str, content: bytes) -> None:
    """To the file of that name, or to standard output if it is `-`."""
    if target == STANDARD:
        say_file(content)
        return
    try:
        _replace(Path(target).resolve(), content)
    except (OSError, RuntimeError) as error:
        raise WrongUse(f"cannot write {target}: {_reason(error)}") from None


def read(source: str, most: int = LARGEST) -> bytes:
    """From the file of that name, or from standard input if it is `-`; no more than so many bytes."""
    try:
        if source == STANDARD:
            raw = sys.stdin.buffer.read(most + 1)
        else:
            with Path(source).open("rb") as file:
                raw = file.read(most + 1)
    except OSError as error:
        raise WrongUse(f"cannot read {source}: {_reason(error)}") from None
    if len(raw) > most:
        raise WrongUse(f"{source} has more than {most:,} bytes, which is more than is read")
    return raw


def _replace(target: Path, content: bytes) -> None:
    if target.exists() and not target.is_file():
        # A device or a pipe must stay one; a folder refuses by itself.
        target.write_bytes(content)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
