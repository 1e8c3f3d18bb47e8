"""Faults: what goes wrong, for whom, how often; that it is what was asked for, and the same in every process."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.app import create_app
from mock_server.http.breaking import UNKNOWN_MEMBER, broken_json
from mock_server.http.delivery import ConnectionLost
from mock_server.http.mock import Mock
from mock_server.store.faults import LONGEST_DELAY_MS, MOST_FAULTS, Delay, Faults, Rule, Strike

from .client import GLOBEX, Answer, Client, NoAnswer, World
from .recipes import OPENAPP
from .watching import (
    Sleeper,
    add_fault,
    entry,
    faults,
    journal,
    left,
    lost,
    make_zone,
    never,
    new_world,
    newest,
    numbers,
    world_of,
    zones,
)

ZONE = b'{"name":"Attic"}'
FIXED = {"distribution": "fixed", "ms": 250}
UNREADABLE = ("not_json", "html", "empty")
BREAKING = ("missing_member", "unknown_member", "wrong_type", "null_member")


def refused_by_its_rule(mock: Mock, operation: str, answer: Answer) -> bool:
    rule = mock.served["openapp"].contract.operations[operation].responses[answer.status]
    validator = rule.body_validator("application/json")
    assert validator is not None
    return not validator.is_valid(answer.json)


def make_user(world: World) -> str:
    made = world.call("POST", "/users", json={"name": "Una", "email": "una@acme.example"})
    assert made.status < 300, made.body
    name: str = made.json["id"]
    return name


class TestAnswer:
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (400, "invalid_request"),
            (401, "unauthenticated"),
            (402, "payment_required"),
            (403, "forbidden"),
            (404, "not_found"),
            (409, "conflict"),
            (429, "rate_limited"),
            (500, "internal_error"),
            (502, "bad_gateway"),
            (503, "unavailable"),
            (504, "gateway_timeout"),
            (418, "status_418"),
            (599, "status_599"),
        ],
    )
    def test_any_status_with_a_code_that_fits(self, world: World, when: str, status: int, code: str) -> None:
        add_fault(world, when=when, do="answer", status=status)
        answer = make_zone(world)
        assert (answer.status, answer.code, answer.json["code"]) == (status, code, code)
        assert answer.json["correlationId"] == answer.headers["x-request-id"]
        assert ("www-authenticate" in answer.headers) == (status == 401)

    def test_a_code_a_text_and_a_retry_after_of_your_own(self, world: World) -> None:
        own = {"code": "come_back_later", "message": "{not} a {0} format", "retry_after": 30}
        add_fault(world, when="before", do="answer", status=503, **own)
        answer = make_zone(world)
        assert (answer.code, answer.json["message"], answer.headers["retry-after"]) == (
            "come_back_later",
            "{not} a {0} format",
            "30",
        )

    @pytest.mark.parametrize("status", [204, 304])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_status_without_a_body_has_none(self, world: World, when: str, status: int) -> None:
        add_fault(world, when=when, do="answer", status=status)
        answer = make_zone(world)
        assert (answer.status, answer.body) == (status, b"")
        assert not {"content-type", "content-length"} & answer.headers.keys()

    def test_before_nothing_is_done_and_after_it_is(self, world: World) -> None:
        for when, done in (("before", []), ("after", ["Attic"])):
            add_fault(world, id=when, when=when, do="answer", status=500, method="POST", count=1)
            assert make_zone(world).status == 500
            line = newest(world)
            assert (line["delivery"], line["changed"]) == ("replaced", when == "after")
            assert zones(world) == done


class TestLose:
    @pytest.mark.parametrize("how", ["close", "reset"])
    @pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["Attic"])])
    def test_nothing_is_sent_and_in_process_it_is_an_error(
        self, world: World, how: str, when: str, done: list[str]
    ) -> None:
        add_fault(world, when=when, do="lose", how=how, operation="create_zone")
        assert lost(world, "POST", "/zones", json={"name": "Attic"}) == []
        line = newest(world)
        assert (line["delivery"], line["changed"], line["status"]) == ("lost", bool(done), 200 if done else 0)
        assert zones(world) == done

    def test_the_connection_is_closed_in_order_if_nothing_else_is_asked_for(self, world: World) -> None:
        assert add_fault(world, when="after", do="lose")["how"] == "close"

    def test_a_refusal_can_be_lost_too(self, world: World) -> None:
        add_fault(world, when="after", do="lose", operation="create_zone")
        lost(world, "POST", "/zones", json={"nam": "Attic"})
        line = newest(world)
        assert (line["status"], line["problem"], line["delivery"]) == (400, "invalid_request", "lost")


class TestTruncate:
    @pytest.mark.parametrize("keep", [None, 0, 1, 7, 1_048_576])
    def test_the_whole_length_is_announced_and_fewer_bytes_come(self, world: World, keep: int | None) -> None:
        whole = world.call("GET", "/plans").body
        add_fault(world, when="after", do="truncate", **({} if keep is None else {"keep": keep}))
        start, body = lost(world, "GET", "/plans")
        assert dict(start["headers"])[b"content-length"] == str(len(whole)).encode()
        wanted = len(whole) // 2 if keep is None else min(keep, len(whole) - 1)
        assert body["body"] == whole[:wanted]
        assert body["more_body"]

    def test_the_work_is_done_and_the_journal_keeps_what_would_have_been_sent(self, world: World) -> None:
        add_fault(world, when="after", do="truncate", operation="create_zone")
        start, _ = lost(world, "POST", "/zones", json={"name": "Attic"})
        line = newest(world)
        assert (line["delivery"], line["changed"]) == ("truncated", True)
        assert str(line["response"]["body"]["size"]).encode() == dict(start["headers"])[b"content-length"]
        assert zones(world) == ["Attic"]

    @pytest.mark.parametrize(("method", "path"), [("HEAD", "/plans"), ("DELETE", "/users/{}")])
    def test_of_an_answer_without_a_body_nothing_can_be_kept(self, world: World, method: str, path: str) -> None:
        made = make_user(world)
        add_fault(world, when="after", do="truncate", keep=5)
        sent = lost(world, method, path.format(made))
        assert b"".join(each.get("body", b"") for each in sent) == b""


class TestMalform:
    @pytest.mark.parametrize("how", UNREADABLE)
    @pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["Attic"])])
    def test_it_cannot_be_read_as_json(self, world: World, how: str, when: str, done: list[str]) -> None:
        add_fault(world, when=when, do="malform", how=how, method="POST")
        answer = make_zone(world)
        with pytest.raises(json.JSONDecodeError):
            _ = answer.json
        assert answer.status == (502 if how == "html" else 200)
        assert answer.headers["content-type"] == ("text/html" if how == "html" else "application/json")
        assert (answer.body == b"") == (how == "empty")
        line = newest(world)
        assert (line["delivery"], line["changed"]) == ("malformed", bool(done))
        assert zones(world) == done

    def test_a_proxys_page_has_the_status_that_it_tells_of(self, world: World) -> None:
        add_fault(world, when="before", do="malform", how="html", status=504)
        answer = make_zone(world)
        assert answer.status == 504
        assert b"504 Gateway Timeout" in answer.body

    @pytest.mark.parametrize("operation", OPENAPP)
    def test_every_json_object_can_be_made_to_break_its_schema(self, mock: Mock, world: World, operation: str) -> None:
        inside = mock.worlds.get(world.name)
        assert inside is not None
        request = OPENAPP[operation].prepared(world)
        before = inside.state
        fine = request.send(world)
        if not fine.body or not isinstance(fine.json, dict):
            return
        for how in BREAKING:
            inside.put(before)
            add_fault(world, id=how.replace("_", "-"), when="after", do="malform", how=how, count=1)
            answer = request.send(world)
            assert answer.status == fine.status
            assert answer.headers["content-type"] == "application/json"
            assert refused_by_its_rule(mock, operation, answer), (how, answer.body)
            assert _is_of(how, fine.json, answer.json), (how, fine.body, answer.body)

    @pytest.mark.parametrize("how", BREAKING)
    @pytest.mark.parametrize("many", [1, 2_000])
    def test_a_list_breaks_in_one_of_its_items_however_many_there_are(self, mock: Mock, how: Any, many: int) -> None:
        rule = mock.served["openapp"].contract.operations["list_zones"].responses[200]
        whole = {"items": [make_zone(new_world()[1]).json] * many, "total": many}
        broken = json.loads(broken_json(json.dumps(whole).encode(), rule, how))
        assert _is_of(how, whole, broken)

    @pytest.mark.parametrize("how", BREAKING)
    def test_what_has_no_members_is_no_json_any_more(self, world: World, how: str) -> None:
        assert world.call("GET", "/scripting/executions").json == []
        add_fault(world, when="after", do="malform", how=how)
        with pytest.raises(json.JSONDecodeError):
            _ = world.call("GET", "/scripting/executions").json

    @pytest.mark.parametrize("how", BREAKING)
    def test_a_refusal_too(self, mock: Mock, world: World, how: str) -> None:
        add_fault(world, when="after", do="malform", how=how)
        answer = make_zone(world, key="nobody")
        assert answer.status == 401
        assert refused_by_its_rule(mock, "create_zone", answer)

    @pytest.mark.parametrize("how", [*UNREADABLE, *BREAKING])
    @pytest.mark.parametrize("status", [None, 204, 304])
    def test_no_answer_without_content_gets_a_body(self, world: World, how: str, status: int | None) -> None:
        """A client that keeps its connection would take the body for the beginning of the next answer."""
        made = make_user(world)
        body = {"when": "after", "do": "malform", "how": how, "method": "DELETE"}
        asked = world.control("POST", "/faults", json=body if status is None else {**body, "status": status})
        if asked.status == 400:
            assert (asked.code, status) == ("invalid_fault", status)
            return
        answer = world.call("DELETE", f"/users/{made}")
        assert answer.body == b"" or answer.status not in (204, 304)


def _is_of(how: str, fine: Any, broken: Any) -> bool:
    """Whether exactly one place is not as it was, and in that way."""
    if isinstance(fine, dict) and isinstance(broken, dict):
        gone, new = fine.keys() - broken.keys(), broken.keys() - fine.keys()
        if gone or new:
            return (how, len(gone), new) == ("missing_member", 1, set()) or (how, gone, new) == (
                "unknown_member",
                set(),
                {UNKNOWN_MEMBER},
            )
        different = [name for name in fine if fine[name] != broken[name]]
        return len(different) <= 1 and all(_is_of(how, fine[name], broken[name]) for name in different)
    if isinstance(fine, list) and isinstance(broken, list) and len(fine) == len(broken):
        pairs = [(one, other) for one, other in zip(fine, broken, strict=True) if one != other]
        return len(pairs) <= 1 and all(_is_of(how, one, other) for one, other in pairs)
    return broken is None if how == "null_member" else type(broken) is not type(fine)


class TestDelay:
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_it_takes_its_time_and_the_answer_is_whole(self, when: str) -> None:
        sleep = Sleeper()
        _, world = new_world(sleep)
        add_fault(world, when=when, do="delay", delay=FIXED, method="POST")
        assert make_zone(world).status == 200
        assert sleep.slept == [0.25]
        line = newest(world)
        assert (line["delivery"], line["changed"]) == ("late", True)

    def test_delays_add_up(self) -> None:
        sleep = Sleeper()
        _, world = new_world(sleep)
        for n, when in enumerate(("before", "before", "after", "after")):
            add_fault(world, when=when, do="delay", delay={"distribution": "fixed", "ms": 10**n})
        assert make_zone(world).status == 200
        assert sleep.slept == [0.011, 1.1]
        assert newest(world)["faults"] == ["fault-1", "fault-2", "fault-3", "fault-4"]

    @pytest.mark.parametrize(
        "more",
        [
            {"when": "before", "do": "answer", "status": 503},
            {"when": "before", "do": "malform", "how": "html"},
            {"when": "after", "do": "answer", "status": 503},
            {"when": "after", "do": "malform", "how": "wrong_type"},
        ],
    )
    def test_other_faults_can_be_slow_too(self, more: dict[str, Any]) -> None:
        sleep = Sleeper()
        _, world = new_world(sleep)
        add_fault(world, **more, delay=FIXED)
        make_zone(world)
        assert sleep.slept == [0.25]
        assert newest(world)["delivery"] == ("replaced" if more["do"] == "answer" else "malformed")

    def test_a_connection_can_be_lost_late(self) -> None:
        sleep = Sleeper()
        _, world = new_world(sleep)
        add_fault(world, when="before", do="lose", delay=FIXED)
        lost(world, "GET", "/plans")
        assert sleep.slept == [0.25]

    def test_the_time_in_the_world_passes_meanwhile(self) -> None:
        """What is decided after a delay is decided by the world's time at its end."""
        wall = [1_790_000_000_000_000]

        async def sleep(seconds: float) -> None:
            wall[0] += round(seconds * 1_000_000)

        mock, _ = new_world(sleep, lambda: wall[0])
        demo = World(Client(create_app(mock)), "demo")
        add_fault(demo, when="before", do="delay", delay={"distribution": "fixed", "ms": 60_000})
        assert make_zone(demo).json["created_at"] == "2026-09-21T14:14:20Z"


