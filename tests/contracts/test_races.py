"""The laws of the races family, against a server that has none and one that has them all."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest

from contracts.findings import LawResult, Report
from contracts.http import Allowance, Answer, Client, Request
from contracts.laws.races import LAWS
from contracts.races import judging, racing
from contracts.races.bursts import Crew, Heard
from contracts.races.linearizability import Span, search
from contracts.runner import Plan, chosen, run
from contracts.target import ControlPort, Ports, Target
from tests.server import ROOT

ACME, GLOBEX = "01J9ZC3M4N5P6Q7R8S9T0V1W2X", "01J9ZC3M4N5P6Q7R8S9T0V1W2Y"
CREDENTIALS = {"owner": "demo-owner", "other": "demo-globex", "operator": "demo-operator"}
SERVERS = {
    "clean": ("contracts.mutants", "none"),
    "racy": ("tests.contracts.racy", "0.02"),
    "revived": ("tests.contracts.racy", "0.02", "deleted-comes-back", "key-cached"),
}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Base URLs by name. All begin at once: each takes a second."""
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name, command in SERVERS.items()
    }
    try:
        found = {}
        for name, process in processes.items():
            line = process.stdout.readline()  # type: ignore[union-attr]
            match = re.search(r"url=(\S+)", line)
            assert match, f"{name} did not start: {line} {process.communicate(timeout=10)}"
            found[name] = match[1]
        yield found
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.communicate(timeout=20)


def target_at(url: str, **other: Any) -> Target:
    given = {
        "credentials": CREDENTIALS,
        "org": ACME,
        "other_org": GLOBEX,
        "may": "full",
        "ports": Ports(control=ControlPort(url), webhook_secret="whsec_demo"),
    }
    return Target(f"{url}/api/v1", **{**given, **other})


def tried(target: Target, *laws: str, seed: int = 1, allowance: Allowance | None = None) -> Report:
    before = threading.active_count()
    report = run(target, Plan(chosen(LAWS, laws), seed=seed), allowance=allowance)
    assert [each for each in threading.enumerate() if each.name == "contract-lane"] == []
    assert threading.active_count() <= before + 1, "the watch of the client may have begun"
    return report


def law(report: Report, name: str) -> LawResult:
    return next(each for each in report.laws if each.law == name)


def test_a_server_without_races_keeps_every_law(urls: dict[str, str]) -> None:
    report = tried(target_at(urls["clean"]))
    assert [(each.law, each.state, each.reason) for each in report.laws if each.state != "passed"] == []
    assert report.findings == ()
    assert report.calls < 1_200


RACES = [
    ("races.capacity", "racy", "create_device", 4),
    ("races.metered", "racy", "execute_entity_action", 7),
    ("races.idempotency-key", "racy", "execute_entity_action", 6),
    ("races.overrides", "racy", "post_admin_quota_override", 4),
    ("races.checkout", "racy", "post_org_billing_checkout", 4),
    ("races.webhook", "racy", "post_billing_webhook", 4),
    ("races.deletion", "revived", "execute_entity_action", 8),
    ("races.linearizable", "racy", None, 5),
]


@pytest.mark.parametrize(("name", "server", "operation", "calls"), RACES)
def test_each_law_alone_finds_its_race_and_shows_the_fewest_calls(
    urls: dict[str, str], name: str, server: str, operation: str | None, calls: int
) -> None:
    report = tried(target_at(urls[server]), name)
    assert law(report, name).state == "failed"
    (finding,) = [each for each in report.findings if operation in (None, each.operation)][:1]
    assert (finding.kind, finding.replay) == ("race", None)
    together = [step for step in finding.steps if "at the same time" in step.title]
    assert 2 <= len(together) <= 3
    assert finding.calls <= calls + 1
    *lines, time_line = finding.notes[0].splitlines()
    assert [line[:1] for line in lines] == ["A", "B", "C"][: len(together)]
    assert all("├" in line and "┤" in line for line in lines)
    assert time_line.strip().startswith("0 ms")


def test_a_key_that_outlives_its_revocation_is_found_as_the_plain_sequence_that_it_is(urls: dict[str, str]) -> None:
    report = tried(target_at(urls["revived"]), "races.revocation")
    (finding,) = report.findings
    assert (finding.kind, finding.operation) == ("status", "list_zones")
    assert finding.replay is not None
    assert finding.calls <= 4


def test_what_is_not_allowed_or_offered_is_not_verified(urls: dict[str, str]) -> None:
    report = tried(target_at(urls["clean"], may="read-only", ports=Ports()))
    assert {each.state for each in report.laws} == {"not verified"}
    assert all("needs" in each.reason for each in report.laws)
    assert report.calls == 0


