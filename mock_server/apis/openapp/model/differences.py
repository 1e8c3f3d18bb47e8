"""Every difference between two states in domain words, organizations first and last what belongs to the whole world.

Two states are equal exactly when there is none, but for `serial`, which numbers what is created next and is told by
what was. What follows from the rest (`homes`, `by_external_id`, `api_keys`, `children`) has no differences of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rpds import HashTrieMap

from mock_server.engine.changes import Change
from mock_server.engine.instants import format_instant

from .comparison import Members, Teller, called, differing, members_of, phrases_of
from .holding_differences import holding_changes
from .resources import KINDS, PLURAL, SINGULAR, creation
from .state import Flag, Lifecycle, OpenApp, Org, Override, Subscription
from .world_differences import world_changes

_NONE: HashTrieMap[str, Any] = HashTrieMap()
_EVENT_TIMES = ("provider_time", "plan_time")


def compared(before: OpenApp, after: OpenApp) -> list[Change]:
    """Organizations by creation; in each of them the organization itself, lifecycle, overrides, holdings."""
    changes: list[Change] = []
    if before is not after:
        for one, other in _organizations(before, after):
            changes += _of_organization(before, after, one, other)
        changes += world_changes(before, after)
    return changes


def _organizations(before: OpenApp, after: OpenApp) -> list[tuple[Org | None, Org | None]]:
    """Those of which anything is another object."""
    touched = (
        differing(before.orgs, after.orgs).keys()
        | differing(before.holdings, after.holdings).keys()
        | differing(before.overrides, after.overrides).keys()
        | differing(before.lifecycles, after.lifecycles).keys()
    )
    pairs = [(before.orgs.get(each), after.orgs.get(each)) for each in touched]
    return sorted(pairs, key=lambda pair: (creation(pair[1] or pair[0]), (pair[1] or pair[0]).id))  # type: ignore[union-attr]


def _of_organization(before: OpenApp, after: OpenApp, one: Org | None, other: Org | None) -> Iterator[Change]:
    org = other or one
    assert org is not None
    tell = Teller(org.id, org.label)
    yield from _itself(tell, one, other)
    yield from _lifecycle(tell, before, after, org.id)
    yield from _overrides(tell, before.overrides.get(org.id) or _NONE, after.overrides.get(org.id) or _NONE)
    yield from holding_changes(tell, before.held_by(org.id), after.held_by(org.id))


def _itself(tell: Teller, before: Org | None, after: Org | None) -> Iterator[Change]:
    if before is None or after is None:
        if after is not None:
            yield tell.added("organization", after.id, after, f"organization added with tier {after.tier_slug}")
        elif before is not None:
            yield tell.removed("organization", before.id, before, "organization removed")
        return
    members = members_of(before, after)
    subscription, pending = members.pop("subscription", None), members.pop("pending", None)
    updated = {name: members.pop(name) for name in ("updated_at",) if name in members}
    if updated and not members:
        yield tell.changed("organization", after.id, updated, phrases_of(updated)[0])
    # The tier is what a reader looks for first; the time of the change goes along with what is told first.
    for name in sorted(members, key=lambda each: each != "tier_slug"):
        fields, updated = {name: members[name], **updated}, {}
        if name == "tier_slug" and (along := _along_with_tier(subscription, members[name])):
            fields, subscription = {**fields, **along}, None
        yield tell.changed("organization", after.id, fields, phrases_of({name: members[name]})[0])
    if subscription is not None:
        yield from _subscription(tell, *subscription)
    if pending is not None:
        yield from _pending(tell, *pending, now=after.subscription)


def _along_with_tier(pair: tuple[Subscription | None, Subscription | None] | None, tiers: tuple[str, str]) -> Members:
    """A subscription that changes its tier with the organization, and nothing else, needs no sentence of its own."""
    one, other = pair or (None, None)
    if one is None or other is None:
        return {}
    members = members_of(one, other)
    if members.get("tier_slug") != tiers or not members.keys() <= {"tier_slug", *_EVENT_TIMES}:
        return {}
    return {f"subscription.{name}": each for name, each in members.items()}


def _subscription(tell: Teller, before: Subscription | None, after: Subscription | None) -> Iterator[Change]:
    if before is None and after is not None:
        text = f"subscription {after.external_id} to {after.tier_slug} added ({after.status})"
        yield tell.added("subscription", after.external_id, after, text)
    elif after is None and before is not None:
        text = f"subscription {before.external_id} removed"
        yield tell.removed("subscription", before.external_id, before, text)
    elif before is not None and after is not None:
        members = members_of(before, after)
        yield tell.changed("subscription", after.external_id, members, _of_subscription(before, members))


def _of_subscription(before: Subscription, members: Members) -> str:
    """The status goes without saying what it is: "subscription sub_1 active -> canceled"."""
    texts = phrases_of(members, ("subscription_id", *_EVENT_TIMES), bare=("status",))
    return f"subscription {before.external_id} {', '.join(texts)}"


def _pending(
    tell: Teller, before: Subscription | None, after: Subscription | None, now: Subscription | None
) -> Iterator[Change]:
    if before is None and after is not None:
        yield tell.added("checkout", after.external_id, after, f"checkout of {after.tier_slug} pending")
    elif after is None and before is not None:
        end = "paid" if now is not None and now.subscription_id == before.subscription_id else "no longer pending"
        yield tell.removed("checkout", before.external_id, before, f"checkout of {before.tier_slug} {end}")
    elif before is not None and after is not None:
        members = members_of(before, after)
        text = f"pending checkout {', '.join(phrases_of(members, ('subscription_id', *_EVENT_TIMES)))}"
        yield tell.changed("checkout", after.external_id, members, text)


def _lifecycle(tell: Teller, before: OpenApp, after: OpenApp, org_id: str) -> Iterator[Change]:
    one: Lifecycle | None = before.lifecycles.get(org_id)
    other: Lifecycle | None = after.lifecycles.get(org_id)
    if one is other:
        return
    fields = {
        name: (one and getattr(one, name), other and getattr(other, name)) for name in ("stage", "since", "entered_at")
    }
    members = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    if one is None or other is None:
        stages = [each.stage if each is not None else "none" for each in (one, other)]
        yield tell.changed("lifecycle", org_id, members, f"stage {' -> '.join(stages)}")
    elif members:
        yield tell.changed("lifecycle", org_id, members, _of_lifecycle(other, members))
    yield from _flags(
        tell, before, after, one.flags if one is not None else (), other.flags if other is not None else ()
    )


def _of_lifecycle(after: Lifecycle, members: Members) -> str:
    if "stage" in members:
        return phrases_of({"stage": members["stage"]})[0]
    if "entered_at" in members:
        return f"{after.stage} anew at {format_instant(after.entered_at)}"
    return f"over capacity since {format_instant(after.since)}"


def _flags(
    tell: Teller, before: OpenApp, after: OpenApp, ones: tuple[Flag, ...], others: tuple[Flag, ...]
) -> Iterator[Change]:
    was, now = {(each.kind, each.id): each for each in ones}, {(each.kind, each.id): each for each in others}
    # Flags stand in the order of kinds and creation.
    ordered = sorted([*was, *(each for each in now if each not in was)], key=lambda each: KINDS.index(each[0]))
    has_any = False
    for kind, resource_id in ordered:
        one, other = was.get((kind, resource_id)), now.get((kind, resource_id))
        name = f"{SINGULAR[kind]} {_name_of(after, before, tell.org or '', kind, resource_id)}"
        for change in _flag(tell, name, PLURAL[kind], one, other):
            has_any = True
            yield change
    if not has_any and ones != others:
        ids = [each.id for each in ones], [each.id for each in others]
        yield tell.changed("flag", tell.org or "", {"flags": ids}, "order of the flags changed")


def _flag(tell: Teller, name: str, nouns: str, before: Flag | None, after: Flag | None) -> Iterator[Change]:
    if before is None and after is not None:
        verb = "flagged" if after.marked_at is None else "flagged and marked for deletion"
        yield tell.added("flag", after.id, after, f"{name} {verb}", f"{{n}} {nouns} {verb}")
    elif after is None and before is not None:
        verb = "no longer flagged"
        yield tell.removed("flag", before.id, before, f"{name} {verb}", f"{{n}} {nouns} {verb}")
    elif before is not None and after is not None and (members := members_of(before, after)):
        many = None
        text = ", ".join(phrases_of(members))
        if before.marked_at is None and after.marked_at is not None:
            text, many = "marked for deletion", f"{{n}} {nouns} marked for deletion"
        yield tell.changed("flag", after.id, members, f"{name} {text}", many)


def _name_of(after: OpenApp, before: OpenApp, org_id: str, kind: str, resource_id: str) -> str:
    for shelf in (state.held_by(org_id).shelf(kind) for state in (after, before)):
        row = shelf.live.get(resource_id) or shelf.deleted.get(resource_id)
        if row is not None:
            return called(row)
    return resource_id


def _overrides(tell: Teller, before: Mapping[str, Override], after: Mapping[str, Override]) -> Iterator[Change]:
    found = differing(before, after)
    for row in sorted(found, key=lambda each: ((found[each][1] or found[each][0]).created_at, each)):
        one, other = found[row]
        of: Override = other or one
        name = f"override of {of.quota_key} per {of.period}"
        if one is None:
            end = "" if of.expires_at is None else f" until {format_instant(of.expires_at)}"
            yield tell.added("override", of.id, other, f"{name}: {of.limit_value}{end} added")
        elif other is None:
            yield tell.removed("override", of.id, one, f"{name}: {of.limit_value} removed")
        elif members := members_of(one, other):
            texts = phrases_of(members, ("updated_at", "created_at"), bare=("limit_value",))
            yield tell.changed("override", of.id, members, f"{name}: {', '.join(texts)}")
