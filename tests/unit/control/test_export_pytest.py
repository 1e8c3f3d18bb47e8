"""The exported test is Python that a person can keep: it compiles, is formatted, sends exactly the same, and compares."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rpds import HashTrieMap

from mock_server.control.exports.pytest_file import source
from mock_server.control.exports.slices import Slice
from mock_server.engine.clock import frozen
from mock_server.engine.world import WorldState
from mock_server.store.journal import Entry

from .entries import JSON, KEY, NOW, ORIGIN, entry, hostile_parts, part, saved, sent_requests
from .receiver import Answer, Received, Receiver

RUFF = Path(sys.executable).with_name("ruff")
OF_HTTPX = (b"host", b"content-length")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("MOCKBILL_")},
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # they take seconds to load, and none is needed
}
CREDENTIALS = [
    {"api": "openapp", "secret": "gone", "name": "owner of Acme Doors", "revoked": True},
    {"api": "openapp", "secret": "k3y", "name": "owner of Acme Doors", "revoked": False},
]


class Outcome:
    """What a run of an exported test asked of the API and of the control API, and what pytest said."""

    def __init__(self, requests: list[Received], done: subprocess.CompletedProcess[str]) -> None:
        self.control = [each for each in requests if each.target.startswith("/_mock/")]
        self.asked = [each for each in requests if each not in self.control]
        self.passed = done.returncode == 0
        self.output = done.stdout + done.stderr
        assert done.returncode in (0, 1), self.output

    @property
    def control_calls(self) -> list[tuple[str, Any]]:
        """What was done, without the world's name, and the bodies."""
        name = json.loads(self.control[0].body)["name"]
        return [
            (f"{each.method} {each.target.replace(name, 'NAME')}", json.loads(each.body) if each.body else None)
            for each in self.control
        ]


def run(text: str, folder: Path, api: Any = lambda _: (200, {}), **variables: str) -> Outcome:
    """Run an exported test against a receiver that answers requests for the API as `api` says."""

    def answer(request: Received) -> Answer:
        if not request.target.startswith("/_mock/"):
            return api(request)  # type: ignore[no-any-return]
        return 200, {"credentials": CREDENTIALS} if request.target.endswith("/credentials") else {}

    file = folder / "test_exported.py"
    file.write_text(text, encoding="utf-8")
    with Receiver(answer) as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file.name],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**ENVIRONMENT, "MOCKBILL_URL": receiver.url, **variables},
            timeout=120,
            check=False,
        )
    return Outcome(receiver.received, done)


@given(hostile_parts)
def test_it_compiles_for_any_entries(any_part: Slice) -> None:
    compile(source(any_part).encode(), "exported", "exec")


@given(hostile_parts)
def test_foreign_text_stays_in_literals_and_comments(any_part: Slice) -> None:
    """Whatever the entries hold, the module defines the same names, and the test calls the same three methods."""
    module = ast.parse(source(any_part))
    names = [each.name for each in module.body if isinstance(each, (ast.FunctionDef, ast.ClassDef))]
    assert names == ["test_what_was_asked", "World", "world", "differences"]
    (test,) = (each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == names[0])
    for statement in test.body[1:]:
        assert isinstance(statement, (ast.Expr, ast.Assign))
        assert isinstance(statement.value, ast.Call)
        assert ast.unparse(statement.value.func) in ("world.set_clock", "world.key", "world.ask")
        calls = [each for each in ast.walk(statement.value) if isinstance(each, ast.Call)]
        assert calls == [statement.value]


@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False))),
    st.binary(max_size=300),
)
def test_what_stands_in_it_is_what_was_there(answer: list[dict[str, Any]], body: bytes) -> None:
    module = ast.parse(source(part(entry(method="POST", body=body, answer=answer))))
    (ask,) = (each for each in ast.walk(module) if isinstance(each, ast.Call) and ast.unparse(each.func) == "world.ask")
    named = {each.arg: ast.literal_eval(each.value) for each in ask.keywords if each.arg in ("answer", "body")}
    assert named.get("body", b"") == body
    assert json.dumps(named["answer"]) == json.dumps(json.loads(json.dumps(answer).replace(ORIGIN, ORIGIN)))