class TestDuplicate:
    def test_the_work_is_done_twice_and_both_are_journaled(self, world: World) -> None:
        add_fault(world, id="proxy", when="duplicate", do="repeat", operation="create_zone")
        answer = make_zone(world)
        assert answer.status == 200
        assert zones(world) == ["Attic", "Attic"]
        second, first = journal(world, "operation=create_zone")["requests"]
        assert (first["number"], first["delivery"], first["faults"]) == (1, "repeated", ["proxy"])
        assert (second["number"], second["delivery"], second["changed"]) == (2, "whole", True)
        assert answer.headers["x-mock-request"] == "2"
        assert entry(world, 1)["request"] == entry(world, 2)["request"]

    def test_only_the_second_answer_is_sent(self, world: World) -> None:
        made = make_user(world)
        add_fault(world, when="duplicate", do="repeat", method="DELETE")
        assert world.call("DELETE", f"/users/{made}").status == 404
        assert [line["status"] for line in journal(world)["requests"]][:2] == [404, 204]

    @pytest.mark.parametrize(("do", "more"), [("lose", {}), ("answer", {"status": 500}), ("malform", {})])
    def test_what_befalls_both_befalls_the_answer(self, world: World, do: str, more: dict[str, Any]) -> None:
        add_fault(world, when="duplicate", do="repeat", operation="create_zone")
        add_fault(world, when="after", do=do, operation="create_zone", **more)
        try:
            make_zone(world)
        except ConnectionLost:
            assert do == "lose"
        second, first = journal(world, "operation=create_zone")["requests"]
        assert first["delivery"] == "repeated"
        assert second["delivery"] in ("lost", "replaced", "malformed")
        assert zones(world) == ["Attic", "Attic"]

    def test_a_body_in_pieces_is_repeated_whole(self, world: World) -> None:
        add_fault(world, when="duplicate", do="repeat", operation="create_zone")
        pieces = iter([ZONE[:5], ZONE[5:9], ZONE[9:]])

        async def receive() -> Any:
            body = next(pieces)
            return {"type": "http.request", "body": body, "more_body": body != ZONE[9:]}

        assert world.call("POST", "/zones", headers={"content-type": "application/json"}, receive=receive).status == 200
        assert zones(world) == ["Attic", "Attic"]


