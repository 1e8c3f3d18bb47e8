"""What differs in what an organization holds and has used: resources, users, executions, meters, sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from mock_server.engine.changes import Change

from .comparison import Members, Pair, Teller, called, differing, members_of, phrases_of, same, values
from .quotas import QUOTAS
from .resources import KINDS, PLURAL, SINGULAR, Holdings, Meter, Session, Shelf, User, creation

_WINDOWS = (("in_day", "day"), ("in_week", "week"), ("in_month", "month"))


def holding_changes(tell: Teller, before: Holdings, after: Holdings) -> Iterator[Change]:
    """In this order whatever the maps': resources by kind and creation, users, executions, meters, sessions."""
    for kind in KINDS:
        yield from _resources(tell, kind, before.shelf(kind), after.shelf(kind))
    yield from _users(tell, before.users, after.users)
    yield from _executions(tell, before.executions, after.executions)
    yield from _meters(tell, before.meters, after.meters)
    yield from _sessions(tell, before.sessions, after.sessions)


def _by_creation(rows: Iterable[Pair]) -> list[Pair]:
    return sorted(rows, key=lambda pair: (creation(pair[1] or pair[0]), (pair[1] or pair[0]).id))


def _resources(tell: Teller, kind: str, before: Shelf, after: Shelf) -> Iterator[Change]:
    if before is after:
        return
    moved = differing(before.live, after.live).keys() | differing(before.deleted, after.deleted).keys()
    pairs = ((_on(before, each), _on(after, each)) for each in moved)
    for one, other in _by_creation(pairs):
        yield from _resource(tell, kind, one, other)


def _on(shelf: Shelf, resource_id: str) -> Any:
    return shelf.live.get(resource_id) or shelf.deleted.get(resource_id)


def _resource(tell: Teller, kind: str, before: Any, after: Any) -> Iterator[Change]:
    noun, nouns, row = SINGULAR[kind], PLURAL[kind], after or before
    name, sort = f"{noun} {called(row)}", noun.lower().replace(" ", "_")
    if before is None:
        state = "" if after.deleted_at is None else "deleted "
        yield tell.added(sort, row.id, after, f"{state}{name} added", f"{{n}} {state}{nouns} added")
    elif after is None:
        verb = "removed" if before.deleted_at is None else "purged"
        yield tell.removed(sort, row.id, before, f"{name} {verb}", f"{{n}} {nouns} {verb}")
    elif members := members_of(before, after):
        verbs, rest = _verbs(kind, members)
        texts = [*verbs, *phrases_of(rest, ("updated_at",))] if rest else verbs
        many = f"{{n}} {nouns} {_VERBS_OF_MANY.get(verbs[0], verbs[0])}" if verbs and len(texts) == 1 else None
        yield tell.changed(sort, row.id, members, f"{name} {', '.join(texts)}", many)


_DETACHED = "detached from its zone"
_VERBS_OF_MANY = {_DETACHED: "detached from their zones"}


def _verbs(kind: str, members: Members) -> tuple[list[str], Members]:
    """What there is a word for, and the members that are left to be told one by one."""
    verbs, rest = [], dict(members)
    gone = rest.get("deleted_at", (None, None))
    if (gone[0] is None) != (gone[1] is None):
        is_deleted = gone[0] is None
        verbs.append(("revoked" if kind == "api_keys" else "deleted") if is_deleted else "restored")
        for name in ("deleted_at", "purge_at", *(("keep",) if is_deleted else ())):
            rest.pop(name, None)
    if "keep" in rest:
        was, keep = rest.pop("keep")
        if keep is None:
            verbs.append("no longer pinned" if was else "no longer released")
        else:
            verbs.append("pinned" if keep else "released")
    earlier, later = rest.get("last_used_at", (None, None))
    if later is not None and later > (earlier or 0):
        verbs.append("used")
        del rest["last_used_at"]
    if rest.get("zone_id", (None, ""))[1] is None:
        verbs.append(_DETACHED)
        del rest["zone_id"]
    if verbs:
        rest.pop("updated_at", None)
    return verbs, rest


def _users(tell: Teller, before: Mapping[str, User], after: Mapping[str, User]) -> Iterator[Change]:
    for one, other in _by_creation(differing(before, after).values()):
        row = other or one
        if one is None:
            yield tell.added("user", row.id, other, f"user {called(row)} added", "{n} users added")
        elif other is None:
            yield tell.removed("user", row.id, one, f"user {called(row)} removed", "{n} users removed")
        elif members := _of_user(tell.org or "", one, other):
            texts = phrases_of({name: pair for name, pair in members.items() if name != "roles"}, ("updated_at",))
            if "roles" in members:
                roles = (", ".join(each.roles[tell.org or ""]) or "none" for each in (one, other))
                texts = [" -> ".join(roles), *(texts if members.keys() - {"roles", "updated_at"} else ())]
            yield tell.changed("user", row.id, members, f"user {called(row)} {', '.join(texts)}")


