"""What an organization's reports say of each other: lists, usage, plan, degradation and plans for sale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from contracts.bench import Bench
from contracts.edges import EDGES, end_of
from contracts.http import Answer
from contracts.lone import Contradiction, Lone, consistent
from mock_server.engine.instants import SECOND, from_datetime, parse_instant, to_datetime

from .stock import KINDS, Stock, billing, deletion, opening, override
from .walking import everything

LISTS = {key: f"list_{'users' if kind == 'user' else key}" for kind, key in KINDS.items()}
BILLED = tuple(f"get_org_billing_{what}" for what in ("plan", "usage", "degradation", "upgrade_options"))


def counts(bench: Bench) -> None:
    """`current` of a capacity quota is how many the list shows."""
    for kind, key in KINDS.items():
        if bench.is_about(LISTS[key], BILLED[1]):
            consistent(bench, _counted(kind, key, bench.offers("writes")))


def _counted(kind: str, key: str, may_write: bool) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        if may_write:
            stock = Stock(case)
            stock.another(kind)
            if kind != "user":
                case.ask(**deletion(kind, stock.another(kind)))
        before = case.ask(**billing(case, "usage"))
        rows = everything(case, LISTS[key])
        after = case.ask(**billing(case, "usage"))
        listed = [row for row in rows.items if "revoked_at" not in row]
        now, then = (_current(each, key) for each in (before, after))
        # Somebody else may be at work there.
        if rows.is_whole and now == then != len(listed):
            expected = f"{key}: {len(listed)}, as the list has them"
            raise Contradiction(expected, f"{key}: {now}", BILLED[1], *rows.answers[:1], after)

    return check


def _current(usage: Answer, key: str) -> Any:
    return next((item["current"] for item in usage.json["items"] if item["key"] == key), None)


def limits(bench: Bench) -> None:
    """A limit that comes from the tier is the one that the tier is published with."""
    consistent(bench, _limits)
    if bench.offers("writes"):
        consistent(bench, lambda case: _limits(case, "starter"))


def _limits(case: Lone, tier: str | None = None) -> None:
    if tier is not None:
        case.ask(**billing(case, "checkout", json={"tier_slug": tier}))
    usage, plans = case.ask(**billing(case, "usage")), case.ask("get_plans", None)
    plan = next((each for each in plans.json["plans"] if each["slug"] == usage.json["tier_slug"]), None)
    if plan is None:
        return
    published = {(each["quota_key"], each["period"]): each["limit_value"] for each in plan["quotas"]}
    for item in usage.json["items"]:
        name, limit = (item["key"], item["period"]), item["limit"]
        if limit["source"]["kind"] == "tier" and limit["value"] != published.get(name, "none"):
            expected = f"{name}: {published.get(name, 'no limit of the tier')}, as the tier {plan['slug']!r} says"
            raise Contradiction(expected, f"{name}: {limit['value']}", BILLED[1], plans, usage)
        if limit["source"]["kind"] == "default" and (name in published or limit["value"] is not None):
            expected = f"{name}: {published.get(name, 'unlimited')}"
            raise Contradiction(expected, f"{name}: {limit['value']} by default", BILLED[1], plans, usage)
    shown = {(item["key"], item["period"]) for item in usage.json["items"]}
    missing = sorted(set(published) - shown)
    if missing:
        raise Contradiction(f"usage of {missing[0]}, which the tier limits", "none", BILLED[1], plans, usage)


def tiers(bench: Bench) -> None:
    """Plan, usage, subscription and upgrade options name one and the same tier."""
    consistent(bench, _tiers)
    if bench.offers("writes"):
        consistent(bench, lambda case: _tiers(case, "pro"))


def _tiers(case: Lone, tier: str | None = None) -> None:
    if tier is not None:
        case.ask(**billing(case, "checkout", json={"tier_slug": tier}))
    plan, usage = case.ask(**billing(case, "plan")), case.ask(**billing(case, "usage"))
    options, plans = case.ask(**billing(case, "upgrade_options")), case.ask("get_plans", None)
    slug, held = plan.json["tier_id"], plan.json["subscription"]
    if usage.json["tier_slug"] != slug:
        raise Contradiction(f"tier {slug!r}, as the plan says", repr(usage.json["tier_slug"]), BILLED[1], plan, usage)
    if held is not None and held["status"] in ("active", "past_due") and held["tier_slug"] != slug:
        raise Contradiction(f"tier {slug!r} in both", f"a subscription to {held['tier_slug']!r}", BILLED[0], plan)
    ranks = {each["slug"]: each["sort_order"] for each in plans.json["plans"]}
    if slug in ranks:
        above = [each for each in plans.json["plans"] if each["sort_order"] > ranks[slug]]
        if options.json["plans"] != above:
            expected = f"{[each['slug'] for each in above]}, which are above {slug!r}"
            came = str([each["slug"] for each in options.json["plans"]])
            raise Contradiction(expected, came, BILLED[3], plans, options)
    order = [each["sort_order"] for each in plans.json["plans"]]
    if order != sorted(order):
        raise Contradiction("plans by sort_order", str(order), "get_plans", plans)


def overages(bench: Bench) -> None:
    """Overages are the quotas of the usage report whose `current` is above their limit."""
    consistent(bench, _overages)
    if bench.offers("operator") and bench.offers("writes"):
        for kind in ("zone", "api_key"):
            consistent(bench, _too_many(kind))


def _too_many(kind: str) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        stock = Stock(case)
        for _ in range(2):
            stock.another(kind)
        case.ask(**override(case, KINDS[kind], 1))
        _overages(case)

    return check


def _overages(case: Lone) -> None:
    usage, status = case.ask(**billing(case, "usage")), case.ask(**billing(case, "degradation"))
    found = status.json
    reported = {each["key"]: (each["current"], each["limit"], each["excess"]) for each in found["overages"]}
    over = {
        item["key"]: (item["current"], item["limit"]["value"], item["current"] - item["limit"]["value"])
        for item in usage.json["items"]
        if item["period"] == "lifetime"
        and item["limit"]["value"] is not None
        and item["current"] > item["limit"]["value"]
    }
    if reported != over:
        raise Contradiction(f"overages {over}, as usage says", str(reported), BILLED[2], usage, status)
    if found["over_capacity"] != bool(over):
        raise Contradiction(f"over_capacity {bool(over)}", str(found["over_capacity"]), BILLED[2], status)
    beside = usage.json["degradation"]
    if beside is not None and beside != found:
        name = next(each for each in found if beside.get(each) != found[each])
        raise Contradiction(f"{name} {found[name]!r} in both reports", repr(beside.get(name)), BILLED[1], status, usage)
    over_at_all = {each["resource"] for each in found["flagged"]} - set(over)
    if over_at_all:
        raise Contradiction(f"flagged only of {sorted(over)}", f"flagged of {sorted(over_at_all)}", BILLED[2], status)


def windows(bench: Bench) -> None:
    """A window has begun and not ended, and its label is the calendar's name for it."""
    consistent(bench, _windows)
    if bench.offers("clock") and bench.offers("full") and bench.offers("writes"):
        for edge in EDGES:
            consistent(bench, _windows_at(edge, bench.offers("operator")))


