"""The last step of an answer: sent whole, cut off, or not at all, with the connection closed."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from .answers import Answer

HANG_UP = "mockbill.hang_up"
"""In a scope's `extensions`: closes the request's connection; called with whether to reset it."""


class ConnectionLost(ConnectionError):
    """A fault has lost the answer, and there is no connection to close: the app was called in process."""


async def deliver(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Raises ConnectionLost where a connection would have been closed, but there is none."""
    is_head = scope["method"] == "HEAD"
    if answer.hang_up is None:
        await answer.send(send, is_head=is_head)
        return
    if answer.keep is not None and answer.body and not is_head:
        length = (b"content-length", str(len(answer.body)).encode())
        start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]}
        await send(start)
        kept = answer.body[: min(answer.keep, len(answer.body) - 1)]
        await send({"type": "http.response.body", "body": kept, "more_body": True})
    hang_up: Callable[[bool], None] | None = scope.get("extensions", {}).get(HANG_UP)
    if hang_up is None:
        raise ConnectionLost(f"the answer to {scope['method']} was lost by a fault")
    hang_up(answer.hang_up == "reset")