class TestWhom:
    @pytest.mark.parametrize(
        ("only", "hit"),
        [
            ({}, {"owner", "reader", "anonymous", "rejected", "head", "zone"}),
            ({"operation": "get_plans"}, {"owner", "reader", "anonymous", "rejected", "head"}),
            ({"caller": "anonymous"}, {"anonymous"}),
            ({"caller": "rejected"}, {"rejected"}),
            ({"caller": "reader of Acme Doors"}, {"reader"}),
            ({"caller": "owner of Acme Doors"}, {"owner", "head", "zone"}),
            ({"caller": "Owner of Acme Doors"}, set()),
            ({"method": "HEAD"}, {"head"}),
            ({"method": "GET"}, {"owner", "reader", "anonymous", "rejected"}),
            ({"method": "POST", "caller": "owner of Acme Doors"}, {"zone"}),
        ],
    )
    def test_it_acts_on_those_it_names(self, world: World, only: dict[str, str], hit: set[str]) -> None:
        add_fault(world, when="before", do="answer", status=418, **only)
        asked = {
            "owner": world.call("GET", "/plans", "demo-owner"),
            "reader": world.call("GET", "/plans", "demo-reader"),
            "anonymous": world.call("GET", "/plans", None),
            "rejected": world.call("GET", "/plans", "nobody"),
            "head": world.call("HEAD", "/plans"),
            "zone": make_zone(world),
        }
        assert {name for name, answer in asked.items() if answer.status == 418} == hit
        (fault,) = faults(world)
        assert (fault["matched"], fault["acted"], fault["remaining"]) == (len(hit), len(hit), None)

    def test_callers_are_called_as_the_journal_calls_them(self, world: World) -> None:
        world.call("GET", "/plans")
        add_fault(world, when="before", do="answer", status=418, caller=newest(world)["caller"])
        assert world.call("GET", "/plans").status == 418

    @pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/plans"), ("OPTIONS", "/plans")])
    def test_what_is_no_operation_is_left_alone(self, world: World, method: str, path: str) -> None:
        fine = world.call(method, path)
        add_fault(world, when="before", do="answer", status=418)
        assert world.call(method, path).status == fine.status != 418

    def test_other_worlds_and_the_control_api_are_left_alone(self, mock: Mock, world: World) -> None:
        other = world_of(mock, "other")
        add_fault(world, when="before", do="lose")
        assert other.call("GET", "/plans").status == world.control("GET").status == 200


