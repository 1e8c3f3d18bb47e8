"""Two states compared: nothing is missed, nothing made up, nothing secret told, and little looked at where little changed."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.openapp.api import API
from mock_server.apis.openapp.model import comparison, differences, holding_differences
from mock_server.apis.openapp.model.checkout import checkout
from mock_server.apis.openapp.model.resources import KINDS, SINGULAR, creation
from mock_server.apis.openapp.model.state import OpenApp
from mock_server.engine.changes import Change, summarized
from mock_server.engine.kernel import decide
from mock_server.engine.world import WorldState

from .acting import (
    A_FULL_LIFE,
    ACME,
    GLOBEX,
    ROOT,
    START,
    Command,
    act,
    commands,
    creates,
    domain,
    everything,
    happened,
    histories,
    world,
)

few = st.lists(commands, max_size=6)
HOSTED: list[Command] = [("settings", {"checkout": "hosted"}), ("tier", 1, "business")]


def compared(before: WorldState | OpenApp, after: WorldState | OpenApp) -> list[Change]:
    return API.compared(*(each if isinstance(each, OpenApp) else domain(each) for each in (before, after)))


def written(state: WorldState | OpenApp) -> bytes:
    """All that a state holds but the number of what comes next."""
    kept = API.dump(state if isinstance(state, OpenApp) else domain(state))
    return msgspec.json.encode({**kept, "serial": 0}, order="sorted")


def text_of(changes: list[Change], org_id: str | None = ACME) -> str:
    subject = next((each.subject for each in changes if each.org == org_id), "")
    return next((line for line in summarized(changes) if line.startswith(f"{subject}: ")), "")


@given(histories, few, few)
def test_there_are_changes_exactly_where_states_differ(
    history: list[Command], one: list[Command], other: list[Command]
):
    """Along one life, and between two lives that have gone apart."""
    start = happened(world(), history)
    left, right = happened(start, one), happened(start, other)
    for before, after in ((start, left), (left, right), (world(), right)):
        assert (compared(before, after) == []) == (written(before) == written(after))


@given(histories)
def test_a_state_read_back_is_the_same(history: list[Command]) -> None:
    """Though not one object in it is."""
    state = domain(happened(world(), history))
    assert compared(state, API.load(json.loads(msgspec.json.encode(API.dump(state))))) == []


@given(histories, few, few)
def test_backwards_the_same_has_changed(history: list[Command], one: list[Command], other: list[Command]) -> None:
    start = happened(world(), history)
    left, right = happened(start, one), happened(start, other)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    there = Counter(
        short(each.org, each.kind, each.id, each.what, {name: list(pair) for name, pair in each.fields.items()})
        for each in compared(left, right)
    )
    back = Counter(
        short(each.org, each.kind, each.id, turned[each.what], {n: [b, a] for n, (a, b) in each.fields.items()})
        for each in compared(right, left)
    )
    assert there == back


def short(*values: Any) -> bytes:
    return msgspec.json.encode(values, order="sorted")


@given(histories, few)
def test_changes_are_data_that_can_be_shown(history: list[Command], more: list[Command]) -> None:
    start = happened(world(), history)
    for change in compared(start, happened(start, more)) + compared(world("demo"), start):
        assert change.text
        assert len(change.text) <= 2_000
        assert len(change.id) <= 400
        assert len(change.fields) <= 100
        for before, after in change.fields.values():
            assert change.what != "added" or before is None
            assert change.what != "removed" or after is None
            # Several lists that look the same in Python would be one and the same as JSON.
            assert change.what != "changed" or short(before) != short(after)
        assert json.loads(msgspec.json.encode(change.fields)).keys() == change.fields.keys()


SECTIONS = (
    "organization", "subscription", "checkout", "lifecycle", "flag", "override",
    "integration", "device", "zone", "entity", "api_key", "user", "execution", "meter", "session",
)  # fmt: skip
OF_THE_WORLD = ("setting", "tier", "credential", "webhook_secret", "portal")


@given(histories, few)
def test_the_order_is_that_of_the_things(history: list[Command], more: list[Command]) -> None:
    start = happened(world(), history)
    end = happened(start, more)
    orgs = sorted(domain(end).orgs.values(), key=creation)
    places = {org.id: n for n, org in enumerate(orgs)}
    rows = {row.id: row for state in (world(), start, end) for kind in KINDS for row in everything(domain(state), kind)}

    def place(change: Change) -> Any:
        if change.org is None:
            return len(places), OF_THE_WORLD.index(change.kind), (0, 0)
        is_resource = change.kind in {SINGULAR[kind].lower().replace(" ", "_") for kind in KINDS}
        return places[change.org], SECTIONS.index(change.kind), creation(rows[change.id]) if is_resource else (0, 0)

    for changes in (compared(start, end), compared(world(), end)):
        assert changes == sorted(changes, key=place)


@given(st.lists(creates, min_size=30, max_size=60), st.lists(commands, min_size=1, max_size=3))
def test_what_is_one_and_the_same_is_not_looked_into(stock: list[Command], more: list[Command]) -> None:
    start = happened(world("demo"), [("tier", 0, "business"), ("tier", 1, "business"), *stock])
    end, looked = happened(start, more), []

    def counting(before: msgspec.Struct, after: msgspec.Struct) -> Any:
        looked.append(after)
        return comparison.members_of(before, after)

    with pytest.MonkeyPatch.context() as monkeypatch:
        for module in (differences, holding_differences):
            monkeypatch.setattr(module, "members_of", counting)
        changes = compared(start, end)
    assert len(looked) <= len(changes) + 3


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not entries:
        yield path
    for key, below in entries:
        yield from leaves(below, (*path, key))


def full() -> OpenApp:
    return domain(happened(world(), [*A_FULL_LIFE, *HOSTED]))


def others(value: Any, alike: list[Any]) -> list[Any]:
    """What else could stand in a leaf's place: what stands in others of its name, or something made up."""
    made: list[Any] = [not value] if isinstance(value, bool) else []
    made += [value + 1, value - 1] if isinstance(value, int) else []
    made += [f"{value}x"] if isinstance(value, str) else []
    made += [
        "zz",
        "manual",
        "real",
        "door",
        "off",
        "hosted",
        "succeeded",
        "canceled",
        "guest_directory",
        "+4930123456",
        "0" * 64,
    ]
    return [*alike, *made, {}, [], {"stripe": []}, True, 3, 10_000, START, None]


