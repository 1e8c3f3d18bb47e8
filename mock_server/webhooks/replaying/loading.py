"""The captures that somebody names: files, and folders of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from mock_server.webhooks.captures import Capture, CaptureError, load_capture

MOST_CAPTURES = 100_000
LARGEST_TOTAL = 1024 * 1024 * 1024
"""Bytes of all bodies together: they are kept in memory while they are replayed."""
MOST_COMPLAINTS = 50


class NamedCapture(Struct, frozen=True):
    name: str
    capture: Capture


class UnusableCaptures(ValueError):
    """One or more files cannot be replayed. `complaints`: a line for each, the first MOST_COMPLAINTS of them."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__(f"{len(complaints)} cannot be replayed")
        self.count = len(complaints)
        self.complaints = tuple(complaints[:MOST_COMPLAINTS])


def captures(paths: Sequence[Path]) -> list[NamedCapture]:
    """In the order in which they are named, those of a folder by name. Raises UnusableCaptures, with all that are bad."""
    found: list[NamedCapture] = []
    complaints: list[str] = []
    total = 0
    for path in paths:
        try:
            files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        except OSError as error:
            complaints.append(f"{path}: cannot be read: {error.strerror}")
            continue
        if not files:
            complaints.append(f"{path}: there is no *.json in it")
        for file in files:
            try:
                capture = load_capture(file)
            except CaptureError as error:
                complaints.append(str(error))
                continue
            total += len(capture.body)
            if len(found) == MOST_CAPTURES or total > LARGEST_TOTAL:
                limits = f"{MOST_CAPTURES} captures or {LARGEST_TOTAL // 2**20} MiB of bodies"
                raise UnusableCaptures([*complaints, f"{file}: more than {limits} at once"])
            found.append(NamedCapture(str(file), capture))
    if complaints:
        raise UnusableCaptures(complaints)
    return found
