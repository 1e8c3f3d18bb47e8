"""Refusals that leave a trace: the answer says that nothing happened, and something did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.engine.decisions import Accepted, Context
from mock_server.engine.kernel import decide
from mock_server.engine.problems import Problem, ProblemType
from mock_server.http.exchange import Call, Refusal

from .mutant import Install, patched

Then = Callable[[Call, Any, Context, Problem], Accepted[Any, Any]]


def despite(problem: ProblemType, then: Then) -> Install:
    """What `then` decides happens after every refusal with `problem`."""

    def make(real: Any) -> Any:
        def faulty(self: Call, function: Any) -> Any:
            try:
                return real(self, function)
            except Refusal as refusal:
                refused = refusal.problem
                if refused.type is problem:
                    carry_out(self, lambda state, it: then(self, state, it, refused))
                raise

        return faulty

    return patched(Call, "decide", make)


def carry_out(call: Call, function: Any) -> None:
    """Something decided in the world of a request, whatever becomes of the request."""
    now = call.mock.now_in(call.world)
    call.world.transact(lambda state: decide(state, call.api.name, function, now))