def test_every_member_that_a_state_holds_is_compared() -> None:
    """Each leaf of a full state is changed alone; whatever can be read back so is told, in one place."""
    state = full()
    kept = json.loads(msgspec.json.encode(API.dump(state)))
    seen: Counter[tuple[Any, ...]] = Counter()
    told: set[tuple[Any, ...]] = set()
    alike: dict[Any, list[Any]] = {}
    for path in leaves(kept):
        values = alike.setdefault(path[-1], [])
        values += [] if found(kept, path) in values else [found(kept, path)]
    for path in leaves(kept):
        sort = tuple("*" if isinstance(step, int) else step for step in path)
        seen[sort] += 1
        if seen[sort] > 2 or path == ("serial",):
            continue
        for value in others(found(kept, path), alike[path[-1]]):
            changed = copy.deepcopy(kept)
            found(changed, path[:-1])[path[-1]] = value
            try:
                loaded = API.load(changed)
            except ValueError:
                continue
            if written(loaded) == written(state):
                continue
            assert compared(state, loaded), f"{path}: {found(kept, path)!r} -> {value!r}"
            assert compared(loaded, state)
            told.add(sort)
            break
    members = {path[-1] for path in told}
    assert members >= {
        "warn_days", "sort_order", "revoked", "stripe", "mode", "email", "limit_value", "since", "flagged_at", "keep",
        "last_used_at", "in_week", "used", "fails_with", "digest", "status", "alias", "selection_policy", "secret",
    }  # fmt: skip


