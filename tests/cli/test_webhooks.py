"""`mockbill webhook emit | deliveries | redeliver | endpoints`: as a user calls them, against a mock and a receiver."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mock_server.webhooks.schemes import scheme_named
from mock_server.webhooks.schemes.protocol import Message, Verified

from .command import check_wrong_use, inside
from .conftest import World
from .fakes import Fake, replied

DEAD = "http://127.0.0.1:9/hooks"


class Hooks:
    """A receiver; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hooks.headers.append(dict(self.headers))
                hooks.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(hooks.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    hooks = Hooks()
    thread = threading.Thread(target=hooks.server.serve_forever, args=(0.01,))
    thread.start()
    yield hooks
    hooks.server.shutdown()
    hooks.server.server_close()
    thread.join()


def test_the_story_of_an_endpoint(world: World, hooks: Hooks) -> None:
    listing = ("webhook", "endpoints", "list")
    assert world.said(*listing) == f"{world.name} tells nobody\n"
    added = world.said(
        "webhook", "endpoints", "add", hooks.url, "--id", "shop", "--secret", "whsec_demo", "--retries", "5,60"
    )
    assert added == f"{world.name}: shop is told, signed as stripe\n"
    assert world.buy().status == 200
    head, *lines = world.said("webhook", "deliveries", "--wait", "10").splitlines()
    assert head.split() == ["delivery", "event", "to", "state", "tried", "answer", "again", "at"]
    assert [line.split()[:2] for line in lines] == [
        ["delivery-2", "invoice.paid"],
        ["delivery-1", "subscription.created"],
    ]
    assert all("delivered" in line and " 200 " in line for line in lines)
    assert len(hooks.bodies) == 2
    assert world.said("webhook", "redeliver", "delivery-1").endswith("goes out again as delivery-3\n")
    assert world.json("webhook", "deliveries", "--wait", "10", "--state", "delivered")["matched"] == 3
    assert hooks.bodies[2] == hooks.bodies[0]
    hooks.status = 500
    ran = world.run("webhook", "emit", "--event", "invoice.failed", "--endpoint", "shop")
    assert ran.code == 1
    assert "2026-03-01T00:00:05Z" in ran.out
    assert "500" in ran.out
    assert world.run("webhook", "emit", "--event", "invoice.failed", "--to", hooks.url, "--expect", "5xx").code == 0
    assert "whsec" not in world.said(*listing)
    assert world.said("webhook", "endpoints", "remove", "shop") == f"{world.name}: endpoint shop removed\n"
    check_wrong_use(world.run("webhook", "endpoints", "remove", "shop"), "shop", "none")
    check_wrong_use(world.run("webhook", "redeliver", "delivery-1"), "shop", "gone")


def test_an_emission_doubled_and_out_of_order(world: World, hooks: Hooks) -> None:
    out = world.said(
        *("webhook", "emit", "--event", "invoice.paid", "--world", world.name, "--to", hooks.url),
        *("--mutate", "duplicate,reorder", "--count", "3", "--scheme", "svix", "--data", '{"amount": 42}'),
    )
    assert out.count("delivered") == 6
    ids = [each["svix-id"] for each in hooks.headers]
    assert len(ids) == 6
    assert len(set(ids)) == 3
    assert json.loads(hooks.bodies[0])["data"]["amount"] == 42
    assert world.said("webhook", "endpoints", "list") == f"{world.name} tells nobody\n"


def test_a_secret_from_the_environment(world: World, hooks: Hooks) -> None:
    secret = {"MOCKBILL_WEBHOOK_SECRET": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}
    ran = world.run("webhook", "emit", "--event", "invoice.paid", "--to", hooks.url, "--scheme", "svix", env=secret)
    assert ran.code == 0, ran
    # It is for `--to`: endpoints have their own.
    assert world.run("webhook", "endpoints", "add", hooks.url, "--scheme", "svix", env=secret).code == 0
    assert world.run("webhook", "emit", "--event", "invoice.paid", env=secret).code == 0
    assert len(hooks.bodies) == 2
    assert secret["MOCKBILL_WEBHOOK_SECRET"] not in ran.out


def test_a_secret_that_was_made_up_is_told(world: World, hooks: Hooks) -> None:
    assert "made up" in world.said("webhook", "emit", "--event", "invoice.paid", "--to", hooks.url)
    secret = world.json("webhook", "emit", "--event", "invoice.paid", "--to", hooks.url)["secret"]
    signed = {name.lower(): value for name, value in hooks.headers[1].items()}
    verdict = scheme_named("stripe").verify(Message(hooks.bodies[1]), signed, [secret], 0, 0)
    assert isinstance(verdict, Verified)
    assert "with whsec_" in world.said("webhook", "endpoints", "add", hooks.url)


def test_nobody_there_is_told(world: World) -> None:
    ran = world.run("webhook", "emit", "--event", "invoice.paid", "--to", DEAD, "--retries", "none")
    assert ran.code == 3
    assert "cannot connect" in ran.out
    assert "failed" in ran.out
    assert world.said("webhook", "deliveries", "--state", "pending").endswith("nothing is owed\n")


def test_nobody_wants_it(world: World) -> None:
    ran = world.run("webhook", "emit", "--event", "invoice.paid")
    assert ran.code == 1
    assert "nobody wants to hear of it" in ran.out


def test_a_list_that_is_cut_says_so_and_a_misspelt_endpoint_is_no_empty_one(world: World, hooks: Hooks) -> None:
    world.said("webhook", "emit", "--event", "invoice.paid", "--to", hooks.url, "--count", "3")
    assert "2 of 3; 0 are owed in all" in world.said("webhook", "deliveries", "--limit", "2")
    check_wrong_use(world.run("webhook", "deliveries", "--endpoint", "shpo"), "shpo")


def test_what_waits_for_another_says_for_which(world: World, hooks: Hooks) -> None:
    hooks.status = 500
    world.said("webhook", "endpoints", "add", hooks.url, "--id", "shop")
    out = world.run("webhook", "emit", "--event", "invoice.paid", "--count", "2").out
    assert "until delivery-1 has come to an end" in out


def test_an_endpoint_that_failed_too_often_goes_on(world: World, hooks: Hooks) -> None:
    hooks.status = 410
    world.said("webhook", "endpoints", "add", hooks.url, "--id", "shop", "--scheme", "svix")
    assert world.run("webhook", "emit", "--event", "invoice.paid").code == 1
    assert "410 Gone" in world.said("webhook", "endpoints", "list")
    hooks.status = 200
    said = world.said("webhook", "endpoints", "enable", "shop")
    assert said == f"{world.name}: shop is told again; 1 are owed to it\n"
    world.said("worlds", "advance", world.name, "PT5S")
    assert world.json("webhook", "deliveries", "--wait", "10")["owed"] == 0


EMIT = ("webhook", "emit", "--event", "invoice.paid")
ADD = ("webhook", "endpoints", "add", DEAD)
MISUSES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("webhook", "emit"), ("--event",)),
    (("webhook", "emit", "--event", "Invoice Paid"), ("event",)),
    ((*EMIT, "--to", "http://example.com/"), ("--allow-remote",)),
    ((*EMIT, "--to", "localhost:80"), ("/to", "http")),
    ((*EMIT, "--to", DEAD, "--endpoint", "shop"), ("endpoint",)),
    ((*EMIT, "--endpoint", "shop"), ("shop", "none")),
    ((*EMIT, "--secret", "whsec_demo"), ("`secret`",)),
    ((*EMIT, "--endpoint", "../.."), ("endpoint",)),
    ((*EMIT, "--to", DEAD, "--scheme", "nobody"), ("nobody", "stripe")),
    ((*EMIT, "--to", DEAD, "--provider", "svix", "--secret", "no base64!"), ("base64",)),
    ((*EMIT, "--to", DEAD, "--scheme", "generic", "--option", "digest"), ("NAME=VALUE",)),
    ((*EMIT, "--to", DEAD, "--scheme", "generic", "--option", "digest=md5"), ("digest", "sha256")),
    ((*EMIT, "--to", DEAD, "--mutate", "explode"), ("explode",)),
    ((*EMIT, "--to", DEAD, "--retries", "soon"), ("5,300", "none")),
    ((*EMIT, "--to", DEAD, "--retries", "-5"), ("retries",)),
    ((*EMIT, "--to", DEAD, "--retries", "9" * 30), ("retries",)),
    ((*EMIT, "--to", DEAD, "--data", "{"), ("--data", "JSON")),
    ((*EMIT, "--to", DEAD, "--data", "[1]"), ("--data", "object")),
    ((*EMIT, "--to", DEAD, "--data", '{"a": NaN}'), ("--data", "NaN")),
    ((*EMIT, "--to", DEAD, "--data", '{"a": 1' + "0" * 5_000 + "}"), ("--data",)),
    ((*EMIT, "--to", DEAD, "--data", '{"a":' * 300 + "1" + "}" * 300), ()),
    ((*EMIT, "--to", DEAD, "--data", '{"a":' * 50_000 + "1" + "}" * 50_000), ("--data",)),
    ((*EMIT, "--to", DEAD, "--data", '{"a": "\\ud800"}'), ()),
    ((*EMIT, "--count", "0"), ("--count",)),
    ((*EMIT, "--count", "1001"), ("--count",)),
    ((*EMIT, "--wait", "61"), ("--wait",)),
    ((*EMIT, "--org", "nobody"), ("nobody",)),
    ((*EMIT, "--signature-time", "never"), ("wall",)),
    ((*EMIT, "--world", "nowhere"), ("nowhere", "mockbill worlds create")),
    (("webhook", "redeliver", "delivery-7"), ("delivery-7",)),
    (("webhook", "redeliver", "../x"), ("name",)),
    (("webhook", "redeliver"), ("ID",)),
    (("webhook", "deliveries", "--state", "lost"), ("pending",)),
    (("webhook", "deliveries", "--limit", "-1"), ("--limit",)),
    (("webhook", "endpoints", "add"), ("URL",)),
    (("webhook", "endpoints", "add", "http://0.0.0.0/"), ("--allow-remote",)),
    (("webhook", "endpoints", "add", "http://a@localhost/"), ("credentials",)),
    ((*ADD, "--id", "A B"), ("id",)),
    ((*ADD, "--events", "Invoice"), ("events",)),
    ((*ADD, "--order", "random"), ("subject",)),
    ((*ADD, "--mutate", "drop", "--probability", "2"), ("--probability",)),
    ((*ADD, "--option", "digest=sha1"), ("generic",)),
    (("webhook", "endpoints", "enable", "nobody"), ("nobody",)),
]