@pytest.mark.skipif(not RUFF.exists(), reason="ruff is not installed beside this Python")
@pytest.mark.parametrize("start", [None, saved(domain={"name": 'B"ü\\ro\u2028', "empty": "", "list": ["", ""]})])
def test_it_is_formatted_and_has_nothing_to_complain_of(start: Any, tmp_path: Path) -> None:
    long = {f"member_{n}": [n, -1.5, 1e300, None, True, {"text": 'it\'s "quoted"' * n}] for n in range(12)}
    text = source(
        part(
            entry(1, answer=long),
            entry(2, "POST", "/api/v1/zones" * 12, body=json.dumps(long).encode(), headers=[JSON, KEY], answer=[1, []]),
            entry(4, "POST", body=b"'\"\x00\xff", headers=[(b"authorization", b"Bearer ***"), (b"x", b"y" * 120)]),
            entry(
                5, "POST", body=b'{"a":"b"}', status=204, answer=b"", at=NOW + 5, caller="A caller of a long name" * 5
            ),
            entry(6, caller="rejected", status=401, at=NOW),
            entry(7, delivery="lost", faults=("lost-reply",), worked=0),
            start=start,
        )
    )
    file = tmp_path / "test_exported.py"
    file.write_text(text, encoding="utf-8")
    usual = ["--isolated", "--no-cache", "--line-length", "120", str(file)]
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run([RUFF, *command, *usual], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@given(requests=st.lists(sent_requests(), min_size=5, max_size=10))
@settings(max_examples=3)
def test_what_is_sent_is_what_was_sent(
    tmp_path: Path, requests: list[tuple[Entry, str, list[tuple[bytes, bytes]]]]
) -> None:
    outcome = run(source(part(*(made for made, _, _ in requests))), tmp_path)
    assert outcome.passed, outcome.output
    name = json.loads(outcome.control[0].body)["name"]
    for (made, target, headers), request in zip(requests, outcome.asked, strict=True):
        assert request.method == made.method
        assert request.target == f"/w/{name}{target}"
        assert [each for each in request.headers if each[0].lower() not in OF_HTTPX] == [
            (header, value.replace(b"KEY", b"k3y")) for header, value in headers
        ]
        assert request.body == made.body


def test_with_a_start_the_world_is_put_back_and_its_clock_follows(tmp_path: Path) -> None:
    start = saved(domain={"orgs": ["B\u2028üro \U0001f600"]})
    outcome = run(source(part(entry(1), entry(2, at=NOW + 1), entry(3, at=NOW + 1), start=start)), tmp_path)
    assert outcome.passed, outcome.output
    state = start["states"][0]
    calls = outcome.control_calls
    assert calls[0][1].keys() == {"name"}
    assert calls[1:] == [
        ("PUT /_mock/worlds/NAME/state", {**state, "clock": {**state["clock"], "mode": "frozen"}}),
        ("GET /_mock/worlds/NAME/credentials", None),
        ("POST /_mock/worlds/NAME/clock", {"set": "2026-03-01T00:00:00.000001Z"}),
        ("DELETE /_mock/worlds/NAME", None),
    ]


def test_without_a_start_the_world_is_made_as_it_was_made_then(tmp_path: Path) -> None:
    outcome = run(source(part(entry(1, headers=[]))), tmp_path, MOCKBILL_TOKEN="t0ken")
    assert outcome.passed, outcome.output
    ((call, body), *_) = outcome.control_calls
    assert call == "POST /_mock/worlds"
    assert body == {"name": body["name"], "scenario": "demo", "seed": 7, "now": "2026-03-01T00:00:00Z"}
    assert all((b"authorization", b"Bearer t0ken") in each.headers for each in outcome.control)
    assert not any(name == b"authorization" for each in outcome.asked for name, _ in each.headers)


def test_a_scenario_of_a_file_is_left_to_the_server() -> None:
    assert 'world.begin(seed=7, now="2026-03-01T00:00:00Z")' in source(part(entry(), scenario="./mine.yaml"))


def answering(status: int, value: Any) -> Any:
    return lambda _: (status, value)


def test_a_change_is_said_clearly_and_nothing_more_is_asked(tmp_path: Path) -> None:
    was = {"id": "z", "limits": [{"used": 1}, {"used": 2}], "gone": None, "kind": 1}
    now = {"id": "z", "limits": [{"used": 1}, {"used": 3}], "new": "n", "kind": True}
    text = source(part(entry(7, "POST", "/api/v1/zones", status=201, answer=was, headers=[]), entry(8, headers=[])))
    outcome = run(text, tmp_path, answering(200, now))
    assert not outcome.passed
    for said in (
        "Request 7 is not answered as it was: POST /api/v1/zones",
        "  status: was 201, is 200",
        "  $.gone: was None, is missing",
        "  $.kind: was 1, is True",
        "  $.limits[1].used: was 2, is 3",
        "  $.new: was not there, is 'n'",
        "The answer is now 200: {",
    ):
        assert said in outcome.output
    assert "Traceback" not in outcome.output
    assert len(outcome.asked) == 1
    assert outcome.control_calls[-1] == ("DELETE /_mock/worlds/NAME", None)


def test_what_cannot_be_the_same_is_not_compared(tmp_path: Path) -> None:
    was = {"correlationId": "01J", "token": "http://h_openapp_***@blue", "keys": ["a", "***"]}
    now = {"correlationId": "01K", "token": "http://x_openapp_s@red", "keys": ["a", "s3cret"]}
    text = source(part(entry(answer=was, headers=[])))
    assert "01J" not in text
    outcome = run(text, tmp_path, answering(200, now))
    assert outcome.passed, outcome.output


@pytest.mark.parametrize("world", ["demo", "blue"])
def test_links_may_lead_to_the_other_server_and_world(world: str, tmp_path: Path) -> None:
    prefix = "" if world == "demo" else f"/w/{world}"
    was = {
        "link": f"{ORIGIN}{prefix}/checkout/1",
        "local": f"http://localhost:4010{prefix}/x",
        "other": "http://x/w/blue",
    }
    asked = entry(answer=was, headers=[])
    asked.headers = [(b"host", b"localhost:4010")]

    def api(request: Received) -> Answer:
        there = f"http://{dict(request.headers)[b'Host'].decode()}/w/{request.target.split('/')[2]}"
        return 200, {"link": f"{there}/checkout/1", "local": f"{there}/x", "other": "http://x/w/blue"}

    outcome = run(source(part(asked, world=world)), tmp_path, api)
    assert outcome.passed, outcome.output


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"delivery": "late", "faults": ("slow",)}, "status=200, answer={'a': 1}"),
        ({"delivery": "lost", "faults": ("f",), "status": 0, "worked": 201}, "status=201"),
        ({"delivery": "replaced", "faults": ("f",), "status": 500, "worked": 201}, "status=201"),
        ({"delivery": "client_gone", "status": 0, "worked": 0, "changed": True}, ""),
        ({"caller": "rejected", "status": 401}, "status=401"),
        ({"method": "HEAD"}, "status=200"),
        ({"answer": b"1" * 65_536, "answer_size": 70_000}, "status=200"),
        ({"answer": b"{"}, "status=200"),
        ({"answer": b"NaN"}, "status=200"),
        ({"answer": b"null"}, "status=200, answer=None"),
    ],
)
def test_only_what_is_known_of_an_answer_is_expected(members: dict[str, Any], expected: str) -> None:
    asked = entry(**{"answer": {"a": 1}, **members})
    (ask,) = (
        each
        for each in ast.walk(ast.parse(source(part(asked))))
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "world.ask"
    )
    named = [f"{each.arg}={ast.unparse(each.value)}" for each in ask.keywords if each.arg in ("status", "answer")]
    assert ", ".join(named) == expected


