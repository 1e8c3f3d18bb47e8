"""Creating, deleting, restoring and purging that does nothing, too much, or something else than it says."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.apis.openapp.model import degradation, deletion, inventory, lifetimes, overrides, scripting, shelves
from mock_server.apis.openapp.model.capacity import no_room
from mock_server.apis.openapp.model.limits import row as limit_row
from mock_server.apis.openapp.model.problems import CAPACITY_FULL
from mock_server.apis.openapp.model.resources import Shelf
from mock_server.engine.decisions import Accepted, Refused, Schedule
from mock_server.engine.instants import DAY, format_instant
from mock_server.http.exchange import Call, Refusal

from .mutant import Install, family, patched, replacing, together

mutant = family("crud")


def _forgetting(real: Any) -> Any:
    """A decision that is answered and not kept."""

    def faulty(state: Any, *args: Any) -> Any:
        decided = real(state, *args)
        return decided if isinstance(decided, Refused) else Accepted(state, decided.reply)

    return faulty


def _leaving_dependents() -> Install:
    """What hangs on something that is deleted by request stays."""
    is_asked_for = False

    def deleting(real: Any) -> Any:
        def faulty(*args: Any) -> Any:
            nonlocal is_asked_for
            is_asked_for = True
            try:
                return real(*args)
            finally:
                is_asked_for = False

        return faulty

    def going(real: Any) -> Any:
        def faulty(holdings: Any, kind: Any, ids: Any, half: str = "live") -> Any:
            rows = real(holdings, kind, ids, half)
            return {kind: rows[kind]} if is_asked_for and kind in rows else rows

        return faulty

    return together(replacing(deletion.delete, deleting, seen_by=lifetimes), replacing(shelves.with_all_below, going))


def _purging(real: Any) -> Any:
    """Deleted for good at once."""

    def faulty(state: Any, context: Any, caller: Any, kind: str, row_id: str, with_dependents: bool) -> Any:
        decided = real(state, context, caller, kind, row_id, with_dependents)
        if isinstance(decided, Refused):
            return decided
        after, _ = deletion.purge(decided.state, state.homes[row_id], kind, [row_id])
        return msgspec.structs.replace(decided, state=after)

    return faulty


def _newly_made(real: Any) -> Any:
    def faulty(holdings: Any, kind: str, row: Any, now: int) -> Any:
        return real(holdings, kind, msgspec.structs.replace(row, created_at=now), now)

    return faulty


def _day_early(_: Any) -> Any:
    return lambda key, at, job: Schedule(key, at - DAY, job)


def _lone_pin(real: Any) -> Any:
    """Setting `keep` of one forgets what was said of the others of its kind."""

    def faulty(state: Any, context: Any, caller: Any, org_id: str, kind: str, row_id: str, keep: bool) -> Any:
        holdings = state.held_by(org_id)
        shelf = holdings.shelf(kind)
        live = shelf.live
        for row in list(live.values()):
            live = live.insert(row.id, msgspec.structs.replace(row, keep=row.keep if row.id == row_id else None))
        state = state.with_holdings(org_id, holdings.with_shelf(kind, Shelf(live, shelf.deleted)))
        return real(state, context, caller, org_id, kind, row_id, keep)

    return faulty


def _null_is_nothing(real: Any) -> Any:
    """An override that is set again without an end keeps the one it had."""

    def faulty(state: Any, context: Any, body: Any) -> Any:
        decided = real(state, context, body)
        if isinstance(decided, Refused) or body.get("expires_at") is not None:
            return decided
        kept = state.overrides.get(body["subject_id"]) or {}
        before = kept.get(limit_row(decided.reply["quota_key"], decided.reply["period"]))
        if before is None or before.expires_at is None:
            return decided
        return real(state, context, {**body, "expires_at": format_instant(before.expires_at)})

    return faulty


def _kept_though_refused(operation_id: str) -> Install:
    """What is refused because there is no room is kept all the same."""
    is_open = False

    def deciding(real: Any) -> Any:
        def faulty(self: Call, function: Any) -> Any:
            nonlocal is_open
            try:
                return real(self, function)
            except Refusal as refusal:
                if self.operation.id == operation_id and refusal.problem.type is CAPACITY_FULL:
                    is_open = True
                    try:
                        real(self, function)
                    finally:
                        is_open = False
                raise

        return faulty

    def room(real: Any) -> Any:
        return lambda *args: None if is_open else real(*args)

    return together(patched(Call, "decide", deciding), replacing(no_room, room))


MUTANTS = (
    mutant("zone-lost", "a new zone is answered and not kept", replacing(inventory.create_zone, _forgetting), 51),
    mutant(
        "delete-does-nothing",
        "deleting is answered and not done",
        replacing(lifetimes.delete_resource, _forgetting),
        52,
    ),
    mutant(
        "policy-not-kept", "a new policy is answered and not kept", replacing(degradation.set_policy, _forgetting), 53
    ),
    mutant(
        "null-ignored",
        "an override's end cannot be taken away",
        replacing(overrides.upsert_override, _null_is_nothing),
        54,
    ),
    mutant(
        "pin-forgets-others", "pinning one releases the others", replacing(degradation.set_resource_keep, _lone_pin), 55
    ),
    mutant(
        "refused-zone-kept",
        "a zone for which there is no room is refused and kept",
        _kept_though_refused("create_zone"),
        98,
    ),
    mutant("restored-is-new", "what is restored counts as created now", replacing(shelves.put_back, _newly_made)),
    mutant("delete-is-purge", "what is deleted is gone for good", replacing(lifetimes.delete_resource, _purging)),
    mutant(
        "purged-a-day-early",
        "what is deleted is purged a day before `purge_at`",
        patched(deletion, "Schedule", _day_early),
    ),
    mutant(
        "cancel-does-nothing",
        "canceling an execution is answered and not done",
        replacing(scripting.cancel_execution, _forgetting),
    ),
    mutant("dependents-stay", "what hangs on something deleted stays", _leaving_dependents()),
)
