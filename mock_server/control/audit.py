"""/_mock/worlds/{world}/audit: writes whose answers did not reach the client, and what their repetitions did.

A client that did not get an answer cannot know whether the work was done, so it asks again. Of the same request, asked
by the same caller with the same body and the same headers that the operation heeds, all tries belong together up to the
first that was answered in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.http.contract import Operation
from mock_server.http.exchange import Call, Reply
from mock_server.http.masking import masked_texts
from mock_server.http.mock import Mock
from mock_server.store.journal import Entry

from .explaining import changes_of
from .worlds import world_of

IDEMPOTENCY_KEY = "Idempotency-Key"
_SAFE = ("GET", "HEAD", "OPTIONS")
_OF_A_TRY = {b"idempotency-key", b"x-correlation-id"}
"""Headers that may differ from try to try."""
_ENDS = {
    "lost": "answer lost",
    "truncated": "answer cut off",
    "malformed": "answer damaged",
    "replaced": "answer replaced by an error",
    "late": "answer late",
    "repeated": "request repeated",
    "client_gone": "client gone before the answer",
}


async def audit_requests(call: Call) -> Reply:
    world = world_of(call)
    writes = [_audited(call.mock, tries) for tries in _groups(call.mock, list(world.journal))]
    counts = dict.fromkeys(("done_twice", "harmless", "not_repeated"), 0)
    for write in writes:
        counts[write["verdict"]] += 1
    return Reply({**counts, "writes": writes})


def _groups(mock: Mock, entries: list[Entry]) -> Iterator[list[Entry]]:
    """The tries of each write that was in trouble, the first one first."""
    waiting: dict[tuple[Any, ...], list[Entry]] = {}
    groups: list[list[Entry]] = []
    for entry in entries:
        if entry.operation is None or entry.method in _SAFE:
            continue
        identity = _identity(entry, mock.served[entry.api].contract.operations[entry.operation])
        tries = waiting.get(identity)
        if tries is not None:
            tries.append(entry)
        elif _is_in_trouble(entry) and entry.changed:
            tries = waiting[identity] = [entry]
            groups.append(tries)
        if tries is not None and not _is_in_trouble(entry):
            del waiting[identity]
    # That an answer was late matters only where the client did not wait for it.
    return (tries for tries in groups if len(tries) > 1 or tries[0].delivery != "late")


def _identity(entry: Entry, operation: Operation) -> tuple[Any, ...]:
    """What is the same in all tries of a write."""
    heeded = {each.name.lower().encode() for each in operation.parameters if each.place == "header"} - _OF_A_TRY
    headers = frozenset(header for header in entry.headers if header[0] in heeded)
    return entry.caller, entry.asked_by, entry.method, entry.path, entry.query, entry.fingerprint, headers


def _is_in_trouble(entry: Entry) -> bool:
    return entry.delivery != "whole"


def _audited(mock: Mock, tries: list[Entry]) -> dict[str, Any]:
    first, repeats = tries[0], tries[1:]
    served = mock.served[first.api]
    operation = served.contract.operations[first.operation or ""]
    again = [each for each in repeats if each.changed]
    verdict = "done_twice" if again else "harmless" if repeats else "not_repeated"
    key = _key(operation)
    return {
        "number": first.number,
        "operation": operation.id,
        "caller": first.caller,
        "method": first.method,
        "path": first.path,
        "trouble": _trouble(first),
        "verdict": verdict,
        "repeats": [{"number": each.number, "status": each.status, "changed": each.changed} for each in repeats],
        "done": [_done(each, mock) for each in (first, *again)],
        "prevention": _prevention(verdict, key, first),
        "key": key,
    }


def _trouble(entry: Entry) -> str:
    text = _ENDS[entry.delivery]
    if not entry.faults:
        return text
    # What repeats acts first of all, what spoils the answer last.
    return f"{text} by fault {entry.faults[0 if entry.delivery == 'repeated' else -1]}"


def _done(entry: Entry, mock: Mock) -> list[str]:
    changes = changes_of(entry, mock.apis[entry.api])
    if changes is None:
        return ["no longer known"]
    texts: list[str] = masked_texts(entry, [f"{change.subject}: {change.text}"[:2000] for change in changes[:1000]])
    return texts or ["a change that shows nowhere"]


def _key(operation: Operation) -> str | None:
    """What makes the operation recognise a repetition: a header that it declares, or members that the bundle names."""
    if operation.parameter_pointer("header", IDEMPOTENCY_KEY) is not None:
        return IDEMPOTENCY_KEY
    named = operation.raw.get("x-idempotent-by")
    return str(named) if named else None


def _prevention(verdict: str, key: str | None, first: Entry) -> str:
    if verdict == "not_repeated":
        known = f"It recognises repetitions by {key}: ask again." if key else "Read what is there before you ask again."
        return f"The client may not know that the work is done. {known}"
    if verdict == "harmless":
        by = f" by {key}" if key else ""
        return f"Nothing to do: the repetition was recognised{by}, or had nothing left to change."
    if key == IDEMPOTENCY_KEY:
        sent = any(name == IDEMPOTENCY_KEY.lower().encode() for name, _ in first.headers)
        if sent:
            return f"The tries carried different values of {key}: send the same one with each try."
        return f"Send {key}, the same with each try; the operation then does the work once."
    if key is not None:
        return f"Send the same {key} with each try: the operation recognises repetitions by it."
    return "The operation takes no key. Read what is there before you send it again."