class TestHowOften:
    @settings(max_examples=40)
    @given(st.integers(0, 6), st.one_of(st.none(), st.integers(1, 6)), st.integers(0, 14))
    def test_it_skips_then_acts_then_is_used_up(self, skip: int, most: int | None, asked: int) -> None:
        _, world = new_world()
        add_fault(world, when="before", do="answer", status=418, skip=skip, **({} if most is None else {"count": most}))
        acted = [world.call("GET", "/plans").status == 418 for _ in range(asked)]
        end = math.inf if most is None else skip + most
        assert acted == [skip <= n < end for n in range(asked)]
        (fault,) = faults(world)
        assert (fault["matched"], fault["acted"]) == (asked, sum(acted))
        assert fault["remaining"] == (None if most is None else most - sum(acted))

    def test_of_two_that_replace_the_answer_the_first_wins_and_the_other_waits(self, world: World) -> None:
        add_fault(world, id="first", when="before", do="answer", status=500, count=1)
        add_fault(world, id="second", when="before", do="answer", status=501, count=1)
        assert [world.call("GET", "/plans").status for _ in range(3)] == [500, 501, 200]
        assert [fault["matched"] for fault in faults(world)] == [3, 2]

    def test_what_comes_behind_a_replacing_one_does_not_act(self) -> None:
        sleep = Sleeper()
        _, world = new_world(sleep)
        add_fault(world, when="before", do="answer", status=500)
        add_fault(world, when="before", do="delay", delay=FIXED)
        world.call("GET", "/plans")
        assert (sleep.slept, newest(world)["faults"]) == ([], ["fault-1"])

    def test_one_before_the_work_leaves_nothing_to_those_after_it(self, world: World) -> None:
        add_fault(world, id="later", when="after", do="lose")
        add_fault(world, id="sooner", when="before", do="answer", status=500)
        assert world.call("GET", "/plans").status == 500
        assert [fault["matched"] for fault in faults(world)] == [0, 1]


def struck(rule: Rule, times: int, seed: int = 7) -> list[Strike | None]:
    kept = Faults()
    kept.add(rule)
    return [next(iter(kept.strikes(rule.when, "o", "c", "GET", seed)), None) for _ in range(times)]


