"""Access, effects, idempotency, metamorphic and ingress: nothing is found in the reference, and each law finds a lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from contracts.findings import Report
from contracts.http import Allowance, Client, Request
from contracts.laws import access, effects, idempotency, ingress, metamorphic
from contracts.mutants.served import Served
from contracts.runner import Plan, run
from contracts.target import ControlPort, Ports, Target

from .liar import Liar, honest
from .lies import LIES
from .outcomes import found, states

FAMILIES = (access, effects, idempotency, metamorphic, ingress)
LAWS = {law.id: law for family in FAMILIES for law in family.LAWS}
SOME = [law for n, law in enumerate(LAWS) if n % 5 == 0 or law in ("access.key-expiry", "ingress.payload")]
"""Of each family some: all of them take their time."""
UNMET = {law.id: "clock" for law in LAWS.values() if "clock" in law.needs} | {"ingress.payload": "full"}
MOST_CALLS = 6
"""Of a finding: an entity takes three calls to make."""


@pytest.fixture(scope="module")
def clean() -> Iterator[Target]:
    with Served("none") as server:
        yield server.target


@pytest.fixture(scope="module")
def liar(clean: Target) -> Iterator[Liar]:
    assert clean.ports.control is not None
    with Liar(clean.ports.control.url) as liar:
        yield liar


def behind(liar: Liar, target: Target) -> Target:
    ports = msgspec.structs.replace(target.ports, control=ControlPort(liar.url))
    return msgspec.structs.replace(target, url=f"{liar.url}/api/v1", ports=ports)


def tried(target: Target, *laws: str, **how: Any) -> Report:
    return run(target, Plan(tuple(LAWS[each] for each in laws or LAWS), **how))


@pytest.mark.slow  # test_whole_suite.py tries all laws
def test_the_reference_keeps_them_all(clean: Target) -> None:
    report = tried(clean, seed=7)
    assert found(report) == []
    assert set(states(report).values()) == {"passed"}


def test_a_law_makes_the_same_calls_again(clean: Target) -> None:
    first, again = (tried(clean, *SOME[::2]) for _ in range(2))
    assert [law.calls for law in first.laws] == [law.calls for law in again.laws]
    assert [row.seen for row in first.coverage] == [row.seen for row in again.coverage]


def test_each_law_has_a_lie() -> None:
    assert sorted(LIES) == sorted(LAWS)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_alone_finds_a_lie_and_shows_it_in_few_steps(liar: Liar, clean: Target, law: str) -> None:
    liar.lie = LIES[law]()
    try:
        report = tried(behind(liar, clean), law, stop_at_first=True)
    finally:
        liar.lie = honest
    assert states(report) == {law: "failed"}, states(report)
    (finding,) = report.findings
    assert finding.calls <= MOST_CALLS, [each.title for each in finding.steps]


class TestLessIsOffered:
    def test_what_may_only_be_read_is_only_read(self, clean: Target) -> None:
        report = tried(msgspec.structs.replace(clean, may="read-only", ports=Ports()))
        verified = {law for law, state in states(report).items() if state == "passed"}
        assert verified == {law.id for law in LAWS.values() if not law.needs - {"owner", "operator"}}
        assert all("needs" in state for law, state in states(report).items() if law not in verified)
        assert {row.method for row in report.coverage if row.seen} == {"GET"}

    def test_in_organizations_of_its_own_nothing_is_found_either(self, clean: Target) -> None:
        """Without a control port, and allowed to write only to what the run has made."""
        url = f"{world_with_room(clean)}/api/v1"
        ports = Ports(webhook_secret="whsec_demo")
        report = tried(msgspec.structs.replace(clean, url=url, may="own-objects", ports=ports), *SOME)
        assert found(report) == []
        assert {law: state for law, state in states(report).items() if state != "passed"} == {
            law: f"not verified needs {missing}" for law, missing in UNMET.items() if law in SOME
        }


def world_with_room(clean: Target) -> str:
    """A world whose first organization may have as many below it as it likes."""
    assert clean.ports.control is not None
    url = clean.ports.control.url
    body = {"subject_type": "org", "subject_id": clean.org, "quota_key": "organizations", "limit_value": 1_000_000}
    for path, sent in (("/_mock/worlds", {"name": "roomy"}), ("/w/roomy/api/v1/admin/quota_overrides", body)):
        client = Client(url, Allowance(10, None, None))
        headers = (("Content-Type", "application/json"), ("X-API-Key", clean.credentials["operator"]))
        assert client.send(Request("POST", path, headers, json.dumps(sent).encode())).status < 300
        client.close()
    return f"{url}/w/roomy"
