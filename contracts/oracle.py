"""What the contract says should come: an implementation that is known to keep it, asked the same things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .http import Answer, Request


class Twin(Protocol):
    """The oracle's place for one try, the twin of a place on the target.

    `names`: what `{{org}}` and the like stand for here. `credentials`: by role. `now`: microseconds since 1970.
    """

    @property
    def names(self) -> Mapping[str, str]: ...

    @property
    def credentials(self) -> Mapping[str, str]: ...

    @property
    def webhook_secret(self) -> str: ...

    @property
    def now(self) -> int: ...

    def send(self, request: Request) -> Answer: ...

    def move(self, to: int) -> None:
        """Forward to an instant; all that falls due on the way happens."""

    def consume(self, org: str, key: str, amount: int) -> Answer: ...

    def fork(self) -> Twin:
        """Another place that goes on from here, independent of this one."""

    def close(self) -> None: ...


class Oracle(Protocol):
    def twin(self, now: int) -> Twin:
        """A fresh place whose clock stands at an instant."""