def pattern(world: World, asked: int = 60) -> str:
    add_fault(world, id="flaky", when="before", do="answer", status=503, probability=0.3)
    return "".join("x" if world.call("GET", "/plans").status == 503 else "." for _ in range(asked))


class TestProbability:
    @pytest.mark.parametrize("probability", [0, 0.05, 0.3, 0.5, 0.9, 1])
    def test_it_acts_about_as_often_as_it_is_told(self, probability: float) -> None:
        acted = sum(each is not None for each in struck(Rule("f", "before", "lose", probability=probability), 2_000))
        # Four standard deviations: of ten thousand seeds one would fail.
        assert abs(acted - 2_000 * probability) <= 4 * math.sqrt(2_000 * probability * (1 - probability))

    def test_the_same_seed_gives_the_same_pattern_and_another_seed_another(self) -> None:
        one, other, third = (pattern(new_world(seed=seed)[1]) for seed in (7, 7, 8))
        assert one == other != third
        assert {"x", "."} == set(one)

    def test_faults_of_different_names_have_patterns_of_their_own(self) -> None:
        patterns = {
            tuple(each is None for each in struck(Rule(name, "before", "lose", probability=0.5), 64))
            for name in ("a", "b", "c")
        }
        assert len(patterns) == 3

    def test_what_does_not_act_uses_nothing_up(self, world: World) -> None:
        add_fault(world, when="before", do="answer", status=503, probability=0.3, count=5)
        acted = sum(world.call("GET", "/plans").status == 503 for _ in range(80))
        (fault,) = faults(world)
        assert (acted, fault["acted"], fault["remaining"], fault["matched"]) == (5, 5, 0, 80)

    def test_other_requests_do_not_shift_the_pattern(self) -> None:
        """Whether the n-th match is hit does not depend on what else was asked meanwhile."""
        patterns = []
        for noise in (False, True):
            _, world = new_world()
            add_fault(world, id="flaky", when="before", do="answer", status=503, probability=0.3, operation="get_plans")
            seen = ""
            for n in range(40):
                if noise and n % 3 == 0:
                    make_zone(world, f"Zone {n}")
                seen += str(world.call("GET", "/plans").status)
            patterns.append(seen)
        assert patterns[0] == patterns[1]


SCRIPT = """
from tests.api.test_faults import pattern, struck
from tests.api.watching import new_world
from mock_server.store.faults import Delay, Rule
delay = Delay("lognormal", median_ms=200, sigma=0.7)
print(pattern(new_world()[1]), [each.seconds for each in struck(Rule("slow", "before", "delay", delay=delay), 20)])
"""


def test_patterns_and_delays_are_the_same_in_every_process() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    ran = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "4711")
    ]
    delay = Delay("lognormal", median_ms=200, sigma=0.7)
    seconds = [each.seconds for each in struck(Rule("slow", "before", "delay", delay=delay), 20) if each is not None]
    assert ran[0] == ran[1] == f"{pattern(new_world()[1])} {seconds}\n".encode()


class TestDelays:
    @staticmethod
    def seconds(delay: Delay, times: int = 1_000) -> list[float]:
        return [each.seconds for each in struck(Rule("f", "before", "delay", delay=delay), times) if each is not None]

    @settings(max_examples=40)
    @given(st.integers(0, LONGEST_DELAY_MS), st.integers(0, LONGEST_DELAY_MS))
    def test_uniform_ones_keep_their_bounds(self, one: int, other: int) -> None:
        low, high = sorted((one, other))
        drawn = self.seconds(Delay("uniform", min_ms=low, max_ms=high), 50)
        assert all(low / 1000 <= each <= high / 1000 for each in drawn)

    def test_uniform_ones_fill_their_bounds(self) -> None:
        drawn = self.seconds(Delay("uniform", min_ms=100, max_ms=300))
        assert min(drawn) < 0.102
        assert max(drawn) > 0.298
        assert abs(statistics.mean(drawn) - 0.2) < 0.01

    @pytest.mark.parametrize(("median_ms", "sigma"), [(200, 0.5), (1_000, 1.0), (50, 0.0)])
    def test_half_of_the_lognormal_ones_are_below_their_median(self, median_ms: int, sigma: float) -> None:
        drawn = self.seconds(Delay("lognormal", median_ms=median_ms, sigma=sigma), 2_000)
        assert abs(statistics.median(drawn) * 1000 / median_ms - 1) < 0.1
        if sigma:
            assert abs(statistics.stdev(math.log(each) for each in drawn) - sigma) < 0.1 * sigma

    @settings(max_examples=40)
    @given(st.integers(1, LONGEST_DELAY_MS), st.floats(0, 4), st.one_of(st.none(), st.integers(0, LONGEST_DELAY_MS)))
    def test_lognormal_ones_end_at_their_bound(self, median_ms: int, sigma: float, max_ms: int | None) -> None:
        drawn = self.seconds(Delay("lognormal", median_ms=median_ms, sigma=sigma, max_ms=max_ms), 50)
        assert all(0 <= each <= (LONGEST_DELAY_MS if max_ms is None else max_ms) / 1000 for each in drawn)

    @given(st.integers(0, 2**64 - 1), st.integers(1, LONGEST_DELAY_MS), st.floats(0, 4))
    def test_no_bits_lead_out_of_bounds(self, bits: int, median_ms: int, sigma: float) -> None:
        for delay in (
            Delay("lognormal", median_ms=median_ms, sigma=sigma),
            Delay("uniform", min_ms=0, max_ms=median_ms),
            Delay("fixed", ms=median_ms),
        ):
            assert 0 <= delay.seconds(bits) <= LONGEST_DELAY_MS / 1000

    def test_they_are_drawn_from_the_seed(self) -> None:
        rule = Rule("f", "before", "delay", delay=Delay("lognormal", median_ms=200, sigma=0.5))
        assert struck(rule, 20) == struck(rule, 20) != struck(rule, 20, seed=8)


