"""One request on its way to a handler and the answer on its way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive

from mock_server.api import Api, Token
from mock_server.engine.callers import ANONYMOUS, Caller, Rejected
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.instants import Instant
from mock_server.engine.kernel import decide
from mock_server.engine.problems import Problem
from mock_server.engine.world import WorldState
from mock_server.store.journal import Journal
from mock_server.store.worlds import World

if TYPE_CHECKING:
    from .contract import Operation
    from .mock import Mock

R = TypeVar("R")

JSON = "application/json"


class Refusal(Exception):
    """A problem on its way to the client. Only this layer raises it; models return Refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.type.code)
        self.problem = problem


class Reply(msgspec.Struct, frozen=True):
    """What a handler answers. `body` is written as JSON by msgspec; bytes go out as they are."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = JSON

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else msgspec.json.encode(self.body)


class Call:
    """What a handler may use. `path`, `query` and `body` have passed validation; `raw` is the body byte for byte.

    `base_url` is where the client reached this API's mount (origin, world prefix and mount), for links that work.
    """

    __slots__ = (
        "api",
        "base_url",
        "body",
        "caller",
        "headers",
        "identity",
        "journal",
        "mock",
        "now",
        "operation",
        "path",
        "query",
        "query_string",
        "raw",
        "receive",
        "request_id",
        "seen",
        "steps",
        "token",
        "world",
    )

    world: World
    """Set for emulated APIs only; the control API's calls name theirs in the path."""

    def __init__(self, mock: Mock, api: Api, operation: Operation, headers: Headers) -> None:
        self.mock = mock
        self.api = api
        self.operation = operation
        self.headers = headers
        self.path: dict[str, Any] = {}
        self.query: dict[str, Any] = {}
        self.query_string = b""
        self.body: Any = None
        self.raw = b""
        self.receive: Receive | None = None
        """What the client goes on to say, for the control API's calls that wait."""
        self.caller: Caller = ANONYMOUS
        self.identity: Caller | Rejected | None = None
        self.token: Token | Rejected | None = None
        self.base_url = ""
        self.request_id = ""
        self.now: Instant | None = None
        """The world's time when a model was asked."""
        self.journal: Journal | None = None
        """The world's journal at that moment: another one than at the start if the world was reset meanwhile."""
        self.seen: WorldState | None = None
        """The state that was decided upon, once a model was asked."""
        self.steps: list[tuple[WorldState, WorldState]] = []
        """Before and after each change that the call made to its world."""

    def decide(self, function: Callable[[Any, Context], Accepted[Any, R] | Refused]) -> R:
        """Apply a model's decision to the world in one step and give its reply. Raises Refusal."""
        # Only now, because others may have moved the world's time while this request's body came in.
        now = self.mock.now_in(self.world)
        self.now, self.journal = now, self.world.journal
        outcome = self._transact(function, now)
        if isinstance(outcome, Refused):
            raise Refusal(outcome.problem)
        self._note_use(now)
        reply: R = outcome.reply
        return reply

    def view(self, function: Callable[[Any, Context], R | Refused]) -> R:
        """Look at the world as it is, changing nothing. Raises Refusal."""
        now, state = self.mock.now_in(self.world), self.world.state
        self.now, self.seen, self.journal = self.now or now, self.seen or state, self.world.journal
        outcome = function(state.apis[self.api.name], state.context(now))
        if isinstance(outcome, Refused):
            raise Refusal(outcome.problem)
        self._note_use(now)
        return outcome

    def _note_use(self, now: Instant) -> None:
        """Of an API key, once the request has not been refused."""
        used, caller = self.api.key_used, self.caller
        if caller.key is not None and used is not None:
            name = self.api.name
            self.world.transact(lambda state: decide(state, name, lambda domain, it: used(domain, caller, it), now))

    def _transact(self, function: Callable[[Any, Context], Any], now: Instant) -> Any:
        api, before, after = self.api.name, self.world.state, None

        def step(state: WorldState) -> tuple[WorldState, Any]:
            nonlocal before, after
            before = state
            after, outcome = decide(state, api, function, now)
            return after, outcome

        outcome = self.world.transact(step)
        self.seen = self.seen or before
        if after is not None and after is not before:
            self.steps.append((before, after))
        return outcome

    def header_map(self) -> Mapping[str, str]:
        """Lower-case name -> value; of a repeated header the last."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.headers.raw}
