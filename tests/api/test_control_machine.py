"""Any sequence of commands to any worlds: each is as a simple model of it says, and none sees what another does."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.app import create_app, create_mock
from mock_server.http.delivery import ConnectionLost

from .client import ACME, WALL, Answer, Client
from .control_model import SECOND, ZONES, Fault, Line, Modelled, Snapshot, State, shown

IS_NIGHTLY = bool(os.environ.get("MOCKBILL_NIGHTLY"))
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
MARCH = 1_772_323_200 * SECOND  # 2026-03-01T00:00:00Z
NAMES = ("demo", "blue", "green", "red")
OPERATIONS = ("get_plans", "create_zone", "post_org_billing_checkout")
SETTINGS: dict[str, Any] = {"checkout": "instant", "portal": "on", "webhook_tolerance_s": 300, "warn_days": 7}
CHANGES: tuple[dict[str, Any], ...] = (
    {"checkout": "instant"},
    {"checkout": "hosted"},
    {"portal": "on", "warn_days": 7},
    {"portal": "off", "webhook_tolerance_s": 900},
    {"webhook_tolerance_s": 300, "warn_days": 0},
)
RULES = st.builds(
    lambda what, which: {**what, **which},
    st.sampled_from(
        [
            {"when": "before", "do": "answer", "status": 503, "retry_after": 3},
            {"when": "before", "do": "answer", "status": 404},
            {"when": "before", "do": "lose"},
            {"when": "before", "do": "delay", "delay": {"distribution": "fixed", "ms": 50}},
            {"when": "before", "do": "malform", "how": "html"},
            {"when": "after", "do": "answer", "status": 500},
            {"when": "after", "do": "lose", "how": "reset"},
            {"when": "after", "do": "truncate", "keep": 2},
            {"when": "after", "do": "malform", "how": "empty"},
            {"when": "after", "do": "delay", "delay": {"distribution": "uniform", "min_ms": 1, "max_ms": 9}},
            {"when": "duplicate", "do": "repeat"},
        ]
    ),
    st.sampled_from(
        [
            {},
            {"count": 1},
            {"skip": 1, "count": 2},
            {"probability": 0},
            {"method": "POST"},
            {"operation": "create_zone"},
            {"operation": "post_org_billing_checkout", "probability": 1},
        ]
    ),
)
NO_FAULTS = (
    {"when": "before", "do": "truncate"},
    {"when": "after", "do": "repeat"},
    {"when": "before", "do": "answer"},
    {"when": "after", "do": "lose", "keep": 3},
    {"when": "after", "do": "lose", "how": "html"},
    {"when": "after", "do": "lose", "operation": "no_such_operation"},
    {"when": "after", "do": "delay", "delay": {"distribution": "fixed"}},
)
NO_SETTINGS = ({"portal": "ajar"}, {"no": 1}, {"warn_days": -1, "portal": "off"})
COMMANDS = (
    ("GET", "", None),
    ("DELETE", "", None),
    ("POST", "/reset", None),
    ("POST", "/fork", {"name": "red"}),
    ("GET", "/snapshots", None),
    ("POST", "/snapshots", {}),
    ("DELETE", "/snapshots/first", None),
    ("POST", "/snapshots/first/restore", None),
    ("GET", "/diff?with=demo", None),
    ("GET", "/requests", None),
    ("DELETE", "/requests", None),
    ("GET", "/requests/1", None),
    ("GET", "/requests/export?format=har", None),
    ("GET", "/audit", None),
    ("GET", "/faults", None),
    ("POST", "/faults", {"when": "after", "do": "lose"}),
    ("DELETE", "/faults", None),
    ("GET", "/clock", None),
    ("POST", "/clock", {"step": True}),
    ("GET", "/clock/agenda", None),
    ("GET", "/settings", None),
    ("PATCH", "/settings", {"portal": "off"}),
    ("GET", "/state", None),
    ("GET", "/credentials", None),
)
_ENDS = {"lose": "lost", "truncate": "truncated", "malform": "malformed", "answer": "replaced"}
_WORLDS = st.integers(0, 3)
_KEPT = st.integers(0, 3)


class ControlApi(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.wall = WALL
        self.mock = create_mock(wall=lambda: self.wall, fresh_seed=lambda: 7, sleep=_at_once)
        self.client = Client(create_app(self.mock))
        first = State(7, "running", WALL, WALL, dict(SETTINGS), stamps=[WALL])
        self.worlds = {"demo": Modelled(first, first.copy())}
        self.seen: dict[str, tuple[Any, int]] = {}
        self.touched: set[str] = set(NAMES)
        self.events = 0

    def teardown(self) -> None:
        self.runner.close()

    # -- asking ---------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        path, _, query = path.partition("?")
        more = {} if body is None else {"json": body}
        return self.runner.run(self.client.ask(method, path, key=key, query=query.encode(), **more))

    def control(self, name: str, method: str, path: str = "", body: Any = None) -> Answer:
        self.touched.add(name)
        return self.ask(method, f"/_mock/worlds/{name}{path}", body)

    def refused(self, answer: Answer, status: int, code: str) -> None:
        assert (answer.status, answer.code) == (status, code), answer.body

    def stamp(self, state: State) -> None:
        self.events += 1
        state.stamps.append(self.events)

    def pick(self, number: int) -> tuple[str, Modelled]:
        """A world to command. The machine's clock goes on from command to command."""
        self.wall += SECOND
        names = list(self.worlds)
        name = names[number % len(names)]
        return name, self.worlds[name]

    @initialize()
    def begin_with_a_clock_of_its_own(self) -> None:
        self.create("blue", 3, 0, "running")

    # -- worlds ---------------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES),
        seed=st.integers(1, 9),
        days=st.none() | st.integers(0, 40),
        mode=st.sampled_from([None, "frozen", "running"]),
    )
    def create(self, name: str, seed: int, days: int | None, mode: str | None) -> None:
        now = None if days is None else MARCH + days * DAY
        body = {"name": name, "seed": seed, **({} if now is None else {"now": shown(now)})}
        answer = self.ask("POST", "/_mock/worlds", body if mode is None else {**body, "clock": mode})
        if name in self.worlds:
            self.refused(answer, 409, "world_exists")
            return
        assert answer.status == 201, answer.body
        assert answer.headers["location"].endswith(f"/_mock/worlds/{name}")
        mode = mode or ("running" if now is None else "frozen")
        begun = self.wall if now is None else now
        state = State(seed, mode, begun, self.wall, dict(SETTINGS), stamps=[begun])
        self.worlds[name] = Modelled(state, state.copy())
        self.touched.add(name)

    @rule(parent=_WORLDS, other=st.integers(0, 4))
    def fork(self, parent: int, other: int) -> None:
        parent_name, held = self.pick(parent)
        free = [each for each in NAMES if each not in self.worlds]
        name = [*free, "demo"][other % (len(free) + 1)]
        answer = self.control(parent_name, "POST", "/fork", {"name": name})
        if name in self.worlds:
            self.refused(answer, 409, "world_exists")
            return
        assert answer.status == 201, answer.body
        state = held.state.going_on(held.state.read(self.wall), self.wall)
        self.worlds[name] = Modelled(state, state.copy())
        self.touched.add(name)

    @rule(world=_WORLDS)
    def reset(self, world: int) -> None:
        name, held = self.pick(world)
        assert self.control(name, "POST", "/reset").status == 200
        held.state = held.initial.going_on(held.initial.now, self.wall)
        held.answered_before += held.answered
        held.faults, held.journal, held.answered, held.made = {}, [], 0, 0

    @rule(world=_WORLDS)
    def delete(self, world: int) -> None:
        name, _ = self.pick(world)
        answer = self.control(name, "DELETE")
        if name == "demo":
            self.refused(answer, 409, "default_world_stays")
            return
        assert answer.status == 204
        del self.worlds[name]
        self.refused(self.ask("GET", f"/w/{name}/api/v1/plans"), 404, "unknown_world")

    # -- time -----------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 3_600, 100_000]))
    def time_passes(self, seconds: int) -> None:
        self.wall += seconds * SECOND

    def move(self, name: str, body: dict[str, Any], wanted: int) -> None:
        state = self.worlds[name].state
        now = state.read(self.wall)
        answer = self.control(name, "POST", "/clock", body)
        assert answer.status == 200, answer.body
        due = [end for end in state.scheduled(now) if end <= wanted]
        assert (answer.json["now"], answer.json["fell_due"]) == (shown(wanted), len(due))
        assert [each["at"] for each in answer.json["timeline"]] == [shown(end) for end in due]
        state.set_to(wanted, self.wall)

    @rule(world=_WORLDS, hours=st.sampled_from([0, 1, 25, 24 * 40]))
    def advance(self, world: int, hours: int) -> None:
        name, held = self.pick(world)
        self.move(name, {"advance": f"PT{hours}H"}, held.state.read(self.wall) + hours * HOUR)

    @rule(world=_WORLDS, hours=st.sampled_from([-1000, -1, 0, 30]))
    def set_clock(self, world: int, hours: int) -> None:
        name, held = self.pick(world)
        wanted = held.state.read(self.wall) + hours * HOUR
        if hours < 0:
            self.refused(self.control(name, "POST", "/clock", {"set": shown(wanted)}), 409, "clock_goes_back")
        else:
            self.move(name, {"set": shown(wanted)}, wanted)

    @rule(world=_WORLDS)
    def step(self, world: int) -> None:
        name, held = self.pick(world)
        ahead = held.state.scheduled(held.state.read(self.wall))
        if ahead:
            self.move(name, {"step": True}, ahead[0])
        else:
            self.refused(self.control(name, "POST", "/clock", {"step": True}), 409, "nothing_due")

    @rule(world=_WORLDS, mode=st.sampled_from(["frozen", "running"]))
    def change_mode(self, world: int, mode: str) -> None:
        name, held = self.pick(world)
        held.state.set_to(held.state.read(self.wall), self.wall)
        held.state.mode = mode
        assert self.control(name, "POST", "/clock", {"mode": mode}).json["mode"] == mode

    # -- snapshots ------------------------------------------------------------------------------------------------

    @rule(world=_WORLDS, name=st.sampled_from([None, "first", "snapshot-2"]))
    def take_snapshot(self, world: int, name: str | None) -> None:
        world_name, held = self.pick(world)
        answer = self.control(world_name, "POST", "/snapshots", {} if name is None else {"id": name})
        if name in held.snapshots:
            self.refused(answer, 409, "snapshot_exists")
            return
        assert answer.status == 201, answer.body
        name = name or held.name_for("snapshot")
        assert answer.json["id"] == name
        held.snapshots[name] = Snapshot(held.state.copy(), self.wall, held.state.read(self.wall), answer.json)

    @rule(world=_WORLDS, which=_KEPT)
    def restore_snapshot(self, world: int, which: int) -> None:
        world_name, held = self.pick(world)
        name = _one_of(held.snapshots, which)
        answer = self.control(world_name, "POST", f"/snapshots/{name}/restore")
        if name not in held.snapshots:
            self.refused(answer, 404, "not_found")
            return
        snapshot = held.snapshots[name]
        assert answer.status == 200, answer.body
        held.state = snapshot.state.going_on(snapshot.now, self.wall)
        if held.state.mode == "frozen":
            assert answer.json["revision"] == snapshot.answer["revision"]

    @rule(world=_WORLDS, which=_KEPT)
    def delete_snapshot(self, world: int, which: int) -> None:
        world_name, held = self.pick(world)
        name = _one_of(held.snapshots, which)
        answer = self.control(world_name, "DELETE", f"/snapshots/{name}")
        if held.snapshots.pop(name, None) is None:
            self.refused(answer, 404, "not_found")
        else:
            assert answer.status == 204

    # -- comparing and carrying over ------------------------------------------------------------------------------

    @rule(world=_WORLDS, other=st.integers(0, 3))
    def compare_with_a_world(self, world: int, other: int) -> None:
        (one_name, one), (other_name, two) = self.pick(world), self.pick(other)
        answer = self.control(one_name, "GET", f"/diff?with={other_name}")
        before, after = one.state.read(self.wall), two.state.read(self.wall)
        self.check_comparison(answer, (one.state, before), (two.state, after))

    @rule(world=_WORLDS, which=_KEPT)
    def compare_with_a_snapshot(self, world: int, which: int) -> None:
        world_name, held = self.pick(world)
        name = _one_of(held.snapshots, which)
        answer = self.control(world_name, "GET", f"/diff?snapshot={name}")
        snapshot = held.snapshots.get(name)
        if snapshot is None:
            self.refused(answer, 404, "not_found")
        else:
            now = held.state.read(self.wall)
            self.check_comparison(answer, (snapshot.state, snapshot.now), (held.state, now))

    def check_comparison(self, answer: Answer, before: tuple[State, int], after: tuple[State, int]) -> None:
        assert answer.status == 200, answer.body
        (one, then), (two, now) = before, after
        kinds = {each["kind"] for each in answer.json["differences"]}
        assert ("clock" in kinds) == ((then, one.mode) != (now, two.mode))
        assert ("setting" in kinds) == (one.settings != two.settings)
        if one.same_as(two):
            assert kinds <= {"clock"}, answer.body
        if one.looks(then) != two.looks(now):
            assert answer.json["lines"], answer.body
        if set(one.zones) != set(two.zones):
            assert "zone" in kinds, answer.body

    @rule(world=_WORLDS, other=st.integers(0, 3))
    def put_the_state_of_one_into_another(self, world: int, other: int) -> None:
        (one_name, one), (other_name, two) = self.pick(world), self.pick(other)
        document = self.control(one_name, "GET", "/state").json
        answer = self.control(other_name, "PUT", "/state", document)
        assert answer.status == 200, answer.body
        now = one.state.read(self.wall)
        two.state = one.state.copy()
        two.state.set_to(now, self.wall)
        again = self.control(other_name, "GET", "/state").json
        assert again == document

    # -- settings, usage ------------------------------------------------------------------------------------------

    @rule(world=_WORLDS, changes=st.sampled_from(CHANGES))
    def change_settings(self, world: int, changes: dict[str, Any]) -> None:
        name, held = self.pick(world)
        held.state.settings.update(changes)
        answer = self.control(name, "PATCH", "/settings", changes)
        assert answer.json["settings"].items() >= held.state.settings.items()

    @rule(world=_WORLDS, amount=st.sampled_from([1, 30, 50, 400]))
    def consume(self, world: int, amount: int) -> None:
        name, held = self.pick(world)
        answer = self.control(name, "POST", "/usage", {"org": ACME, "key": "door_opens", "amount": amount})
        now = held.state.read(self.wall)
        if held.state.use(amount, now):
            assert answer.status == 200, answer.body
            assert answer.json["usage"][0]["current"] == held.state.opens[shown(now)[:10]]
            self.stamp(held.state)
        else:
            self.refused(answer, 429, "quota_exceeded")

    # -- faults ---------------------------------------------------------------------------------------------------

    @rule(world=_WORLDS, fault=RULES, name=st.sampled_from([None, "f", "fault-2"]))
    def add_fault(self, world: int, fault: dict[str, Any], name: str | None) -> None:
        world_name, held = self.pick(world)
        answer = self.control(world_name, "POST", "/faults", fault if name is None else {**fault, "id": name})
        if name in held.faults:
            self.refused(answer, 409, "fault_exists")
            return
        assert answer.status == 201, answer.body
        name = name or held.name_for("fault")
        assert answer.json["id"] == name
        held.faults[name] = Fault({**fault, "id": name})
        self.read_plans(world, 1)
        self.check_out(world, 1, "pro")
        self.create_zones(world, 1)

    @rule(world=_WORLDS, which=_KEPT)
    def remove_fault(self, world: int, which: int) -> None:
        world_name, held = self.pick(world)
        name = _one_of(held.faults, which)
        answer = self.control(world_name, "DELETE", f"/faults/{name}")
        if held.faults.pop(name, None) is None:
            self.refused(answer, 404, "not_found")
        else:
            assert answer.status == 204

    @rule(world=_WORLDS)
    def clear_faults(self, world: int) -> None:
        name, held = self.pick(world)
        assert self.control(name, "DELETE", "/faults").status == 204
        held.faults = {}

    # -- requests to the API, which faults may hit ----------------------------------------------------------------

    @rule(world=_WORLDS, times=st.integers(1, 3))
    def read_plans(self, world: int, times: int) -> None:
        for _ in range(times):
            self.visit(self.pick(world)[0], "get_plans", "/plans", None, lambda _: 200)

    @rule(world=_WORLDS, times=st.integers(1, 3), tier=st.sampled_from(["free", "starter", "pro"]))
    def check_out(self, world: int, times: int, tier: str) -> None:
        def work(state: State) -> int:
            if state.settings["checkout"] == "instant" or tier == "free":
                state.tier = tier
            self.stamp(state)
            return 200

        path = f"/orgs/{ACME}/billing/checkout"
        for _ in range(times):
            self.visit(self.pick(world)[0], "post_org_billing_checkout", path, {"tier_slug": tier}, work)

    @rule(world=_WORLDS, times=st.integers(1, 4))
    def create_zones(self, world: int, times: int) -> None:
        for _ in range(times):
            name, held = self.pick(world)
            if _has_room(held):
                self.create_zone(name)

    def create_zone(self, name: str) -> None:
        self.events += 1
        zone = f"zone {self.events}"

        def work(state: State) -> int:
            if len(state.zones) >= ZONES.get(state.tier, 50):
                return 429
            state.zones.append(zone)
            self.stamp(state)
            return 200

        self.visit(name, "create_zone", "/zones", {"name": zone}, work)

    def visit(self, name: str, operation: str, path: str, body: Any, work: Any) -> None:
        """Send a request, and let the model's faults act on what it does."""
        held = self.worlds[name]
        method = "GET" if body is None else "POST"
        repeats = held.struck("duplicate", operation)
        if repeats:
            self.carry_out(held, operation, work, repeats)
        line, ends = self.carry_out(held, operation, work, [])
        self.touched.add(name)
        try:
            answer = self.ask(method, f"/w/{name}/api/v1{path}", body, "demo-owner")
        except ConnectionLost:
            assert ends in ("lose", "truncate"), ends
            return
        assert ends not in ("lose", "truncate"), answer.body
        assert (answer.status, answer.headers["x-mock-request"]) == (line.status, str(line.number)), answer.body

    def carry_out(self, held: Modelled, operation: str, work: Any, repeats: list[Any]) -> tuple[Line, str]:
        held.answered += 1
        acting = list(repeats)
        before = held.struck("before", operation)
        acting += before
        ends, status = (before[-1]["do"] if before else "delay"), 0
        rule_that_ends = before[-1] if before else {}
        if ends == "delay":
            status = work(held.state)
            after = held.struck("after", operation)
            acting += after
            ends = after[-1]["do"] if after else "delay"
            rule_that_ends = after[-1] if after else {}
        if ends == "answer":
            status = rule_that_ends["status"]
        elif ends == "malform" and rule_that_ends["how"] == "html":
            status = 502
        delays = any(each["do"] == "delay" for each in acting)
        delivery = "repeated" if repeats else _ENDS.get(ends, "late" if delays else "whole")
        line = Line(held.answered, operation, status, [each["id"] for each in acting], delivery)
        held.journal.append(line)
        return line, ends

    @rule(
        world=_WORLDS,
        days=st.none() | st.sampled_from([-1, 0, 1, 30]),
        key=st.sampled_from(["devices", "entities"]),
        hours=st.sampled_from([0, 30]),
    )
    def override(self, world: int, days: int | None, key: str, hours: int) -> None:
        """Only where no fault could hit it. Of a quota of which nothing is used, so that nothing more follows."""
        name, held = self.pick(world)
        if any("operation" not in fault.rule for fault in held.faults.values()):
            return
        now = held.state.read(self.wall)
        end = None if days is None else now + days * DAY
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": key, "limit_value": 5}
        ends = {} if end is None else {"expires_at": shown(end)}
        answer = self.ask("POST", f"/w/{name}/api/v1/admin/quota_overrides", {**body, **ends}, "demo-operator")
        assert answer.status == 200, answer.body
        self.touched.add(name)
        held.answered += 1
        held.journal.append(Line(held.answered, "post_admin_quota_override", 200, [], "whole"))
        held.state.overrides[key] = (5, end)
        self.stamp(held.state)
        self.wall += hours * HOUR

    # -- the journal ----------------------------------------------------------------------------------------------

    @rule(world=_WORLDS)
    def clear_journal(self, world: int) -> None:
        name, held = self.pick(world)
        assert self.control(name, "DELETE", "/requests").status == 204
        held.journal = []

    @rule(
        world=_WORLDS,
        status=st.sampled_from(["2xx", "4xx", "503", "200"]),
        operation=st.sampled_from(OPERATIONS),
        since=st.integers(0, 5),
    )
    def look_for_requests(self, world: int, status: str, operation: str, since: int) -> None:
        name, held = self.pick(world)
        path = f"/requests?status={status}&operation={operation}&since={since}&wait=9&at_least=3&limit=2"
        answer = self.control(name, "GET", path).json
        after = since - held.answered_before if since <= held.cursor else 0
        numbers = [
            line.number
            for line in reversed(held.journal)
            if line.operation == operation and line.number > after and str(line.status).startswith(status.rstrip("x"))
        ]
        assert (answer["matched"], [each["number"] for each in answer["requests"]]) == (len(numbers), numbers[:2])

    @rule(world=_WORLDS, which=st.integers(0, 20))
    def look_at_a_request(self, world: int, which: int) -> None:
        name, held = self.pick(world)
        number = which % (held.answered + 1) + 1
        answer = self.control(name, "GET", f"/requests/{number}")
        line = next((each for each in held.journal if each.number == number), None)
        if line is None:
            self.refused(answer, 404, "not_found")
            return
        assert (answer.status, answer.json["status"], answer.json["delivery"]) == (200, line.status, line.delivery)
        hit = line.delivery in ("replaced", "malformed", "lost", "truncated")
        explanation = answer.json["explanation"]
        assert (explanation is not None) == (hit or line.status >= 400), answer.body
        if explanation is not None:
            assert (explanation["check"] == "fault") == hit

    @rule(world=_WORLDS, wanted=st.sampled_from(["har", "curl", "pytest", "scenario"]))
    def audit_and_export(self, world: int, wanted: str) -> None:
        name, held = self.pick(world)
        assert self.control(name, "GET", f"/requests/export?format={wanted}").status in (200, 409)
        answer = self.control(name, "GET", "/audit")
        assert answer.status == 200, answer.body
        found = answer.json
        assert len(found["writes"]) == found["done_twice"] + found["harmless"] + found["not_repeated"]
        assert {each["number"] for each in found["writes"]} <= {line.number for line in held.journal}

    # -- what is refused ------------------------------------------------------------------------------------------

    @rule(world=_WORLDS, data=st.data())
    def ask_for_what_cannot_be(self, world: int, data: st.DataObject) -> None:
        name, _ = self.pick(world)
        method, path, body = data.draw(st.sampled_from(COMMANDS))
        self.refused(self.ask(method, f"/_mock/worlds/nobody{path}", body), 404, "unknown_world")
        nameless = data.draw(st.sampled_from(["No", "-a", "a" * 64, "a_b"]))
        self.refused(self.ask(method, f"/_mock/worlds/{nameless}{path}", body), 400, "invalid_request")
        fault = data.draw(st.sampled_from(NO_FAULTS))
        self.refused(self.control(name, "POST", "/faults", fault), 400, "invalid_fault")
        changes = data.draw(st.sampled_from(NO_SETTINGS))
        self.refused(self.control(name, "PATCH", "/settings", changes), 400, "invalid_settings")

    # -- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def every_world_is_as_modelled(self) -> None:
        assert not self.mock.breaches, self.mock.breaches
        summaries = self.ask("GET", "/_mock/worlds").json["worlds"]
        assert [each["name"] for each in summaries] == list(self.worlds)
        for each in summaries:
            name = each["name"]
            held = self.worlds[name]
            state, now = held.state, held.state.read(self.wall)
            assert each == {
                "name": name,
                "scenario": "demo",
                "seed": state.seed,
                "revision": each["revision"],
                "clock": {"now": shown(now), "mode": state.mode},
                "requests": held.answered,
                "scheduled": len(state.scheduled(now)),
                "snapshots": len(held.snapshots),
                "faults": len(held.faults),
                "prefix": f"/w/{name}",
            }
            real = self.mock.worlds.get(name)
            assert real is not None
            if name in self.touched:
                self.check_inside(name, held)
            else:
                due = self.seen[name][1] != len(state.scheduled(now))
                assert due or real.state is self.seen[name][0], f"{name} has changed, but nobody touched it"
            self.seen[name] = (real.state, len(state.scheduled(now)))
        self.touched = set()

    def check_inside(self, name: str, held: Modelled) -> None:
        path, state, now = f"/_mock/worlds/{name}", held.state, held.state.read(self.wall)
        document = self.ask("GET", f"{path}/state").json
        settings, acme = document["domain"]["settings"], document["domain"]["orgs"][0]
        assert settings.items() >= state.settings.items()
        assert acme["org"]["tier_slug"] == state.tier
        assert sorted(zone["name"]["en"] for zone in acme["zones"]) == sorted(state.zones)
        assert {each["quota_key"]: (each["limit_value"], each["expires_at"]) for each in acme["overrides"]} == (
            state.overrides
        )
        assert sorted(item["at"] for item in document["agenda"]) == [shown(end) for end in state.scheduled(now)]
        assert self.ask("GET", f"{path}/snapshots").json["snapshots"] == [
            {
                **each.answer,
                "taken_at": shown(each.taken_at),
                "clock": {"now": shown(each.now), "mode": each.state.mode},
            }
            for each in held.snapshots.values()
        ]
        faults = self.ask("GET", f"{path}/faults").json["faults"]
        assert [(each["id"], each["matched"], each["acted"], each["remaining"]) for each in faults] == [
            (fault_id, fault.matched, fault.acted, fault.remaining) for fault_id, fault in held.faults.items()
        ]
        journal = self.ask("GET", f"{path}/requests", None).json
        assert (journal["cursor"], journal["answered"], journal["matched"]) == (
            held.cursor,
            held.answered,
            len(held.journal),
        )
        lines = [
            Line(each["number"], each["operation"], each["status"], each["faults"], each["delivery"])
            for each in reversed(journal["requests"])
        ]
        assert lines == held.journal[-100:]


def _one_of(kept: dict[str, Any], which: int) -> str:
    """One of the names, or one that is none of them."""
    return [*kept, "nothing"][which % (len(kept) + 1)]


async def _at_once(seconds: float) -> None:
    """Stands in for sleeping."""


def _has_room(held: Modelled) -> bool:
    """A world may try for one zone too many on the free tier only: with a smaller tier it would hold too much."""
    return held.state.tier == "free" or len(held.state.zones) < ZONES["free"] - 1


TestControlApi = ControlApi.TestCase
TestControlApi.settings = settings(
    max_examples=600 if IS_NIGHTLY else 100, stateful_step_count=100 if IS_NIGHTLY else 50
)