class TestRecords:
    def test_made_listed_found_removed(self, world: World) -> None:
        made = add_fault(world, id="lost-reply", when="after", do="lose", operation="create_zone", count=1)
        assert made["remaining"] == 1
        assert world.control("GET", "/faults/lost-reply").json == made == faults(world)[0]
        assert world.control("GET", "").json["faults"] == 1
        assert world.control("DELETE", "/faults/lost-reply").status == 204
        assert faults(world) == []
        for method in ("GET", "DELETE"):
            answer = world.control(method, "/faults/lost-reply")
            assert (answer.status, answer.code) == (404, "not_found")

    def test_where_it_is_can_be_followed(self, world: World) -> None:
        answer = world.control("POST", "/faults", json={"when": "after", "do": "lose"})
        path = answer.headers["location"].removeprefix("http://127.0.0.1:4010")
        assert world.client.request("GET", path).json == answer.json

    def test_names_are_given_and_never_twice(self, world: World) -> None:
        add_fault(world, id="fault-1", when="after", do="lose")
        assert [add_fault(world, when="after", do="lose")["id"] for _ in range(2)] == ["fault-2", "fault-3"]
        world.control("DELETE", "/faults/fault-3")
        assert add_fault(world, when="after", do="lose")["id"] == "fault-4"
        again = world.control("POST", "/faults", json={"id": "fault-1", "when": "after", "do": "lose"})
        assert (again.status, again.code) == (409, "fault_exists")

    def test_they_are_cleared(self, world: World) -> None:
        for _ in range(3):
            add_fault(world, when="before", do="lose")
        assert world.control("DELETE", "/faults").status == 204
        assert faults(world) == []
        assert world.call("GET", "/plans").status == 200

    def test_there_is_a_most(self, world: World) -> None:
        for _ in range(MOST_FAULTS):
            add_fault(world, when="before", do="delay", delay={"distribution": "fixed", "ms": 0})
        answer = world.control("POST", "/faults", json={"when": "after", "do": "lose"})
        assert (answer.status, answer.code) == (409, "too_many_faults")
        assert make_zone(world).status == 200
        assert len(newest(world)["faults"]) == MOST_FAULTS

    def test_a_reset_removes_them_and_a_fork_does_not_get_them(self, world: World) -> None:
        add_fault(world, when="before", do="answer", status=503)
        assert world.control("POST", "/fork", json={"name": "fork"}).status == 201
        fork = World(world.client, "fork")
        assert faults(fork) == []
        assert fork.call("GET", "/plans").status == 200
        assert world.control("POST", "/reset").json["faults"] == 0
        assert world.call("GET", "/plans").status == 200

    def test_a_snapshot_is_of_the_world_and_not_of_its_faults(self, world: World) -> None:
        world.control("POST", "/snapshots", json={"id": "s"})
        add_fault(world, when="before", do="answer", status=503)
        world.control("POST", "/snapshots/s/restore")
        assert len(faults(world)) == 1

    def test_one_that_is_removed_no_longer_acts_and_what_it_did_stays(self, world: World) -> None:
        add_fault(world, id="twice", when="duplicate", do="repeat", operation="create_zone")
        make_zone(world)
        world.control("DELETE", "/faults/twice")
        assert zones(world) == ["Attic", "Attic"]
        assert numbers(world, "fault=twice") == [1]
        make_zone(world)
        assert zones(world) == ["Attic"] * 3