def _windows_at(edge: str, by_the_week: bool) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        if by_the_week:
            case.ask(**override(case, "door_opens", 5, "week"))
        case.to(edge, -1)
        _windows(case)
        case.advance("PT1S")
        _windows(case)

    return check


def _windows(case: Lone) -> None:
    usage = case.ask(**billing(case, "usage"))
    now = case.place.clock.now() if case.place.clock is not None else _told_time(usage)
    for item in usage.json["items"]:
        name = f"{item['key']} per {item['period']}"
        if item["period"] not in ("day", "week", "month"):
            if item["period_start"] is not None or item["period_end"] is not None:
                raise Contradiction(f"no window of {name}", str(item["period_start"]), BILLED[1], usage)
            continue
        start, end = parse_instant(item["period_start"]), parse_instant(item["period_end"])
        if end_of(item["period"], start) != end or end_of(item["period"], start - SECOND) != start:
            came = f"{item['period_start']} to {item['period_end']}"
            raise Contradiction(f"{name}: a whole {item['period']} in UTC", came, BILLED[1], usage)
        # A clock that runs may have passed the end while the answer was on its way.
        if now is not None and not start <= now < end + (0 if case.place.clock is not None else 60 * SECOND):
            came = f"{item['period_start']} to {item['period_end']}"
            raise Contradiction(f"{name}: the one that {_iso(now)} is in", came, BILLED[1], usage)
        if item["period_label"] != _label(item["period"], to_datetime(start)):
            expected = _label(item["period"], to_datetime(start))
            raise Contradiction(f"{name}: {expected}", item["period_label"], BILLED[1], usage)


