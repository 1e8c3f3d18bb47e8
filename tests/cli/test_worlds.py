"""`mockbill worlds create` against a running mock, none, and something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.server import Server

from .command import mockbill


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_a_generated_world_is_the_same_each_time(server: Server) -> None:
    made = []
    for name in ("one", "two"):
        options = ("--scenario", "generated", "--orgs", "7", "--seed", "7", "--now", "2026-03-01T00:00:00Z", "--json")
        ran = mockbill("worlds", "create", name, *options, "--url", server.url)
        assert (ran.code, ran.errors) == (0, ""), ran
        made.append({**json.loads(ran.out), "name": "", "prefix": ""})
    assert made[0] == made[1]
    assert (made[0]["seed"], made[0]["clock"]["mode"]) == (7, "frozen")


def test_the_scenario_gives_the_name(server: Server) -> None:
    ran = mockbill("worlds", "create", "--scenario", "over-capacity", env={"MOCKBILL_URL": server.url})
    assert ran.code == 0, ran
    assert ran.out.startswith("over-capacity: scenario over-capacity, seed 7, frozen at 2026-03-02T09:00:00Z")
    assert ran.out.endswith(f"{server.url}/w/over-capacity\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give the world a name"),
        (("demo",), "There is a world 'demo' already"),
        (("blue", "--scenario", "nothing"), "there are: busy, demo, empty, generated, over-capacity"),
        (("blue", "--scenario", "demo", "--orgs", "3"), "makes up no organizations"),
        (("blue", "--now", "tomorrow"), "is not valid"),
        (("Blue!",), "is not valid"),
        (("blue", "--orgs", "1001"), "--orgs"),
    ],
)
def test_wrong_use_is_2_and_says_why(server: Server, arguments: tuple[str, ...], complaint: str) -> None:
    ran = mockbill("worlds", "create", *arguments, "--url", server.url)
    assert (ran.code, ran.out) == (2, ""), ran
    assert complaint in ran.errors
    assert "Traceback" not in ran.errors


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid", "nonsense", "http://[", "ftp://x"])
def test_no_server_is_3(url: str) -> None:
    ran = mockbill("worlds", "create", "blue", "--url", url)
    assert ran.code == 3, ran
    assert "mockbill serve" in ran.errors
    assert "Traceback" not in ran.errors


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff", b'{"message": 5}', b'{"clock": 5}'])
def test_another_server_is_3(body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        ran = mockbill("worlds", "create", "blue", "--url", f"http://127.0.0.1:{other.server_port}")
        thread.join()
    assert ran.code == 3, ran
    assert "Traceback" not in ran.errors
