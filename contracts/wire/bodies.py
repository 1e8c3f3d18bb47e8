"""Valid and invalid requests that write: sent to target and oracle, which have to agree."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from contracts.bench import Bench
from contracts.bundle import Operation
from contracts.case import SHARED_LISTS
from contracts.openapp.fuzzing import NOT_MADE_UP, TIMED, is_left_open
from contracts.schemathesis_adapter import Sample
from contracts.steps import Call

from .judging import alone, compared, in_rooms
from .reading import NOTHING
from .room import Room
from .samples import covering, departing, random_ones

RANDOM_QUICK, RANDOM_FULL = 2, 60


def responses(bench: Bench) -> None:
    """Each operation once with success, and with what it refuses everybody."""
    tries: list[Callable[[Room], None]] = []
    for operation in bench.operations:
        tries.append(_sent(operation.id, "as it is", lambda call: call))
        if "{" in operation.path and 404 in operation.responses:
            tries.append(_sent(operation.id, "of nothing", _of_nothing))
        if not operation.is_anonymous:
            tries.append(_sent(operation.id, "by nobody", lambda call: msgspec.structs.replace(call, caller=None)))
        if operation.content and operation.id not in NOT_MADE_UP:
            tries.append(_sent(operation.id, "without a body", _without_body))
    in_rooms(bench, tries)


def _sent(operation: str, how: str, change: Callable[[Call], Call]) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        base = room.base(operation) if how == "as it is" else room.spare(operation)
        call, place = change(base), room.case.place
        # One page of everybody's, where what is ours may be on another, and what changes by itself.
        is_vague = (operation in SHARED_LISTS and not place.is_own) or (operation in TIMED and place.clock is None)
        if is_vague and how == "as it is":
            declared = room.bench.bundle[operation]
            request = room.request(call)
            alone(
                room.bench, place, declared, request, (declared.success,), "what can be read is read", role=call.caller
            )
        else:
            compared(room, call, succeeds=how == "as it is")

    return tried


def _of_nothing(call: Call) -> Call:
    return msgspec.structs.replace(call, path={**call.path, next(iter(call.path)): NOTHING})


def _without_body(call: Call) -> Call:
    return msgspec.structs.replace(call, json=msgspec.UNSET)


def accepts_valid(bench: Bench) -> None:
    _made_up(bench, valid=True)


def refuses_invalid(bench: Bench) -> None:
    _made_up(bench, valid=False)


def _made_up(bench: Bench, *, valid: bool) -> None:
    writing = [operation for operation in bench.operations if not operation.is_read and operation.id not in NOT_MADE_UP]
    samples: dict[str, list[Sample]] = {operation.id: [] for operation in writing}
    for sample in covering(bench):
        if sample.operation in samples:
            samples[sample.operation].append(sample)
    # What takes limits away comes last.
    writing.sort(key=lambda operation: operation.id == "post_admin_quota_override")
    tries: list[Callable[[Room], None]] = []
    for operation in writing:
        if operation.body_schema is not None:
            count = bench.scale(RANDOM_QUICK if valid else 0, RANDOM_FULL)
            samples[operation.id] += random_ones(bench, operation, count=count, valid=valid)
        tries += [_of_sample(sample, valid) for sample in samples[operation.id]]
        tries.append(_departing(bench, operation, valid))
    in_rooms(bench, tries)


def _of_sample(sample: Sample, wanted: bool) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        call = room.call(sample, valid=wanted)
        if call is None:
            return
        if wanted and is_left_open(call.operation, call.json):
            declared = room.bench.bundle[call.operation]
            request = room.request(call)
            alone(room.bench, room.case.place, declared, request, (declared.success,), "it is valid", role=call.caller)
        else:
            compared(room, call, succeeds=wanted and sample.place != "path")

    return tried


def _departing(bench: Bench, operation: Operation, wanted: bool) -> Callable[[Room], None]:
    def tried(room: Room) -> None:
        base = room.base(operation.id)
        for sample in departing(operation, bench.bundle.document, base.json):
            _of_sample(sample, wanted)(room)
            room.tidy()

    return tried