def _told_time(answer: Answer) -> int | None:
    date = answer.header("date")
    try:
        return None if date is None else from_datetime(parsedate_to_datetime(date).astimezone(UTC))
    except ValueError:
        return None


def _label(period: str, start: datetime) -> str:
    if period == "week":
        year, week, _ = start.isocalendar()
        return f"week:{year}-W{week:02}"
    return f"{period}:{start:%Y-%m-%d}" if period == "day" else f"{period}:{start:%Y-%m}"


def _iso(now: int) -> str:
    return to_datetime(now).isoformat(timespec="seconds")


def uses(bench: Bench) -> None:
    """What is let through counts once, in every window."""
    consistent(bench, _uses)


def _uses(case: Lone) -> None:
    door = Stock(case)["entity"]
    before = case.ask(**billing(case, "usage"))
    case.ask(**opening(door))
    after = case.ask(**billing(case, "usage"))
    for old, new in zip(before.json["items"], after.json["items"], strict=False):
        more = 1 if new["key"] == "door_opens" else 0
        if (old["key"], old["period"], old["current"] + more) != (new["key"], new["period"], new["current"]):
            expected = f"{old['current'] + more} {new['key']} per {new['period']} after {old['current']}"
            raise Contradiction(expected, str(new["current"]), BILLED[1], before, after)


def active(bench: Bench) -> None:
    """An override counts until it expires: the export and the usage report agree on it."""
    if bench.offers("writes"):
        for expires in (None, "PT1H"):
            consistent(bench, _in_force(expires))
    else:
        consistent(bench, _exported)


def _in_force(expires: str | None) -> Callable[[Lone], None]:
    def check(case: Lone) -> None:
        made = case.ask(**override(case, "zones", 1, expires=expires))
        export = _exported(case)
        row = next((each for each in export.json["overrides"] if each["id"] == made.json["id"]), None)
        if row != made.json:
            raise Contradiction(
                f"the override as it was answered: {made.json}", str(row), "get_admin_quota_overrides", export
            )
        usage = case.ask(**billing(case, "usage"))
        limit = next(item["limit"] for item in usage.json["items"] if item["key"] == "zones")
        if limit["value"] != 1 or limit["source"]["kind"] != "override":
            raise Contradiction("zones: 1, by the override", str(limit), BILLED[1], usage)

    return check


def _exported(case: Lone) -> Answer:
    export = case.ask("get_admin_quota_overrides", "operator")
    now = case.place.clock.now() if case.place.clock is not None else _told_time(export)
    seen: set[tuple[str, ...]] = set()
    for row in export.json["overrides"]:
        ends = None if row["expires_at"] is None else parse_instant(row["expires_at"])
        # Not within a minute of its end, where clocks may differ.
        if (
            now is not None
            and (ends is None or abs(ends - now) > 60 * SECOND)
            and row["active"] != (ends is None or ends > now)
        ):
            expected = f"active {not row['active']} for one that ends {row['expires_at']}, at {_iso(now)}"
            raise Contradiction(expected, f"active {row['active']}", "get_admin_quota_overrides", export)
        name = (row["subject_id"], row["quota_key"], row["period"])
        if name in seen:
            raise Contradiction(f"one override of {name}", "two", "get_admin_quota_overrides", export)
        seen.add(name)
    return export
