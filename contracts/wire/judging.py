"""What a law of the wire family does with a request: send it to both sides, or to the target alone, and judge the answer.

A finding is made small before it is kept: first the body, then the steps that led to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contracts.bench import Bench, NotVerified
from contracts.broken import Broken, shown
from contracts.bundle import Operation, place_of
from contracts.http import Answer, NoAnswer, NotAllowed, Request
from contracts.openapp.fuzzing import is_masked
from contracts.places import Place
from contracts.shrinking import Numbered
from contracts.steps import Call, Unresolved, text_of

from .room import Room, Unavailable
from .verdicts import Verdicts

MOST_REDUCTIONS = 60
MOST_SPOILS = 5
"""So often an operation may leave the target elsewhere than the oracle before it is left alone."""
MOST_NAMED = 6
LONGEST_KEPT = 12
"""Texts up to this length are not made shorter."""


class Spoiled(Exception):
    """The target is no longer where the oracle is; another room is needed."""


def in_rooms(bench: Bench, tries: list[Callable[[Room], None]]) -> None:
    """Each try in a room; in another one after a finding that may have changed something.

    Raises NotVerified if the target does not allow any of them.
    """
    verdicts, spoils = Verdicts(bench.bundle), Counter[str]()
    left = list(reversed(tries))
    refused: list[NotAllowed] = []
    while left:
        with bench.case() as case:
            room = Room(bench, case, verdicts, spoils)
            while left:
                try:
                    left.pop()(room)
                except Unavailable:
                    pass
                except NotAllowed as no:
                    refused.append(no)
                except (Spoiled, Broken):
                    break  # where it was on the way to what was to be tried, wire.responses says so
                finally:
                    room.tidy()
    if refused and len(refused) == len(tries):
        raise NotVerified(f"needs more than may = {bench.target.may!r}: {refused[0]}")


def compared(room: Room, call: Call, *, succeeds: bool = False) -> Answer | None:
    """Send a call to both sides, and give the oracle's answer if they agree. A finding is made smaller and kept.

    `succeeds`: it has to; where not even the oracle lets it, nothing is learnt of what lies behind. Raises Spoiled.
    """
    case = room.case
    if "{{" in text_of([call.path, call.query, call.headers]) or room.spoils[call.operation] >= MOST_SPOILS:
        return None
    try:
        expected = case.do(call)
    except Broken as broken:
        is_known = room.bench.knows(broken)
        if not is_known:
            _keep_small(room, broken)  # which tries it again and again
        if not is_known or _changed_something(broken):
            room.spoils[call.operation] += 1
            raise Spoiled from None
        return None
    if succeeds and expected.status >= 400:
        room.bench.book.seen(case.bundle[call.operation], expected.status, verified=False, masked=True)
    return expected


def _changed_something(broken: Broken) -> bool:
    """Whether either side may have done what was asked for."""
    is_refused = broken.status is not None and broken.status >= 400
    return not is_refused or (broken.kind == "status" and not broken.expected.startswith("status 4"))


def _keep_small(room: Room, broken: Broken) -> None:
    bench, case = room.bench, room.case
    *earlier, (number, last) = case.numbered
    shown_so_far = list(case.shown)
    calls = [last]
    if isinstance(last, Call) and last.json is not msgspec.UNSET:
        calls.insert(0, _reduced(room, last, broken))
    case.numbered[:] = next(
        (way for way in _ways(earlier, number, calls) if _shows(bench, way, broken)), [*earlier, (number, last)]
    )
    case.shown[:] = shown_so_far
    bench.keep(broken, case)


def _ways(earlier: Sequence[Numbered], number: int, calls: Sequence[Any]) -> Iterator[list[Numbered]]:
    """Few steps that may show it: what a call needs; one step more; nothing but all of them."""
    for call in calls:
        yield [*_needed(earlier, call), (number, call)]
    for one, step in reversed(earlier):
        wanted = [step, calls[-1]]
        needed = [each for each in _needed(earlier, wanted) if each[0] != one]
        yield sorted([*needed, (one, step), (number, calls[-1])], key=lambda each: each[0])


def _needed(steps: Sequence[Numbered], later: Any) -> list[Numbered]:
    """The steps that give what later ones name, and so on."""
    wanted = text_of(later)
    needed: list[Numbered] = []
    for number, step in reversed(steps):
        if f"{{{{{number}#" in wanted:
            needed.append((number, step))
            wanted += text_of(step)
    return needed[::-1]


def _shows(bench: Bench, steps: list[Numbered], broken: Broken) -> bool:
    with bench.case() as case:
        try:
            for number, step in steps:
                case.do(step, number)
        except Broken as other:
            return other.is_like(broken) and other.status == broken.status
        except Unresolved:
            pass
    return False


def _reduced(room: Room, call: Call, broken: Broken) -> Call:
    """The same call with as little in its body as still shows it."""
    tries = 0
    is_smaller = True
    while is_smaller and tries < MOST_REDUCTIONS:
        is_smaller = False
        for body in _smaller(call.json):
            tries += 1
            candidate = msgspec.structs.replace(call, json=body)
            if tries <= MOST_REDUCTIONS and _still(room, candidate, broken):
                call, is_smaller = candidate, True
                break
    return call


def _still(room: Room, call: Call, broken: Broken) -> bool:
    try:
        room.case.do(call)
    except Broken as other:
        return other.is_like(broken) and (other.status, other.expected) == (broken.status, broken.expected)
    except Unresolved:
        pass
    return False


def _smaller(value: Any) -> Iterator[Any]:
    """Values that are a little smaller, larger steps first."""
    if isinstance(value, Mapping):
        for name in value:
            yield {key: each for key, each in value.items() if key != name}
        for name, each in value.items():
            for less in _smaller(each):
                yield {**value, name: less}
    elif isinstance(value, list):
        if len(value) > 3:
            yield value[: len(value) // 2]
        for n in range(len(value)):
            yield value[:n] + value[n + 1 :]
        for n, each in enumerate(value):
            for less in _smaller(each):
                yield [*value[:n], less, *value[n + 1 :]]
    elif isinstance(value, str) and len(value) > LONGEST_KEPT and not value.startswith("{{"):
        yield value[: len(value) // 2]
        yield value[:-1]


# -- the target alone ---------------------------------------------------------------------------------------------------


def alone(
    bench: Bench,
    place: Place,
    operation: Operation | None,
    request: Request,
    expected: Collection[int],
    why: str,
    *,
    role: str | None = None,
    clause: str | None = None,
    at: str = "",
) -> Answer | None:
    """Send to the target alone, and keep a finding unless one of the expected statuses comes, as declared.

    None if it did not. `operation` None: the answer belongs to none, so its shape is not looked at. `at`: what tells one
    finding from another where the operation does not.
    """
    name = None if operation is None else operation.id
    try:
        answer = place.client.send(request)
    except NoAnswer as error:
        broken = Broken("no answer", f"an answer: {why}", str(error), name, None, at, clause)
        bench.found(broken, [shown(place.url, request, None, role)])
        return None
    if operation is not None and answer.status not in expected and is_masked(bench.target, answer.status):
        bench.book.seen(operation, answer.status, verified=False, masked=True)
        return None
    wrong = judged(operation, answer, expected, why, clause, at)
    if operation is not None:
        bench.book.seen(operation, answer.status, verified=wrong is None, masked=False)
    if wrong is not None:
        bench.found(wrong, [shown(place.url, request, answer, role)])
        return None
    return answer


def judged(
    operation: Operation | None,
    answer: Answer,
    expected: Collection[int],
    why: str,
    clause: str | None = None,
    at: str = "",
) -> Broken | None:
    """What is wrong with an answer; None if nothing is."""
    name = None if operation is None else operation.id
    if answer.status not in expected:
        came = f"status {answer.status}"
        return Broken("status", f"{_in_words(expected)}: {why}", came, name, answer.status, at, clause)
    wrong = None if operation is None or answer.status not in operation.responses else operation.breach(answer)
    if wrong is None:
        return None
    return Broken("contract", "an answer as declared", wrong[0], name, answer.status, place_of(wrong), wrong[1])


def _in_words(statuses: Collection[int]) -> str:
    if len(statuses) > MOST_NAMED:
        return "anything but a failure of the server"
    return f"status {' or '.join(map(str, sorted(statuses)))}"