@pytest.mark.parametrize(("arguments", "hints"), MISUSES, ids=lambda each: " ".join(each)[:60])
def test_misuse_is_told_in_a_line(world: World, arguments: tuple[str, ...], hints: tuple[str, ...]) -> None:
    ran = world.run(*arguments)
    check_wrong_use(ran, *hints)
    assert "no base64!" not in ran.errors


COMMANDS: list[tuple[str, ...]] = [
    EMIT,
    ("webhook", "deliveries"),
    ("webhook", "redeliver", "delivery-1"),
    ("webhook", "endpoints", "list"),
    ADD,
    ("webhook", "endpoints", "remove", "shop"),
    ("webhook", "endpoints", "enable", "shop"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_mock_there_is_exit_code_3(command: tuple[str, ...]) -> None:
    ran = inside(*command, "--url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (3, ""), ran
    assert "mockbill serve" in ran.errors


def test_what_a_mock_says_cannot_move_the_cursor() -> None:
    line = {
        "id": "delivery-1",
        "endpoint": "shop",
        "url": DEAD,
        "event": "e",
        "topic": "a\x1b[2Jb",
        "subject": "s\u202e",
        "happened_at": "now",
        "state": "pending",
        "tried": 1,
        "due": None,
        "waits": None,
        "status": None,
        "error": "cannot connect: \x1b]0;title\x07",
    }
    said = replied({"matched": 1, "owed": 1, "deliveries": [line]})
    with Fake({"GET /worlds/demo/deliveries": [said]}) as fake:
        out = inside("webhook", "deliveries", "--url", fake.url).out
    assert "\x1b" not in out
    assert "\\x1b" in out
