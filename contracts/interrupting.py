"""Ctrl-C: the first ends a run in order, with a report of what it has; the second ends it at once."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

from .http import Allowance

INTERRUPTED = 130


class Interruptible:
    """`with Interruptible(allowance):` around a run. Elsewhere than in the main thread it does nothing."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._before: dict[int, Any] = {}
        self.came = False

    def __enter__(self) -> Interruptible:
        for each in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[each] = signal.signal(each, self._signalled)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            # Whatever hangs would hang in cleaning up, too. What is left is in the journal.
            os.write(2, b"\nmockbill: ended at once\n")
            os._exit(INTERRUPTED)
        self.came = True
        os.write(2, b"\nmockbill: ending with what there is; once more ends at once\n")
        self._allowance.interrupt()
