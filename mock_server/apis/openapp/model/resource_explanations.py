"""Why something could not be found, restored or deleted: what is there instead, and what has to be done first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.engine.decisions import Refused
from mock_server.engine.explanations import Explanation
from mock_server.engine.instants import SECOND, format_instant

from .access import in_scope
from .capacity import no_room
from .explaining import PATHS, Case, counted, listed, one_of, path_of, reachable_orgs, some, thing
from .lifetimes import delete_resource
from .metering import metered
from .pointers import in_world, to_org, to_row
from .resources import KINDS, PLURAL, SINGULAR, oldest
from .scripting import FINISHED, RUNS_FOR, STARTS_AFTER
from .shelves import PARENTS, Rows, below, referring, with_all_below

_MEMBERS = {("integrations", "devices"): "integration_id", ("integrations", "zones"): "integration_id"}
_NOUNS = {"portals": "public portals", "executions": "executions"}
_ZONE_MEMBERS = {"zones": "parent_zone_id"}


def no_such(case: Case) -> Explanation:
    """By id, or as something that a body refers to: then it has to live in the organization that the body is about."""
    kind, row_id, within = case.text("resource"), case.text("id"), case.fact("_org_id")
    nouns = _NOUNS.get(kind) or PLURAL[kind]
    rows, home = _rows(case, kind, within), case.state.homes.get(row_id)
    gone = _on_shelf(case, kind, home, row_id) if within is not None and home == within else None
    if within is not None:
        rule = f"What a body refers to has to be live and in its organization ({within})."
    elif kind == "portals":
        rule = "Only public portals that there are can be looked at."
    else:
        rule = f"Only {nouns} in organizations that the caller reaches can be found."
    away = [] if within is not None else _rows(case, kind, None, "deleted")
    legal = (
        None if within is None else _elsewhere(case, kind, home, row_id),
        *(_restoring(case, kind, gone) if gone is not None else ()),
        one_of("Name", nouns, rows),
        one_of("To restore or to purge, name", f"deleted {nouns}", away),
        None if rows else _creating(case, kind, within or case.asker.org),
    )
    facts = {"there_are": len(rows), "ids": some(rows), **_where(case, row_id, home)}
    if kind in ("portals", "org_users"):
        clause = in_world("portals" if kind == "portals" else "users")
    else:
        clause = to_org(case.state, within or home or case.asker.org or "", kind)
    return case.answer(rule, clause, legal, facts)


def resource_not_found(case: Case) -> Explanation:
    """What is to be kept or released has to live in the organization of the path."""
    kind, row_id, org_id = case.text("resource"), case.text("resource_id"), case.text("org_id")
    shelf = case.state.held_by(org_id).shelf(kind)
    rows, deleted = oldest(shelf.live), shelf.deleted.get(row_id)
    legal = (
        *(_restoring(case, kind, deleted) if deleted is not None else ()),
        one_of("Name", PLURAL[kind], rows),
    )
    rule = f"Only live {PLURAL[kind]} of the organization can be kept or released."
    facts = {"there_are": len(rows), "ids": some(rows), **_where(case, row_id, case.state.homes.get(row_id))}
    return case.answer(rule, to_org(case.state, org_id, kind), legal, facts)


def deleted(case: Case) -> Explanation:
    kind, row = _subject(case)
    if row is None:
        return case.answer(case.problem.message, in_world("orgs"))
    live = oldest(case.state.held_by(row.org_id).shelf(kind).live)
    if kind == "entities":
        live = [each for each in live if in_scope(case.state, case.asker, each.id)]
    legal = (*_restoring(case, kind, row), one_of("Use", f"live {PLURAL[kind]}", live))
    facts = {**_times(row), "there_are": len(live), "ids": some(live)}
    rule = "What is deleted can be read, restored and purged, and nothing else."
    return case.answer(rule, to_row(case.state, row.org_id, kind, row.id, "deleted_at"), legal, facts)


def not_deleted(case: Case) -> Explanation:
    kind, row = _subject(case)
    if row is None:
        return case.answer(case.problem.message, in_world("orgs"))
    dependents = _dependents(case, kind, row)
    how = "" if not dependents or kind == "api_keys" else "?cascade=detach" if kind == "zones" else "?recursive=true"
    verb = "Revoke" if kind == "api_keys" else "Delete"
    gone = delete_resource(case.state, case.context, case.asker, kind, row.id, True)
    legal = []
    if not isinstance(gone, Refused):
        back = no_room(gone.state, gone.state.orgs[row.org_id], kind, case.now)
        end = "" if back is None else ", and purge it then: to be restored it would need room that there is not"
        legal.append(f"{verb} it first: DELETE {path_of(kind, row.id)}{how}{end}.")
    rule = "Only what is deleted can be restored or purged."
    facts = {"dependents": {each: len(rows) for each, rows in dependents.items()}}
    return case.answer(rule, to_row(case.state, row.org_id, kind, row.id, "deleted_at"), legal, facts)


def parent_deleted(case: Case) -> Explanation:
    kind, row = _subject(case)
    if row is None:
        return case.answer(case.problem.message, in_world("orgs"))
    parent_kind, member = PARENTS[kind]
    noun = SINGULAR[parent_kind]
    rule = f"{PLURAL[kind].capitalize()} are restored only while the {noun} that they belong to is live."
    purge = f"Purge it: DELETE {path_of(kind, row.id)}/purge."
    facts = {**_times(row), f"{noun}_is": "purged" if _parent(case, kind, row) is None else "deleted"}
    clause = to_row(case.state, row.org_id, kind, row.id, member)
    return case.answer(rule, clause, [*_restoring(case, kind, row), purge], facts)


def has_dependents(case: Case) -> Explanation:
    """Zones are only detached from, all else is taken along."""
    kind, row = _subject(case)
    if row is None:
        return case.answer(case.problem.message, in_world("orgs"))
    dependents = _dependents(case, kind, row)
    first, rows = next(iter(dependents.items()), (kind, {row.id: row}))
    if kind == "zones":
        rule = "A zone that something refers to is deleted only with cascade=detach."
        way = f"cascade=detach, which takes {_counts(dependents, row)} out of it"
        member = _ZONE_MEMBERS.get(first, "zone_id")
    else:
        everything = with_all_below(case.state.held_by(row.org_id), kind, [row.id])  # type: ignore[arg-type]
        rule = f"What others hang on is deleted only with them, as this {SINGULAR[kind]}."
        way = f"recursive=true, which takes {_counts(everything, row)} along"
        member = _MEMBERS.get((kind, first), "device_id")
    legal = [f"Delete it with {way}.", f"Delete {_counts(dependents, row)} first."]
    facts = {"dependent_ids": {each: some(list(found.values())) for each, found in dependents.items()}}
    return case.answer(rule, to_row(case.state, row.org_id, first, next(iter(rows)), member), legal, facts)


def already_finished(case: Case) -> Explanation:
    execution_id = case.text("id")
    org_id = case.state.homes.get(execution_id, "")
    unfinished = [row for row in _rows(case, "executions", None) if row.status not in FINISHED]
    lasts = (STARTS_AFTER + RUNS_FOR) / SECOND
    legal = (
        one_of("Cancel", "executions that have not finished", unfinished),
        f"Cancel an execution within {lasts:g} s of the world's time after it was made.",
    )
    rule = "Only an execution that is pending or running can be canceled."
    facts = {"unfinished_ids": some(unfinished)}
    return case.answer(rule, to_row(case.state, org_id, "executions", execution_id, "status"), legal, facts)


def _subject(case: Case) -> tuple[str, Any]:
    kind, row_id = case.text("resource"), case.text("id")
    return kind, _on_shelf(case, kind, case.state.homes.get(row_id), row_id)


def _on_shelf(case: Case, kind: str, org_id: str | None, row_id: str) -> Any:
    if kind not in KINDS or org_id is None:
        return None
    shelf = case.state.held_by(org_id).shelf(kind)
    return shelf.live.get(row_id) or shelf.deleted.get(row_id)


def _rows(case: Case, kind: str, within: str | None, half: str = "live") -> list[Any]:
    """What could have been named: of one organization, or of all that the caller reaches, its own first."""
    if kind == "portals":
        return sorted(case.state.portals.values(), key=lambda each: each.id) if half == "live" else []
    found: dict[str, Any] = {}
    for org in reachable_orgs(case) if within is None else [case.state.orgs[within]]:
        holdings = case.state.held_by(org.id)
        if kind in KINDS:
            rows = getattr(holdings.shelf(kind), half)
        elif half == "live":
            rows = holdings.users if kind == "org_users" else holdings.executions
        else:
            continue
        found |= {row.id: row for row in oldest(rows)}
    return list(found.values())


def _where(case: Case, row_id: str, home: str | None) -> dict[str, Any]:
    """What has the id after all: of another kind, deleted, or of another organization."""
    if home is None:
        return {}
    holdings, reached = case.state.held_by(home), {"belongs_to": home, "is_reached": case.reaches(home)}
    for kind in KINDS:
        for half in ("live", "deleted"):
            if row_id in getattr(holdings.shelf(kind), half):
                return {"is_in": kind, "is_deleted": half == "deleted", **reached}
    return {"is_in": "executions" if row_id in holdings.executions else "org_users", **reached}


def _creating(case: Case, kind: str, org_id: str | None) -> str | None:
    """Where there is nothing yet, and room for it."""
    org = case.state.orgs.get(org_id or "")
    if org is None or kind == "portals":
        return None
    if kind == "executions":
        full: object = metered(case.state, org, {"scripting_executions": 1}, case.now)
    else:
        full = no_room(case.state, org, kind, case.now)
    noun = case.text("_noun")
    article = "an" if noun[0] in "aeiA" else "a"
    return None if isinstance(full, Refused) else f"Create {article} {noun} first: POST /{PATHS.get(kind, kind)}."


def _elsewhere(case: Case, kind: str, home: str | None, row_id: str) -> str | None:
    """A reference into another organization, where the whole request may have been meant."""
    if home is None or not case.reaches(home) or kind not in KINDS:
        return None
    is_live = row_id in case.state.held_by(home).shelf(kind).live
    return f"Ask in {home}, the organization that it belongs to." if is_live else None


def _restoring(case: Case, kind: str, row: Any) -> Iterator[str]:
    """How a deleted resource comes back, with all that has to come back before it. Nothing, if that is gone for good."""
    steps = [(kind, row)]
    while kind in PARENTS and not _has_live_parent(case, kind, row):
        row = _parent(case, kind, row)
        if row is None:
            return
        kind = PARENTS[kind][0]
        steps.insert(0, (kind, row))
    org = case.state.orgs[row.org_id]
    full = [f"another {SINGULAR[each]}" for each, _ in steps if no_room(case.state, org, each, case.now) is not None]
    texts = [f"{thing(each, back)} (POST {path_of(each, back.id)}/restore)" for each, back in steps]
    verb = f"Make room for {listed(full, 'and')}, then restore" if full else "Restore"
    yield f"{verb} {' and then '.join(texts)}."


def _has_live_parent(case: Case, kind: str, row: Any) -> bool:
    parent_kind, member = PARENTS[kind]
    return getattr(row, member) in case.state.held_by(row.org_id).shelf(parent_kind).live


def _parent(case: Case, kind: str, row: Any) -> Any:
    """On the half of the deleted."""
    parent_kind, member = PARENTS[kind]
    return case.state.held_by(row.org_id).shelf(parent_kind).deleted.get(getattr(row, member))


def _dependents(case: Case, kind: str, row: Any) -> Rows:
    holdings = case.state.held_by(row.org_id)
    return referring(holdings, row.id) if kind == "zones" else below(holdings, kind, row.id)  # type: ignore[arg-type]


def _counts(rows: Rows, but: Any) -> str:
    """ "1 device and 3 entities"."""
    numbers = {kind: len(found.keys() - {but.id}) for kind, found in rows.items()}
    return listed([counted(number, kind) for kind, number in numbers.items() if number], "and")


def _times(row: Any) -> dict[str, Any]:
    return {
        name: format_instant(at) for name in ("deleted_at", "purge_at") if (at := getattr(row, name, None)) is not None
    }