class TestJournal:
    @pytest.mark.parametrize(
        "body",
        [
            {"when": "before", "do": "answer", "status": 503},
            {"when": "before", "do": "lose"},
            {"when": "before", "do": "malform", "how": "html"},
            {"when": "after", "do": "answer", "status": 503},
            {"when": "after", "do": "lose"},
            {"when": "after", "do": "truncate"},
            {"when": "after", "do": "malform", "how": "null_member"},
        ],
        ids=lambda body: f"{body['when']} {body['do']}",
    )
    def test_a_fault_names_and_explains_itself(self, world: World, body: dict[str, Any]) -> None:
        add_fault(world, id="other", when="before", do="lose", operation="get_plans")
        add_fault(world, id="this-one", **body, operation="create_zone")
        try:
            make_zone(world)
        except ConnectionLost:
            pass
        shown = entry(world, 1)
        assert shown["faults"] == ["this-one"]
        assert shown["changed"] == (body["when"] == "after")
        explanation = shown["explanation"]
        assert (explanation["check"], explanation["clause"]) == ("fault", {"document": "fault", "pointer": "/faults/1"})
        assert "'this-one'" in explanation["rule"]
        assert explanation["facts"].get("api_answered") == (200 if body["when"] == "after" else None)
        assert any("DELETE /_mock/worlds/still/faults/this-one" in each for each in explanation["legal"])

    def test_once_it_is_removed_only_the_list_is_left_to_point_at(self, world: World) -> None:
        add_fault(world, id="gone", when="before", do="answer", status=503)
        make_zone(world)
        world.control("DELETE", "/faults/gone")
        assert entry(world, 1)["explanation"]["clause"] == {"document": "fault", "pointer": ""}

    def test_a_late_refusal_is_explained_as_any_other(self) -> None:
        _, world = new_world(Sleeper())
        add_fault(world, when="before", do="delay", delay=FIXED)
        make_zone(world, key="nobody")
        assert newest(world)["explanation"]["check"] == "credential"


class TestClientsThatGo:
    @pytest.fixture
    def impatient(self) -> World:
        """The world of a machine whose time does not pass."""
        return new_world(never)[1]

    @pytest.mark.parametrize(("when", "done"), [("before", []), ("after", ["Attic"])])
    def test_the_journal_says_so_and_what_was_done_stands(self, impatient: World, when: str, done: list[str]) -> None:
        add_fault(impatient, id="slow", when=when, do="delay", delay=FIXED, operation="create_zone")
        left(impatient, "POST", "/zones", ZONE)
        line = newest(impatient)
        assert (line["delivery"], line["problem"], line["status"]) == ("client_gone", "client_gone", 0)
        assert (line["changed"], line["faults"]) == (bool(done), ["slow"])
        assert line["request"]["body"]["text"] == ZONE.decode()
        assert line["why"]
        assert zones(impatient) == done

    def test_one_that_breaks_off_amid_its_body_has_done_nothing(self, impatient: World) -> None:
        messages = iter([{"type": "http.request", "body": ZONE[:4], "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(messages)

        with pytest.raises(NoAnswer):
            impatient.call("POST", "/zones", headers={"content-type": "application/json"}, receive=receive)
        line = newest(impatient)
        assert (line["delivery"], line["changed"], line["operation"]) == ("client_gone", False, "create_zone")

    def test_one_whose_request_is_repeated_is_noticed_in_the_repetition_too(self, impatient: World) -> None:
        add_fault(impatient, id="proxy", when="duplicate", do="repeat", operation="create_zone")
        add_fault(impatient, id="slow", when="after", do="delay", delay=FIXED, operation="create_zone", skip=1)
        messages = iter([{"type": "http.request", "body": ZONE, "more_body": False}])

        async def receive() -> Any:
            return next(messages, {"type": "http.disconnect"})

        with pytest.raises(NoAnswer):
            impatient.call(
                "POST", "/zones", headers={"content-type": "application/json"}, receive=_soon(receive, most=20)
            )
        assert [line["delivery"] for line in journal(impatient)["requests"]] == ["client_gone", "repeated"]

    def test_one_that_goes_in_the_first_of_two_tries_is_not_heard_a_second_time(self, impatient: World) -> None:
        add_fault(impatient, when="duplicate", do="repeat", operation="create_zone")
        add_fault(impatient, when="after", do="delay", delay=FIXED, operation="create_zone")
        left(impatient, "POST", "/zones", ZONE)
        assert zones(impatient) == ["Attic"]


def _soon(receive: Any, most: int) -> Any:
    """Fails a test that would otherwise wait for ever: nobody asks that often whether a client is still there."""
    asked = count()

    async def wrapped() -> Any:
        assert next(asked) < most
        return await receive()

    return wrapped


INVALID = [
    ({"when": "after", "do": "lose", "operation": "get_plans", "method": "POST"}, "asked with GET, never with POST"),
    ({"when": "before", "do": "repeat"}, "repeat"),
    ({"when": "after", "do": "repeat"}, "repeat"),
    ({"when": "duplicate", "do": "lose"}, "repeat"),
    ({"when": "duplicate", "do": "repeat", "delay": FIXED}, "delay"),
    ({"when": "before", "do": "truncate"}, "after"),
    ({"when": "before", "do": "answer"}, "status"),
    ({"when": "before", "do": "delay"}, "delay"),
    ({"when": "after", "do": "lose", "status": 500}, "status"),
    ({"when": "after", "do": "malform", "code": "no_code"}, "code"),
    ({"when": "after", "do": "lose", "message": "no text"}, "message"),
    ({"when": "after", "do": "delay", "delay": FIXED, "retry_after": 3}, "retry_after"),
    ({"when": "after", "do": "lose", "keep": 3}, "keep"),
    ({"when": "after", "do": "answer", "status": 500, "how": "close"}, "how"),
    ({"when": "after", "do": "lose", "how": "html"}, "close, reset"),
    ({"when": "after", "do": "truncate", "how": "empty"}, "close, reset"),
    ({"when": "after", "do": "malform", "how": "close"}, "not_json"),
    *(({"when": "before", "do": "malform", "how": how}, "after") for how in BREAKING),
    ({"when": "before", "do": "delay", "delay": {"distribution": "fixed"}}, "ms"),
    ({"when": "before", "do": "delay", "delay": {**FIXED, "sigma": 1}}, "ms"),
    ({"when": "before", "do": "delay", "delay": {"distribution": "uniform", "min_ms": 1}}, "max_ms"),
    ({"when": "before", "do": "delay", "delay": {"distribution": "uniform", "min_ms": 2, "max_ms": 1}}, "max_ms"),
    ({"when": "before", "do": "delay", "delay": {"distribution": "lognormal", "median_ms": 1}}, "sigma"),
    ({"when": "before", "do": "delay", "delay": {"distribution": "lognormal", "sigma": 1}}, "median_ms"),
    ({"when": "before", "do": "lose", "operation": "create_zones"}, "create_zone"),
    ({"when": "before", "do": "lose", "operation": "get_health"}, "get_health"),
]


@pytest.mark.parametrize(("body", "reason"), INVALID, ids=lambda each: json.dumps(each) if each is not str else each)
def test_what_is_no_fault_is_refused_with_the_reason(world: World, body: dict[str, Any], reason: str) -> None:
    answer = world.control("POST", "/faults", json=body)
    assert (answer.status, answer.code) == (400, "invalid_fault")
    assert reason in answer.json["message"]
    assert faults(world) == []


MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "operation": st.sampled_from(["create_zone", "get_plans", "list_zones", "delete_user", "nothing"]),
    "caller": st.sampled_from(["anonymous", "rejected", "owner of Acme Doors", "ä\U0001f600"]),
    "method": st.sampled_from(["DELETE", "GET", "HEAD", "POST"]),
    "skip": st.integers(0, 2),
    "count": st.integers(1, 3),
    "probability": st.one_of(st.floats(0, 1), st.just(1)),
    "status": st.one_of(st.integers(200, 599), st.sampled_from([204, 205, 304, 200, 502])),
    "code": st.sampled_from(["ab", "x" * 64]),
    "message": st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    "retry_after": st.integers(0, 86_400),
    "keep": st.integers(0, 200),
    "how": st.sampled_from(["close", "reset", *UNREADABLE, *BREAKING]),
    "delay": st.fixed_dictionaries(
        {"distribution": st.sampled_from(["fixed", "uniform", "lognormal"])},
        optional={
            "ms": st.integers(0, 60_000),
            "min_ms": st.integers(0, 60_000),
            "max_ms": st.integers(0, 60_000),
            "median_ms": st.integers(1, 60_000),
            "sigma": st.one_of(st.floats(0, 4), st.integers(0, 4)),
        },
    ),
}
BODIES = st.lists(st.sampled_from(sorted(MEMBERS)), max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            "when": st.sampled_from(["before", "after", "after", "duplicate"]),
            "do": st.sampled_from(["answer", "delay", "lose", "truncate", "malform", "repeat"]),
            **{name: MEMBERS[name] for name in names},
        }
    )
)


