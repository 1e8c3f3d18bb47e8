"""/_mock/worlds/{world}/requests: what was asked and answered, waited for, and why."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from mock_server.engine.changes import Change
from mock_server.engine.instants import format_instant
from mock_server.http.addressing import unknown_world
from mock_server.http.bodies import disconnected
from mock_server.http.exchange import Call, Refusal, Reply
from mock_server.http.masking import masked_texts
from mock_server.http.mock import MOST_WAITING, Mock
from mock_server.store.journal import Entry, is_cut, sealed
from mock_server.store.worlds import World

from .explaining import changes_of, explanation_of
from .problems import NO_SUCH_REQUEST, TOO_MANY_WAITING
from .snapshots import MOST_LISTED, change_shown
from .worlds import world_of

USUAL_LIMIT = 100
_FILTERS = ("operation", "status", "caller", "problem", "fault", "since")


async def list_requests(call: Call) -> Reply:
    world, query = world_of(call), call.query
    found = matching(world, query)
    if query.get("wait") and len(found) < query.get("at_least", 1):
        await _wait_for(call, world)
        if world.is_gone:  # even if there is another one of that name by now
            raise Refusal(unknown_world(world.name, call.base_url))
        found = matching(world, query)
    return Reply(
        {
            "matched": len(found),
            "cursor": world.journal.cursor,
            "answered": world.journal.closed,
            "dropped": world.journal.dropped,
            "requests": [line(sealed(entry)) for entry in found[: query.get("limit", USUAL_LIMIT)]],
        }
    )


async def clear_requests(call: Call) -> Reply:
    call.mock.worlds.clear_journal(world_of(call))
    return Reply(None, 204)


async def get_request(call: Call) -> Reply:
    world, number = world_of(call), call.path["number"]
    journal = world.journal
    entry = journal.get(number)
    if entry is None:
        raise Refusal(NO_SUCH_REQUEST(world=world.name, number=number, kept=len(journal), answered=journal.closed))
    api = call.mock.apis[entry.api]
    changes = changes_of(entry, api)
    return Reply(
        {
            **line(entry),
            "request": _message(entry.headers, entry.body, entry.body_size),
            "response": _message(entry.answer_headers, entry.answer, entry.answer_size),
            "changes": None if changes is None else [_change(entry, each) for each in changes[:MOST_LISTED]],
            "explanation": _explanation(entry, call.mock, world),
        }
    )


def _change(entry: Entry, change: Change) -> dict[str, Any]:
    shown = change_shown(entry.api, change)
    return shown | {name: masked_texts(entry, shown[name]) for name in ("subject", "id", "text", "fields")}


def _explanation(entry: Entry, mock: Mock, world: World) -> dict[str, Any] | None:
    shown = explanation_of(entry, mock, world)
    if shown is None:
        return None
    return shown | {name: masked_texts(entry, shown[name]) for name in ("rule", "facts", "legal")}


def matching(world: World, query: dict[str, Any]) -> list[Entry]:
    """The entries that pass all the filters, newest first; to be sealed before they are told of.

    A cursor of another world of that name is none.
    """
    since = query.get("since", 0)
    if since > world.journal.cursor:
        since = 0
    newer = takewhile(lambda entry: entry.sequence > since, world.journal.unsealed())
    return [entry for entry in newer if _passes(entry, query)]


def _passes(entry: Entry, query: dict[str, Any]) -> bool:
    status = query.get("status")
    return (
        query.get("operation", entry.operation) == entry.operation
        and query.get("caller", entry.caller) == entry.caller
        and query.get("problem", entry.problem) == entry.problem
        and ("fault" not in query or query["fault"] in entry.faults)
        and (status is None or _is_of(entry.status, status))
    )


def _is_of(status: int, wanted: str) -> bool:
    return str(status // 100) == wanted[0] if wanted.endswith("xx") else str(status) == wanted


async def _wait_for(call: Call, world: World) -> None:
    """Until enough entries match, the world is gone, the time is over, or the client has gone."""
    mock, query = call.mock, call.query
    news, wanted = asyncio.Event(), query.get("at_least", 1)
    with waiting(mock):
        world.listeners = (*world.listeners, news.set)
        ends = [asyncio.ensure_future(each) for each in (mock.sleep(query["wait"]), gone(call))]
        for each in ends:
            each.add_done_callback(lambda _: news.set())
        try:
            counted, seen, journal, cleared = 0, query.get("since", 0), world.journal, world.journal.cleared
            while not (world.is_gone or any(each.done() for each in ends)):
                if journal is not world.journal or cleared != journal.cleared:
                    counted, journal, cleared = 0, world.journal, world.journal.cleared
                # Only what has come since the last look: a busy world would spend its time on those who wait.
                counted, seen = counted + len(matching(world, {**query, "since": seen})), world.journal.cursor
                if counted >= wanted:
                    return
                news.clear()
                await news.wait()
        finally:
            world.listeners = tuple(each for each in world.listeners if each != news.set)
            for each in ends:
                each.cancel()
            await asyncio.wait(ends)


@contextmanager
def waiting(mock: Mock) -> Iterator[None]:
    """One of those that wait for news. Raises Refusal if there are too many."""
    if mock.waiting >= MOST_WAITING:
        raise Refusal(TOO_MANY_WAITING(most=MOST_WAITING))
    mock.waiting += 1
    try:
        yield
    finally:
        mock.waiting -= 1


async def gone(call: Call) -> None:
    """Once the client has gone; never where that cannot be told."""
    if call.receive is None or not await disconnected(call.receive):
        await asyncio.Event().wait()


def line(entry: Entry) -> dict[str, Any]:
    """An entry in one line (control API: JournalLine)."""
    return {
        "number": entry.number,
        "at": format_instant(entry.at),
        "received_at": format_instant(entry.received_at),
        "milliseconds": round(entry.seconds * 1000, 3),
        "api": entry.api,
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "operation": entry.operation,
        "caller": entry.caller,
        "status": entry.status,
        "problem": entry.problem,
        "why": why(entry),
        "faults": list(entry.faults),
        "delivery": entry.delivery,
        "changed": entry.changed,
    }


def why(entry: Entry) -> str | None:
    """A refusal in words."""
    if entry.refusal is None:
        return "The client did not wait for the answer." if entry.delivery == "client_gone" else None
    text: str = masked_texts(entry, _clean(entry.refusal.message)[:2000])
    return text


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _message(headers: Iterable[tuple[bytes, bytes]], body: bytes, size: int) -> dict[str, Any]:
    return {
        "headers": [{"name": name.decode("latin-1"), "value": value.decode("latin-1")} for name, value in headers],
        "body": _body(body, size),
    }


def _body(body: bytes, size: int) -> dict[str, Any]:
    text, cut = None, is_cut(body, size)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        if cut and error.reason == "unexpected end of data":
            text = body[: error.start].decode()  # cut in the middle of a letter
    encoded = None if text is not None else base64.b64encode(body).decode()
    return {"size": size, "text": text if body else None, "base64": encoded, "cut": cut}
