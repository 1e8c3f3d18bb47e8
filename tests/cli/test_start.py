"""What `mockbill serve` says when it starts, and how its options and environment variables change what is served."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.server import ROOT, Server
from tests.wire.raw import JSON, OWNER, PORTAL, STATUS, WORLDS, check_refused, exchange, get, post, request

from .command import environment

READY = re.compile(r"MOCKBILL_READY url=(http://\S+:(\d+)) port=(\d+)\n")


class Started:
    def __init__(self, line: str, announced: str, url: str, port: int) -> None:
        self.line, self.announced, self.url, self.port = line, announced, url, port


@contextmanager
def _started(*arguments: str, env: Mapping[str, str] = {}) -> Iterator[Started]:
    """A server with what it has written up to its ready line; the rest must be empty."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "serve", *arguments],
        cwd=ROOT,
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        match = READY.fullmatch(line)
        assert match, f"{line!r} {process.stderr.read() if not line else ''}"
        assert match[2] == match[3]
        announced: list[str] = []
        while "Control:" not in "".join(announced) or ("0.0.0.0" in arguments and "token" not in "".join(announced)):
            announced.append(process.stderr.readline())
            assert announced[-1], announced
        yield Started(line, "".join(announced), match[1], int(match[3]))
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=10)
    assert rest == "", "the ready line is all there is on standard output"


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with _started("--port", "0") as started:
        yield started


def test_the_ready_line_names_a_url_that_answers(started: Started) -> None:
    assert started.url == f"http://127.0.0.1:{started.port}"
    assert get(started.port, STATUS).status == 200


@pytest.mark.parametrize(
    "secret", ["demo-owner", "demo-reader", "demo-member", "demo-globex", "demo-operator", "demo-revoked"]
)
def test_the_credentials_are_printed(started: Started, secret: str) -> None:
    assert secret in started.announced


def test_the_addresses_are_printed_and_answer(started: Started) -> None:
    for path in ("/openapp/docs", "/_mock/docs"):
        assert f"{started.url}{path}" in started.announced
        assert get(started.port, path).status == 200, path
    for base in ("/openapp/api/v1", "/api/v1"):
        assert f"{started.url}{base}" in started.announced
        assert get(started.port, f"{base}/plans").status == 200


def test_on_loopback_no_token_is_printed_or_needed(started: Started) -> None:
    assert "token (" not in started.announced
    assert get(started.port, WORLDS).status == 200


@pytest.mark.parametrize(
    "env",
    [
        {"MOCKBILL_PORT": "0"},
        {"MOCKBILL_PORT": "0", "MOCKBILL_QUIET": "1", "MOCKBILL_STRICT": "true", "MOCKBILL_AUTO_WORLDS": "1"},
    ],
)
def test_options_can_come_from_the_environment(env: dict[str, str]) -> None:
    with _started(env=env) as started:
        assert get(started.port, "/w/made-up/api/v1/status").status == (200 if "MOCKBILL_AUTO_WORLDS" in env else 404)
        assert get(started.port, f"{STATUS}?x=1").status == (400 if "MOCKBILL_STRICT" in env else 200)


def test_an_option_beats_its_environment_variable() -> None:
    with _started("--port", "0", env={"MOCKBILL_PORT": "1", "MOCKBILL_SCENARIO": "demo"}) as started:
        assert started.port > 1


def test_two_servers_run_side_by_side(started: Started) -> None:
    with Server() as other:
        assert other.port != started.port
        assert post(other.port, WORLDS, b'{"name":"only-here"}').status == 201
        assert get(started.port, f"{WORLDS}/only-here").status == 404


def test_the_public_url_stands_in_every_link() -> None:
    with _started("--port", "0", "--public-url", "https://mock.example/base/") as started:
        public = "https://mock.example/base"
        assert f"{public}/api/v1" in started.announced
        assert started.url.startswith("http://127.0.0.1:")
        portal = post(started.port, PORTAL, b'{"return_url":"https://app.example"}')
        assert portal.json["url"].startswith(f"{public}/")
        created = post(started.port, WORLDS, b'{"name":"blue"}')
        assert created.header("location") == f"{public}{WORLDS}/blue"
        assert f"{public}{WORLDS}" in get(started.port, "/w/nobody/x").json["message"]
        assert get(started.port, "/_mock/health").json["apis"][0]["base_url"] == f"{public}/openapp/api/v1"
        own = exchange(started.port, request("GET", WORLDS, ("Host: mock.example",)))
        assert own.status == 200, "the control API answers under the public host"


@pytest.fixture(scope="module")
def exposed() -> Iterator[tuple[Started, str]]:
    with _started("--port", "0", "--host", "0.0.0.0") as started:
        match = re.search(r"token.*: (\S+)$", started.announced, re.MULTILINE)
        assert match, started.announced
        yield started, match[1]


def _control(exposed: tuple[Started, str], method: str, path: str, *headers: str, host: str = "127.0.0.1") -> Any:
    return exchange(exposed[0].port, request(method, path, (f"Host: {host}", *headers)))


@pytest.mark.parametrize("path", [WORLDS, "/_mock/health", "/_mock/worlds/demo/credentials"])
def test_beyond_loopback_the_control_api_needs_the_printed_token(exposed: tuple[Started, str], path: str) -> None:
    started, token = exposed
    assert started.url == f"http://127.0.0.1:{started.port}"
    assert _control(exposed, "GET", path, f"Authorization: Bearer {token}").status == 200
    for wrong in (
        (),
        ("Authorization: Bearer nope",),
        (f"Authorization: Basic {token}",),
        (f"X-API-Key: {token}",),
        (f"Authorization: Bearer {token}x",),
        ("Authorization: Bearer",),
        (OWNER,),
        (f"Authorization: Bearer {token}",) * 2,
    ):
        refused = _control(exposed, "GET", path, *wrong)
        check_refused(refused, 401, "unauthenticated")
        assert refused.header("www-authenticate")
        assert token not in refused.body.decode()


def test_beyond_loopback_nothing_is_changed_without_the_token(exposed: tuple[Started, str]) -> None:
    body = b'{"name":"blue"}'
    refused = exchange(exposed[0].port, request("POST", WORLDS, ("Host: 127.0.0.1", JSON), body))
    check_refused(refused, 401)
    check_refused(_control(exposed, "DELETE", f"{WORLDS}/demo"), 401)


def test_beyond_loopback_a_foreign_host_is_refused_even_with_the_token(exposed: tuple[Started, str]) -> None:
    bearer = f"Authorization: Bearer {exposed[1]}"
    check_refused(_control(exposed, "GET", WORLDS, bearer, host="evil.example"), 403, "forbidden_host")


def test_beyond_loopback_the_billing_api_needs_no_token(exposed: tuple[Started, str]) -> None:
    assert _control(exposed, "GET", STATUS, host="mock.example").status == 200


def test_the_token_is_a_new_one_at_each_start(exposed: tuple[Started, str]) -> None:
    with _started("--port", "0", "--host", "0.0.0.0") as other:
        assert exposed[1] not in other.announced