def test_a_request_that_never_reached_the_api_is_not_sent() -> None:
    text = source(part(entry(3, delivery="replaced", faults=("out",), status=503, worked=0)))
    assert "# It is not sent again, because the fault out kept it from the API." in text
    assert "    world.ask(" not in text


def test_gaps_and_times_that_go_back_are_pointed_out() -> None:
    text = source(part(entry(3, at=NOW + 5), entry(6, at=NOW)))
    assert "# What was asked between 3 and 6 is not in here, so its answer may differ." in text
    assert "# It came at 2026-03-01T00:00:00Z. Time does not go back in this test, so its answer may differ." in text


class Switches(msgspec.Struct, frozen=True):
    checkout: str = "instant"
    warn_days: int = 7


class Domain(msgspec.Struct, frozen=True):
    settings: Switches = Switches()


def world_state(revision: int, **switches: Any) -> WorldState:
    return WorldState(7, frozen(NOW), HashTrieMap({"openapp": Domain(Switches(**switches))}), revision)


def test_settings_that_were_changed_meanwhile_are_changed_again(tmp_path: Path) -> None:
    first, second = world_state(1), world_state(2, checkout="hosted")
    one = entry(1, headers=[], state=first, steps=[(first, world_state(2))])
    cut = entry(2, "POST", state=second, body=b"a" * 65_536, body_size=70_000)
    text = source(part(one, cut, entry(3, headers=[], state=second)))
    assert "control API had changed the world" not in text
    outcome = run(text, tmp_path)
    assert outcome.passed, outcome.output
    calls = [call for call in outcome.control_calls if "settings" in call[0]]
    assert calls == [("PATCH /_mock/worlds/NAME/settings?api=openapp", {"checkout": "hosted"})]