def test_the_plan_follows_from_the_seed(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[Any] = []

    def kept(case: Any, crew: Crew, burst: judging.Burst) -> Any:
        planned.append(msgspec.json.encode((burst.lanes, burst.reads)))
        return judging.judged(case, crew, burst)

    monkeypatch.setattr(racing, "judged", kept)
    for seed in (3, 3, 4):
        tried(target_at(urls["clean"]), "races.overrides", "races.linearizable", seed=seed)
    third = len(planned) // 3
    assert planned[:third] == planned[third : 2 * third]
    assert planned[:third] != planned[2 * third :]


# -- answers that are changed on their way in -------------------------------------------------------------------------

Change = Callable[[int, Answer], Answer]


def changing(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """`change` to the answers of each burst, of those that were accepted, by their number."""
    fire = Crew.fire

    def changed(self: Crew, there: Client, lanes: Sequence[Sequence[Request]]) -> list[list[Heard]]:
        n = 0
        heard = fire(self, there, lanes)
        for lane in heard:
            for place, each in enumerate(lane):
                if each.answer is not None and each.answer.status < 300:
                    lane[place] = msgspec.structs.replace(each, answer=change(n, each.answer))
                    n += 1
        return heard

    monkeypatch.setattr(Crew, "fire", changed)


def refusal(answer: Answer, status: int, code: str) -> Answer:
    body = {"message": "No.", "error_code": code, "code": code, "correlationId": answer.header("x-request-id")}
    return msgspec.structs.replace(answer, status=status, body=msgspec.json.encode(body))


def test_a_repeat_may_be_refused_while_the_first_is_under_way_and_not_later(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(spans: Callable[[int], Span], fire: Any, *args: Any) -> Any:
        heard = fire(*args)
        for n, lane in enumerate(heard):
            (each,) = lane
            if each.answer.json.get("idempotent_replay"):
                lane[0] = Heard(spans(n), refusal(each.answer, 409, "idempotency_conflict"))
            elif each.answer.status == 200:
                lane[0] = Heard(Span(0, 10), each.answer)
        return heard

    fire = Crew.fire
    for spans, state in ((lambda n: Span(5, 20 + n)), "passed"), ((lambda n: Span(20 * n + 11, 20 * n + 12)), "failed"):
        monkeypatch.setattr(Crew, "fire", lambda *args, spans=spans: busy(spans, fire, *args))
        assert law(tried(target_at(urls["clean"]), "races.idempotency-key"), "races.idempotency-key").state == state


def test_a_server_that_slows_its_callers_down_is_not_judged(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changing(monkeypatch, lambda n, answer: refusal(answer, 429, "too_many_requests") if n else answer)
    result = law(tried(target_at(urls["clean"]), "races.checkout"), "races.checkout")
    assert result.state == "not verified"
    assert "429 for another reason than a quota" in result.reason


def test_an_answer_that_nothing_declares_is_found(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, lambda n, answer: refusal(answer, 500, "internal_error") if n else answer)
    (finding,) = tried(target_at(urls["clean"]), "races.overrides").findings
    assert "status 500 is not declared" in finding.came
    assert finding.operation == "post_admin_quota_override"


def test_an_answer_that_no_order_gives_is_found_with_the_orders_that_were_tried(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(n: int, answer: Answer) -> Answer:
        value = answer.json
        if n == 1 and isinstance(value, dict) and "limit_value" in value:
            return msgspec.structs.replace(answer, body=msgspec.json.encode({**value, "limit_value": 77}))
        return answer

    changing(monkeypatch, change)
    finding = tried(target_at(urls["clean"]), "races.overrides").findings[0]
    assert finding.came == "answers that no order gives"
    assert finding.calls == 2
    assert any("would give /limit_value = " in note and "not /limit_value = 77" in note for note in finding.notes[1:])


def test_a_search_that_is_cut_is_never_passed(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "search", partial(search, most_steps=1))
    result = law(tried(target_at(urls["clean"]), "races.checkout"), "races.checkout")
    assert result.state == "not verified"
    assert "5 of 5 bursts: the search for an order was cut after 1 steps" in result.reason


def test_what_answers_wrongly_without_any_race_is_none(urls: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Client.send

    def changed(self: Client, request: Request) -> Answer:
        answer = sent(self, request)
        if "/billing/checkout" not in request.target:
            return answer
        return msgspec.structs.replace(answer, body=answer.body.replace(b'"stripe"', b'"paddle"'))

    monkeypatch.setattr(Client, "send", changed)
    report = tried(target_at(urls["clean"]), "races.checkout")
    assert {finding.kind for finding in report.findings} == {"body"}


def test_a_budget_that_is_spent_in_a_burst_ends_the_run(urls: dict[str, str]) -> None:
    report = tried(target_at(urls["clean"]), "races.overrides", allowance=Allowance(4, None, None))
    assert report.stopped == "the budget of 4 calls is spent"
    assert law(report, "races.overrides").state == "not verified"
