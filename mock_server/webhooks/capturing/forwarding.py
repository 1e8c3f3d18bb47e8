"""Hands a captured request to the application, and takes its answer."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from msgspec import Struct

from mock_server.webhooks.headers import Headers
from mock_server.webhooks.targets import is_this_machine
from mock_server.webhooks.tls import tls_for

from .heads import LARGEST_HEAD, Malformed, RequestHead, answer_head, head_of
from .passing import BaseUrl, passed_back, passed_on, path_at
from .streams import Ended, read_body, read_head

BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504
MOST_INTERIM = 16


class Answered(Struct, frozen=True):
    """What the application said. `headers` as they go back; `had` as they came."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    had: Headers


class Unanswered(Struct, frozen=True):
    """`status` is what the provider is told instead; `explanation` begins with "the application"."""

    status: int
    explanation: str


async def forward(head: RequestHead, body: bytes, target: BaseUrl, seconds: float) -> Answered | Unanswered:
    """One request over one connection of its own, answered within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await _asked(head, body, target)
    except TimeoutError:
        return Unanswered(GATEWAY_TIMEOUT, f"the application at {target.origin} did not answer within {seconds:g} s")
    except Ended:
        why = "closed the connection without a whole answer"
    except Malformed as error:
        why = f"answered what is not HTTP: {error}"
    except ConnectionRefusedError:
        why = "cannot be reached: connection refused"
    except ConnectionResetError:
        why = "reset the connection"
    except ssl.SSLError as error:
        why = f"cannot be reached over TLS: {error.reason or error}"
    except OSError as error:
        why = f"cannot be reached: {_reason(error)}"
    except UnicodeError:
        why = "cannot be reached: its name is none"
    return Unanswered(BAD_GATEWAY, f"the application at {target.origin} {why}")


async def _asked(head: RequestHead, body: bytes, target: BaseUrl) -> Answered:
    reader, writer = await asyncio.open_connection(
        target.host,
        target.port,
        ssl=tls_for(is_this_machine(target.host)) if target.scheme == "https" else None,
        limit=LARGEST_HEAD,
    )
    # An application may answer and close before it has read all, so its answer is awaited beside the writing.
    sending = asyncio.ensure_future(_sent(writer, head, body, target))
    try:
        for _ in range(MOST_INTERIM):
            came = answer_head(await read_head(reader), head.method)
            if came.status >= 200:
                break
            if came.status == 101:
                raise Malformed("it changes to a protocol that nobody asked for")
        else:
            raise Malformed("it announces an answer again and again")
        content = await read_body(reader, came.length)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending
        _hang_up(writer, sending)
    has_body = not (head.method == "HEAD" or came.status in (204, 304))
    back = passed_back(came.headers, len(content), has_body=has_body)
    return Answered(came.status, came.reason, back, content, came.headers)


async def _sent(writer: asyncio.StreamWriter, head: RequestHead, body: bytes, target: BaseUrl) -> None:
    path = path_at(target, head.path)
    if not path.startswith("/"):
        path = f"/{path}"
    writer.write(head_of(f"{head.method} {path} HTTP/1.1", passed_on(head, target, len(body))) + body)
    await writer.drain()


def _hang_up(writer: asyncio.StreamWriter, sending: asyncio.Future[None]) -> None:
    """What was not taken by then is not wanted any more."""
    if sending.done() and not sending.cancelled() and sending.exception() is None:
        writer.close()
    else:
        writer.transport.abort()


def _reason(error: OSError) -> str:
    """With several addresses for a name, each of which refused, asyncio's own text is a list of them."""
    return error.strerror or ("connection refused" if "Connect call failed" in str(error) else str(error))