def test_what_the_control_api_did_otherwise_is_pointed_out() -> None:
    doubt = "# Before it the control API had changed the world"
    assert doubt in source(part(entry(1, state=world_state(1)), entry(2, state=world_state(2))))
    assert doubt not in source(part(entry(1, state=world_state(1)), entry(2, state=world_state(2), at=NOW + 1)))
    assert doubt not in source(part(entry(1, state=world_state(1)), entry(2, state=None)))


def test_keys_come_from_the_environment_the_world_or_an_answer(tmp_path: Path) -> None:
    made = entry(1, "POST", answer={"id": "01KEY", "token": "***"})
    with_new = entry(2, caller="API key 01KEY")
    with_other = entry(3, caller="API key 01OLD", headers=[(b"authorization", b"Bearer ***")])

    def api(request: Received) -> Answer:
        return 200, {"id": "01KEY", "token": "n3w"} if request.method == "POST" else {}

    text = source(part(made, with_new, with_other))
    outcome = run(text, tmp_path, api, MOCKBILL_KEY_3="0ld")
    assert outcome.passed, outcome.output
    keys = [dict(each.headers).get(b"x-api-key") or dict(each.headers)[b"authorization"] for each in outcome.asked]
    assert keys == [b"k3y", b"n3w", b"Bearer 0ld"]
    without = run(text, tmp_path, api)
    assert not without.passed
    assert "The world does not list the key of 'API key 01OLD' (openapp). Set MOCKBILL_KEY_3 to it." in without.output


def test_nothing_asked_makes_a_test_too(tmp_path: Path) -> None:
    outcome = run(source(part()), tmp_path)
    assert outcome.passed, outcome.output


def test_without_a_mock_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "test_exported.py"
    file.write_text(source(part(entry())), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "MOCKBILL_URL": "http://127.0.0.1:1"},
        check=False,
    )
    assert "POST /_mock/worlds: no answer from http://127.0.0.1:1" in done.stdout