@settings(max_examples=120)
@given(st.lists(BODIES, min_size=1, max_size=4))
def test_any_fault_is_refused_with_a_reason_or_acts_without_breaking_the_mock(bodies: list[dict[str, Any]]) -> None:
    mock, world = new_world(Sleeper())
    kept = make_user(world)
    taken = 0
    for body in bodies:
        answer = world.control("POST", "/faults", json=body)
        assert answer.status in (201, 400), answer.body
        taken += answer.status == 201
        assert answer.status == 201 or (answer.code == "invalid_fault" and answer.json["message"])
    asked: list[tuple[str, str, str | None, Any]] = [
        ("GET", "/plans", None, ...),
        ("HEAD", "/plans", "demo-owner", ...),
        ("POST", "/zones", "demo-owner", {"name": "New"}),
        ("POST", "/zones", "nobody", {"name": "New"}),
        ("DELETE", f"/users/{kept}", "demo-owner", ...),
        ("GET", "/zones", "demo-globex", ...),
    ]
    for method, path, key, value in asked:
        try:
            answer = world.call(method, path, key, json=value)
        except ConnectionLost:
            continue
        assert answer.status not in (204, 304) or answer.body == b""
        assert answer.headers["x-mock-request"]
    assert list(mock.breaches) == []
    assert len(faults(world)) == taken
    for number in numbers(world):
        assert entry(world, number)["number"] == number
    assert world.control("GET", "/audit").status == 200
    assert list(mock.breaches) == []


def test_an_organization_is_told_apart_by_its_caller(world: World) -> None:
    add_fault(world, when="before", do="answer", status=503, caller="owner of Globex Gates")
    assert world.billing("GET", "plan").status == 200
    assert world.billing("GET", "plan", "demo-globex", GLOBEX).status == 503
