"""Before any law is tried: what does not answer, what is no API, and what a credential is not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contracts.discovery import Unreachable, target_at
from contracts.preflight import preflight
from contracts.runner import BEGINNING
from contracts.target import ControlPort, Facts, HttpClock, Ports, PythonClock, Target, TargetError
from tests.server import Server

from .strangers import Stranger, answer, proxy

BOUND = 4.0
PATIENCE = 0.4
HTML = answer(b"<html>Welcome</html>", kind="text/html; charset=utf-8")
REDIRECT = answer(b"", "302 Found", "text/html", "Location: https://login.example/x")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def known(server: Server) -> Target:
    return target_at(server.url)


def shared(known: Target) -> Target:
    """The same target without its control port."""
    return msgspec.structs.replace(known, ports=Ports(webhook_secret="whsec_demo"))


def tried(target: Target) -> list[str]:
    return preflight(target, BEGINNING, "test")


def refusal(target: Target, kind: type[Exception] = TargetError) -> str:
    started = time.monotonic()
    with pytest.raises(kind) as error:
        tried(target)
    assert time.monotonic() - started < BOUND
    return str(error.value)


# -- what answers -----------------------------------------------------------------------------------------------------

STRANGE = {
    "it hangs": (Stranger.hanging(), ("no answer in time", "it was given 0.4 s")),
    "it hangs up": (Stranger.saying(b""), ("closed without an answer",)),
    "it babbles": (Stranger.saying(b"SSH-2.0-OpenSSH_9.6\r\n"), ("not an HTTP answer", "SSH-2.0")),
    "it speaks TLS": (
        Stranger.saying(b"\x15\x03\x01\x00\x02\x02\x46"),
        ("not an HTTP answer", "write https:// for http://"),
    ),
    "it drips": (
        Stranger.dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", 0.02),
        ("no whole answer within 0.4 s",),
    ),
    "it drips headers": (Stranger.dripping(b"HTTP/1.1 200 OK\r\nX-A: ", 0.02), ("no whole answer within 0.4 s",)),
    "it drips without an end": (
        Stranger.dripping(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{", 0.02),
        ("no whole answer",),
    ),
    "it shows a page": (Stranger.saying(HTML), ("a web page (text/html)", "base URL")),
    "it redirects": (Stranger.saying(REDIRECT), ("302, a redirect to https://login.example/x",)),
    "it knows nothing": (Stranger.saying(answer(b"{}", "404 Not Found")), ("/status: 404", "/plans: 404")),
    "it promises more": (
        Stranger.saying(answer(b"{}").replace(b"Length: 2", b"Length: 9")),
        ("the body ended after 2 bytes",),
    ),
    "it never ends": (Stranger.saying(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000), ("not an HTTP answer",)),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_api_is_explained_in_bounded_time(name: str) -> None:
    stranger, hints = STRANGE[name]
    with stranger:
        said = refusal(Target(f"{stranger.url}/api/v1", timeout=PATIENCE), Unreachable)
        assert f"GET {stranger.url}/api/v1/status" in said
        for hint in hints:
            assert hint in said
        assert said.isprintable()
        with pytest.raises((Unreachable, TargetError)):
            target_at(stranger.url, patience=PATIENCE)


def test_where_nobody_listens_is_said() -> None:
    with Stranger.hanging() as gone:
        pass
    said = refusal(Target(gone.url, timeout=PATIENCE), Unreachable)
    assert "connection refused; nothing listens there" in said


def test_tls_where_there_is_none_is_said(server: Server) -> None:
    said = refusal(Target(server.url.replace("http:", "https:"), timeout=PATIENCE), Unreachable)
    assert "write http:// for https://" in said


def test_redirects_are_not_followed() -> None:
    with Stranger.saying(b"") as elsewhere:
        there = answer(b"", "307 Temporary Redirect", "text/html", f"Location: {elsewhere.url}/status")
        with Stranger.saying(there) as stranger:
            refusal(Target(stranger.url, timeout=PATIENCE), Unreachable)
        assert elsewhere.heads == []


# -- who may call -----------------------------------------------------------------------------------------------------


def test_a_good_target_has_nothing_to_be_said(known: Target) -> None:
    assert tried(known) == []
    assert tried(shared(known)) == []


NOT_SO = {
    "owner is unknown": (
        {"owner": "sk_live_x"},
        "credentials.owner is not what it is said to be: it must read the plan of orgs.own",
        "answered 401",
    ),
    "owner only reads": (
        {"owner": "demo-reader", "reader": None},
        "credentials.owner",
        "must have billing:manage in orgs.own, but has only: billing:read",
    ),
    "reader manages": (
        {"owner": None, "reader": "demo-owner"},
        "credentials.reader",
        "must not have billing:manage, but has: billing:manage",
    ),
    "reader is revoked": ({"reader": "demo-revoked"}, "credentials.reader", "answered 401"),
    "member reads": (
        {"reader": None, "member": "demo-reader"},
        "credentials.member",
        "must be refused the plan of orgs.own",
        "answered 200",
    ),
    "other is not another": (
        {"other": "demo-owner"},
        "credentials.other",
        "should answer 403 or 404, and answered 200",
    ),
    "other is nobody": ({"other": "sk_live_x"}, "credentials.other", "must be refused orgs.own", "answered 401"),
    "operator is none": (
        {"operator": "demo-reader"},
        "credentials.operator",
        "GET /admin/quota_overrides should answer 200, and answered 403",
    ),
    "revoked is good": (
        {"revoked": "demo-member"},
        "credentials.revoked",
        "must be refused as unknown",
        "should answer 401",
    ),
}


@pytest.mark.parametrize("name", NOT_SO)
@pytest.mark.parametrize("how", ["in worlds", "as it stands"])
def test_the_role_that_is_not_what_it_is_said_to_be_is_named(known: Target, name: str, how: str) -> None:
    changed, *hints = NOT_SO[name]
    credentials = {role: secret for role, secret in {**known.credentials, **changed}.items() if secret is not None}
    target = known if how == "in worlds" else shared(known)
    said = refusal(msgspec.structs.replace(target, credentials=credentials))
    for hint in hints:
        assert hint in said
    assert not any(secret in said for secret in credentials.values())


def test_a_wrong_organization_is_told_by_the_owner(known: Target) -> None:
    said = refusal(msgspec.structs.replace(shared(known), org="01J9ZC3M4N5P6Q7R8S9T0V1W99"))
    assert "credentials.owner" in said
    assert "GET /orgs/01J9ZC3M4N5P6Q7R8S9T0V1W99/billing/plan" in said


def test_without_an_organization_credentials_are_not_tried(known: Target) -> None:
    target = msgspec.structs.replace(shared(known), org=None, may="read-only", credentials={"reader": "x"})
    assert tried(target) == ["credentials.reader was not tried, because orgs.own is missing"]


def test_only_reads_are_sent(server: Server, known: Target) -> None:
    with proxy(server.url, lambda head: None) as between:
        tried(msgspec.structs.replace(shared(known), url=f"{between.url}/api/v1"))
        assert between.heads
        assert all(head.startswith(b"GET ") for head in between.heads)


def test_a_message_that_repeats_a_secret_is_not_passed_on(server: Server, known: Target) -> None:
    body = json.dumps({"message": "demo-owner? no\u202e\x1b[31m"}).encode()
    instead = answer(body, "401 Unauthorized")
    with proxy(server.url, lambda head: instead if b"demo-owner" in head else None) as between:
        said = refusal(msgspec.structs.replace(shared(known), url=f"{between.url}/api/v1"))
    assert "demo-owner" not in said
    assert "*** no" not in said or said.isprintable()
    assert said.isprintable()


def test_one_call_that_hangs_ends_it(server: Server, known: Target) -> None:
    with proxy(server.url, lambda head: b"" if b"/admin/" in head else None) as between:
        target = msgspec.structs.replace(shared(known), url=f"{between.url}/api/v1", timeout=PATIENCE)
        said = refusal(target, Unreachable)
    assert "/admin/quota_overrides as operator: no answer in time" in said


# -- ports and plans --------------------------------------------------------------------------------------------------


def test_a_control_port_that_is_none_is_told(known: Target) -> None:
    with Stranger.saying(HTML) as stranger:
        port = ControlPort(stranger.url)
        said = refusal(msgspec.structs.replace(known, ports=Ports(control=port)))
    assert said == f"ports.control: what answers at {stranger.url} is no mockbill"
    with Stranger.hanging() as stranger:
        target = msgspec.structs.replace(known, ports=Ports(control=ControlPort(stranger.url)), timeout=PATIENCE)
        assert refusal(target).startswith(f"ports.control: tried GET {stranger.url}/_mock/health: no answer in time")


@pytest.mark.parametrize("clock", ["hangs", "says nothing", "raises"])
def test_a_clock_that_does_not_tell_the_time_is_told(known: Target, clock: str) -> None:
    stranger = Stranger.hanging() if clock == "hangs" else Stranger.saying(answer(b'{"time": 1}'))
    with stranger:
        port = PythonClock(_no_clock) if clock == "raises" else HttpClock(stranger.url)
        target = msgspec.structs.replace(shared(known), ports=Ports(clock=port), timeout=PATIENCE)
        assert refusal(target).startswith("ports.clock: ")


def _no_clock(to: str | None) -> str:
    raise OSError("the clock is broken")


def test_plans_that_differ_are_a_hint_and_no_error(known: Target, tmp_path: Path) -> None:
    text = (
        Path("fixtures/catalogs/openapp.yaml").read_text().replace("devices: {lifetime: 5}", "devices: {lifetime: 6}")
    )
    (tmp_path / "mine.yaml").write_text(text)
    target = msgspec.structs.replace(shared(known), facts=Facts(str(tmp_path / "mine.yaml")))
    (hint,) = tried(target)
    assert "the plans differ from the catalog" in hint
    assert " in: free;" in hint


def test_a_clock_that_works(known: Target) -> None:
    port = PythonClock(lambda to: to or "2026-01-01T00:00:00Z")
    assert tried(msgspec.structs.replace(shared(known), ports=Ports(clock=port))) == []


def test_worlds_are_cleaned_up_whatever_comes_of_it(server: Server, known: Target) -> None:
    import urllib.request

    refusal(msgspec.structs.replace(known, credentials={"owner": "sk_live_x"}))
    with urllib.request.urlopen(f"{server.url}/_mock/worlds") as reply:
        assert [world["name"] for world in json.load(reply)["worlds"]] == ["demo"]
