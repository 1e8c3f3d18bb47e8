"""A folder of captures: each file is there whole or not at all, and none takes the place of another."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from mock_server.webhooks.captures import Capture, written

from .recognising import file_name

MOST_TRIES = 10_000
# File systems that know no hard links, such as a memory card's.
_NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))


class CannotStore(OSError):
    """A capture cannot be written. The message says where and why."""


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """The folder is there afterwards, and can be written to. Raises CannotStore."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except (OSError, ValueError) as error:
            raise CannotStore(f"cannot write to {self.path}: {reason(error)}") from None

    def add(self, capture: Capture, number: int) -> Path:
        """The new file. If there is one of that name already, the next free number is taken.

        Raises CannotStore, and CaptureError for what no file can hold.
        """
        content = written(capture)
        try:
            part = self._part(content)
            try:
                for each in range(number, number + MOST_TRIES):
                    name = file_name(capture.received_at, each, capture.provider, capture.title)
                    with contextlib.suppress(FileExistsError):
                        return _placed(part, self.path / name)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise CannotStore(f"cannot write to {self.path}: {reason(error)}") from None
        raise CannotStore(f"cannot write to {self.path}: all names of that moment are taken")

    def replace(self, path: Path, capture: Capture) -> None:
        """In the place of a file that `add` gave. Raises CannotStore and CaptureError."""
        content = written(capture)
        try:
            part = self._part(content)
            try:
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CannotStore(f"cannot write {path}: {reason(error)}") from None

    def _part(self, content: bytes) -> Path:
        """Nobody but its owner may read it: there may be credentials in it."""
        handle, name = tempfile.mkstemp(dir=self.path, prefix=".capture.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


def _placed(part: Path, path: Path) -> Path:
    """Raises FileExistsError."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        part.replace(path)
    return path


def reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
