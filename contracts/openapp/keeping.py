"""What was written is what is read: created, changed, deleted, restored, purged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.bench import Bench
from contracts.lone import Contradiction, Lone, consistent

from .stock import FULL, POLICIES, Stock, billing, deletion
from .walking import KIND_OF, everything

MOVING = frozenset({"updated_at", "deleted_at", "purge_at", "last_used_at", "state", "health_status", "keep"})
"""What deleting and restoring may change."""
LIST_OF = {kind: operation for operation, kind in KIND_OF.items()}


def created(bench: Bench) -> None:
    """What a creation answers is what is read and listed afterwards, and has what was asked for."""
    for kind in FULL:
        if bench.is_about(f"create_{kind}"):
            consistent(bench, _created(kind))


def _created(kind: str) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        creation = Stock(case).creation(kind)
        asked = {**creation["json"], **FULL[kind]}
        made = case.ask(creation["operation"], json=asked)
        for name, value in asked.items():
            if name in made.json and made.json[name] != value:
                raise Contradiction(f"{name} {value!r}", repr(made.json[name]), creation["operation"], made)
        read = case.ask(f"get_{kind}", path={"id": made.json["id"]})
        _same(made.json, read.json, f"get_{kind}", made, read)
        rows = everything(case, LIST_OF[kind])
        row = next((each for each in rows.items if each["id"] == made.json["id"]), None)
        if row is None:
            raise Contradiction(f"{made.json['id']} in the list", str(rows.ids), LIST_OF[kind], made, *rows.answers)
        _same(made.json, row, LIST_OF[kind], made, *rows.answers)

    return check


def _same(expected: Any, came: Any, operation: str, *answers: Any) -> None:
    for name in sorted(set(expected) | set(came)):
        if expected.get(name) != came.get(name):
            text = f"{name} {expected.get(name)!r}, as it was answered before"
            raise Contradiction(text, repr(came.get(name)), operation, *answers)


def changed(bench: Bench) -> None:
    """A policy that was set is the one that is read, and setting it again changes nothing."""
    if bench.is_about("put_org_billing_degradation_policy"):
        for policy in POLICIES:
            consistent(bench, _policy(policy))


def _policy(policy: str) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        put = case.ask(**billing(case, "degradation_policy", json={"policy": policy}))
        read = case.ask(**billing(case, "degradation"))
        if read.json["selection_policy"] != policy:
            raise Contradiction(policy, read.json["selection_policy"], "get_org_billing_degradation", put, read)
        again = case.ask(**billing(case, "degradation_policy", json={"policy": policy}))
        if again.json != put.json:
            raise Contradiction(
                "the same answer as before", "another one", "put_org_billing_degradation_policy", put, again
            )

    return check


def deleted(bench: Bench) -> None:
    """Deleted it is out of the list and says so, restored it is what it was, purged it is gone."""
    for kind in ("integration", "device", "entity", "zone"):
        if bench.is_about(f"delete_{kind}", f"restore_{kind}", f"purge_{kind}"):
            consistent(bench, _deleted(kind))
            consistent(bench, _purged(kind))
    if bench.is_about("delete_user"):
        consistent(bench, _removed)


def _deleted(kind: str) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        stock = Stock(case)
        made = stock.another(kind)
        before = case.ask(f"get_{kind}", path={"id": made})
        if case.place.clock is not None:
            case.advance("PT1M")
        case.ask(**deletion(kind, made))
        gone = case.ask(f"get_{kind}", path={"id": made})
        if gone.status != 200 or "deleted_at" not in gone.json:
            raise Contradiction("it with `deleted_at`", f"status {gone.status}", f"get_{kind}", gone)
        rows = everything(case, LIST_OF[kind])
        if made in rows.ids:
            raise Contradiction(f"a list without {made}", str(rows.ids), LIST_OF[kind], *rows.answers)
        restored = case.ask(f"restore_{kind}", path={"id": made})
        after = case.ask(f"get_{kind}", path={"id": made})
        _same(restored.json, after.json, f"get_{kind}", restored, after)
        for name in sorted((set(before.json) | set(after.json)) - MOVING):
            if before.json.get(name) != after.json.get(name):
                expected = f"{name} {before.json.get(name)!r} again"
                raise Contradiction(expected, repr(after.json.get(name)), f"restore_{kind}", before, after)
        if "deleted_at" in after.json or made not in everything(case, LIST_OF[kind]).ids:
            raise Contradiction("it is there again", "deleted as before", f"restore_{kind}", after)

    return check


def _purged(kind: str) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        made = Stock(case)[f"deleted {kind}"]
        case.ask(f"purge_{kind}", path={"id": made})
        case.allowed = frozenset({404})
        read = case.ask(f"get_{kind}", path={"id": made})
        if read.status != 404:
            raise Contradiction("status 404 of what was purged", f"status {read.status}", f"get_{kind}", read)
        rows = everything(case, LIST_OF[kind], {"include_deleted": "true"})
        if made in rows.ids:
            raise Contradiction(f"a list without {made}", str(rows.ids), LIST_OF[kind], *rows.answers)

    return check


def _removed(case: Lone) -> None:
    user = Stock(case).another("user")
    case.ask("delete_user", path={"id": user})
    case.allowed = frozenset({404})
    read = case.ask("get_user", path={"id": user})
    if read.status != 404:
        raise Contradiction("status 404 of a user who was deleted", f"status {read.status}", "get_user", read)
    rows = everything(case, "list_users")
    if user in rows.ids:
        raise Contradiction(f"a list without {user}", str(rows.ids), "list_users", *rows.answers)