def _of_user(org_id: str, before: User, after: User) -> Members:
    """What one of a user's organizations has to say: its own roles; the first of them also all that is no role.

    Where it left or joined another one that is told there, and the time of it is no news here.
    """
    members = members_of(before, after)
    others = members.pop("roles", None)
    is_first = org_id == min(before.roles.keys() & after.roles.keys())
    mine = {} if not is_first or (others is not None and members.keys() == {"updated_at"}) else members
    if not same(before.roles[org_id], after.roles[org_id]):
        mine["roles"] = ({org_id: before.roles[org_id]}, {org_id: after.roles[org_id]})
    return mine


def _executions(tell: Teller, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for one, other in _by_creation(differing(before, after).values()):
        row = other or one
        if one is None:
            text = f"script {row.id} added ({row.status})"
            yield tell.added("execution", row.id, other, text, f"{{n}} scripts added ({row.status})")
        elif other is None:
            yield tell.removed("execution", row.id, one, f"script {row.id} forgotten", "{n} scripts forgotten")
        elif members := members_of(one, other):
            if "status" not in members:
                yield tell.changed("execution", row.id, members, f"script {row.id} {', '.join(phrases_of(members))}")
                continue
            steps = f"{one.status} -> {other.status}"
            rest = {name: pair for name, pair in members.items() if name in ("result", "fails_with")}
            text, many = ", ".join([steps, *phrases_of(rest)]), None if rest else f"{{n}} scripts {steps}"
            yield tell.changed("execution", row.id, members, f"script {row.id} {text}", many)


def _meters(tell: Teller, before: Mapping[str, Meter], after: Mapping[str, Meter]) -> Iterator[Change]:
    found = differing(before, after)
    for key in sorted(found, key=list(QUOTAS).index):
        one, other = found[key]
        if one is None:
            yield tell.added("meter", key, other, f"{key} {_use(_unused(other), other)}")
        elif other is None:
            yield tell.removed("meter", key, one, f"{key} {_use(one, _unused(one))}")
        elif members := members_of(one, other):
            yield tell.changed("meter", key, members, f"{key} {_use(one, other)}")


def _use(before: Meter, after: Meter) -> str:
    """Of one day: the shortest window that has another count now. Of two days: what each of them has seen."""
    if before.day != after.day:
        return f"{before.in_day} on {_date(before.day)} -> {after.in_day} on {_date(after.day)} (day)"
    sides = [(getattr(before, member), getattr(after, member), window) for member, window in _WINDOWS]
    one, other, window = next((side for side in sides if side[0] != side[1]), sides[0])
    return f"{one} -> {other} ({window})"


def _unused(meter: Meter) -> Meter:
    return Meter(meter.day, 0, 0, 0)


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _sessions(
    tell: Teller, before: Mapping[str, tuple[Session, ...]], after: Mapping[str, tuple[Session, ...]]
) -> Iterator[Change]:
    found = differing(before, after)
    for key in sorted(found, key=list(QUOTAS).index):
        one, other = ({each.id: each for each in side or ()} for side in found[key])
        changes = list(_of_sessions(tell, key, differing(one, other)))
        if not changes and list(one) != list(other):
            text = f"order of the sessions of {key} changed"
            changes = [tell.changed("session", key, {"sessions": (list(one), list(other))}, text)]
        yield from changes


def _of_sessions(tell: Teller, key: str, found: Mapping[str, Pair]) -> Iterator[Change]:
    for session_id in sorted(found, key=lambda each: ((found[each][1] or found[each][0]).used_at, each)):
        one, other = found[session_id]
        row_id, name = f"{key}/{session_id}", f"session {called(other or one)} of {key}"
        if one is None:
            yield tell.added("session", row_id, other, f"{name} 0 -> {other.used}", f"{{n}} sessions of {key} added")
        elif other is None:
            text = f"{name} forgotten"
            yield tell.removed("session", row_id, one, text, f"{{n}} sessions of {key} forgotten")
        elif members := members_of(one, other):
            text = values("used", *members["used"]) if "used" in members else "used again"
            yield tell.changed("session", row_id, members, f"{name} {text}")