def found(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_orders_that_are_kept_are_compared() -> None:
    """Of flags, and of sessions, the last of which a report shows."""
    kept = json.loads(msgspec.json.encode(API.dump(domain(world()))))
    turned = copy.deepcopy(kept)
    turned["orgs"][0]["lifecycle"]["flags"].reverse()
    assert [each.text for each in compared(API.load(kept), API.load(turned))] == ["order of the flags changed"]
    consumed: list[Command] = [("consume", "video_session_duration_seconds", n) for n in (0, 2)]
    one, other = happened(world("demo"), consumed), happened(world("demo"), consumed[::-1])
    texts = [each.text for each in compared(one, other)]
    assert texts == ["order of the sessions of video_session_duration_seconds changed"]


@pytest.mark.parametrize("values", [(1, True), (1, 1.0), (0, False), ([1], [True]), ({"a": 0}, {"a": False})], ids=str)
def test_values_that_json_tells_apart_are_told_apart(values: tuple[Any, Any]) -> None:
    scripts = [("script", 0, f"# mock: result {json.dumps(value)}") for value in values]
    one, other = (happened(world("demo"), [script]) for script in scripts)
    assert [(each.kind, list(each.fields)) for each in compared(one, other)] == [("execution", ["result"])]


@given(histories)
def test_nothing_secret_is_told(history: list[Command]) -> None:
    end = domain(happened(world(), history))
    for before, after in ((domain(world("demo")), end), (end, domain(world("empty"))), (domain(world("empty")), end)):
        told = msgspec.json.encode(compared(before, after)).decode()
        for state in (before, after):
            for secret in secrets_of(state):
                assert secret not in told


def secrets_of(state: OpenApp) -> list[str]:
    keys = everything(state, "api_keys")
    credentials = [(digest, each.secret) for digest, each in state.credentials.items()]
    return [
        *(each for pair in credentials for each in pair),
        *(secret for secrets in state.webhook_secrets.values() for secret in secrets),
        *(row.digest for row in keys),
        *("acme-laptop", "acme-wall-panel", "acme-voice", "acme-backup"),
    ]


def changed(change: Mapping[tuple[Any, ...], Any]) -> list[Change]:
    """What is told when these members of a saved world are others. An organization stands in a path by its id."""
    kept = json.loads(msgspec.json.encode(API.dump(full())))
    places = {entry["org"]["id"]: n for n, entry in enumerate(kept["orgs"])}
    other = copy.deepcopy(kept)
    for path, value in change.items():
        *steps, last = (places.get(step, step) for step in path)
        found(other, tuple(steps))[last] = value
    return compared(API.load(kept), API.load(other))


def test_new_secrets_are_told_without_them() -> None:
    changes = changed(
        {
            ("credentials", 0, "secret"): "another-one",
            ("webhook_secrets", "stripe"): "whsec_other",
            ("orgs", ACME, "api_keys", 0, "digest"): "0" * 64,
            ("orgs", ACME, "api_keys", 0, "token_suffix"): "abcd",
        }
    )
    assert [(each.what, each.text, dict(each.fields)) for each in changes] == [
        ("changed", "API key 'Laptop' secret changed", {}),
        ("changed", "credential 'owner of Acme Doors' secret changed", {}),
        ("changed", "webhook secret of stripe changed", {}),
    ]


def test_a_downgrade_in_a_line() -> None:
    start = happened(world("demo"), [("create", "integrations", 1, None, None)])
    start = happened(start, [("create", "devices", 1, 0, None) for _ in range(8)])
    end, _ = act(start, ("tier", 1, "free"))
    changes = compared(start, end)
    assert summarized(changes) == ["Globex Gates: tier pro -> free, stage none -> warned, 3 devices flagged"]
    assert changes[0].fields["tier_slug"] == ("pro", "free")
    assert changes[0].fields["subscription.tier_slug"] == ("pro", "free")
    assert changes[1].fields["since"] == (None, end.clock.now)


LIFE: list[tuple[Command, str]] = [
    (("create", "integrations", 1, None, None), "integration 'Virtual Demo' added"),
    (("create", "zones", 1, 0, None), "zone 'Hof' added"),
    (("create", "devices", 1, 0, 0), "device 'Gate' added"),
    (("create", "api_keys", 1, None, None), "API key 'key' added"),
    (("use key", 0), "API key 'key' used"),
    (("keep", "devices", 0, True), "device 'Gate' pinned"),
    (("keep", "devices", 0, False), "device 'Gate' released"),
    (("delete", "zones", 0, True), "device 'Gate' detached from its zone, zone 'Hof' deleted"),
    (("restore", "zones", 0), "zone 'Hof' restored"),
    (("delete", "api_keys", 0, True), "API key 'key' revoked"),
    (("purge", "api_keys", 0), "API key 'key' purged"),
    (("limit", 1, "devices", 500, None), "override of devices per lifetime: 500 added"),
    (("limit", 1, "devices", 600, None), "override of devices per lifetime: 500 -> 600"),
    (("policy", 1, "manual"), "selection policy newest_first -> manual"),
    (("consume", "door_opens", 1), "door_opens 2 -> 4 (day)"),
    (("wait", 86_400), ""),
    (("consume", "door_opens", 1), "door_opens 4 on 2024-02-29 -> 2 on 2024-03-01 (day)"),
]


def test_a_life_in_lines() -> None:
    state, _ = act(world("demo"), ("tier", 0, "pro"))
    state, _ = act(state, ("consume", "door_opens", 1))
    for command, line in LIFE:
        after, _ = act(state, command)
        said = text_of(compared(state, after), GLOBEX)
        assert said == (f"Globex Gates: {line}" if line else ""), command
        state = after


def test_a_hosted_checkout_is_told_from_its_beginning_to_its_end() -> None:
    start, _ = act(world("demo"), HOSTED[0])
    state, _ = decide(start, "openapp", lambda s, c: checkout(s, c, ROOT, ACME, "pro"), start.clock.now)
    assert text_of(compared(start, state)) == "Acme Doors: checkout of pro pending"
    kept = json.loads(msgspec.json.encode(API.dump(domain(state))))
    org = kept["orgs"][0]["org"]
    org["subscription"], org["pending"], org["tier_slug"] = {**org["pending"], "status": "active"}, None, "pro"
    name = org["subscription"]["external_id"]
    assert text_of(compared(domain(state), API.load(kept))) == (
        f"Acme Doors: tier free -> pro, subscription {name} to pro added (active), checkout of pro paid"
    )


def test_a_canceled_subscription_and_the_settings() -> None:
    changes = changed(
        {
            ("orgs", ACME, "org", "subscription", "status"): "canceled",
            ("settings", "warn_days"): 3,
            ("settings", "lifecycle_enabled"): False,
            ("tiers", 2, "quotas", "devices", "lifetime"): 300,
            ("credentials", 0, "revoked"): True,
            ("portals", 0, "name", "en"): "Back",
        }
    )
    assert summarized(changes) == [
        "Acme Doors: subscription sub_demo_acme active -> canceled",
        "the world: lifecycle_enabled true -> false, warn_days 7 -> 3, tier pro: devices per lifetime 200 -> 300, "
        "credential 'owner of Acme Doors' revoked false -> true, "
        "public portal 'Back' name 'Acme front door' -> 'Back'",
    ]


def test_a_user_of_two_organizations_is_told_in_both() -> None:
    start = world("demo")
    joined, _ = act(start, ("user", (0, 1)))
    lines = ["Acme Doors: user 'Uma' added", "Globex Gates: user 'Uma' added"]
    assert summarized(compared(start, joined)) == lines
    kept = json.loads(msgspec.json.encode(API.dump(domain(joined))))
    user = next(each for each in kept["users"] if each["name"] == {"en": "Uma"})
    user["roles"][GLOBEX], user["phone"] = ["owner", "member"], "+4930123456"
    assert summarized(compared(domain(joined), API.load(kept))) == [
        "Acme Doors: user 'Uma' phone none -> +4930123456",
        "Globex Gates: user 'Uma' member -> owner, member",
    ]
    del user["roles"][ACME]
    user["updated_at"] += 1
    assert summarized(compared(domain(joined), API.load(kept))) == [
        "Acme Doors: user 'Uma' removed",
        "Globex Gates: user 'Uma' member -> owner, member, phone none -> +4930123456",
    ]
