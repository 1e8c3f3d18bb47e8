"""Every command that speaks to a mock, against one that answers as the control API's document says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server.commands import GROUPS as SPEAKING
from tests.server import ROOT

from .command import check_wrong_use, environment, inside, mockbill, named, walk
from .fakes import Fake, Reply, example, replied

ORG = "01J9ZC3M4N5P6Q7R8S9T0V1W2X"
FAULT = ("--when", "after", "--do", "lose")
NEVER = {"worlds watch"}

# What each command is called with, which request it makes, and something that it prints.
CALLS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "worlds list": ((), "GET /worlds", "2026-03-01T00:00:00Z"),
    "worlds create": (("blue",), "POST /worlds", "blue: scenario demo, seed 7, frozen at 2026-03-01T00:00:00Z"),
    "worlds show": (("demo",), "GET /worlds/demo", "requests   12"),
    "worlds delete": (("blue",), "DELETE /worlds/blue", "blue: deleted"),
    "worlds reset": (("demo",), "POST /worlds/demo/reset", "demo: scenario demo, seed 7, running"),
    "worlds fork": (("demo", "green"), "POST /worlds/demo/fork", "/w/green"),
    "worlds advance": (("demo", "P31D"), "POST /worlds/demo/clock", "override_expires"),
    "worlds settings": (("demo",), "GET /worlds/demo/settings", "checkout  instant"),
    "worlds credentials": (("demo",), "GET /worlds/demo/credentials", "http://127.0.0.1:4010_openapp_demo-owner"),
    "worlds usage": (
        ("demo", "--org", ORG, "--key", "door_opens", "--amount", "49"),
        "POST /worlds/demo/usage",
        '{"value":50,"source":{"kind":"tier","slug":"free"}}',
    ),
    "worlds audit": (("demo",), "GET /worlds/demo/audit", "1 done twice, 0 harmless, 0 not repeated"),
    "worlds save": (("demo", "-o", "-"), "GET /worlds/demo/state", '"mockbill_save": 1'),
    "worlds load": (("FILE",), "PUT /worlds/saved/state", "demo: scenario demo"),
    "worlds snapshot": (("demo",), "POST /worlds/demo/snapshots", "demo: snapshot before-upgrade, frozen at"),
    "worlds snapshots": (("demo",), "GET /worlds/demo/snapshots", "before-upgrade"),
    "worlds restore": (
        ("demo", "before-upgrade"),
        "POST /worlds/demo/snapshots/before-upgrade/restore",
        "demo: scenario demo, seed 7, frozen",
    ),
    "worlds forget": (
        ("demo", "before-upgrade"),
        "DELETE /worlds/demo/snapshots/before-upgrade",
        "demo: snapshot before-upgrade forgotten",
    ),
    "worlds diff": (("demo", "blue"), "GET /worlds/demo/diff", "Acme Doors: tier free -> pro\n"),
    "clock show": ((), "GET /worlds/demo/clock", "2026-03-01T00:00:00Z, frozen"),
    "clock advance": (("P31D",), "POST /worlds/demo/clock", "1 thing fell due"),
    "clock set": (("2026-04-01T00:00:00Z",), "POST /worlds/demo/clock", "2026-04-01T00:00:00Z, frozen"),
    "clock step": ((), "POST /worlds/demo/clock", "override of devices per lifetime for Acme Doors expired"),
    "clock freeze": ((), "POST /worlds/demo/clock", "frozen"),
    "clock run": ((), "POST /worlds/demo/clock", "frozen"),
    "clock agenda": (("--within", "P6M"), "GET /worlds/demo/clock/agenda", "P14D  override_expires"),
    "requests list": ((), "GET /worlds/demo/requests", "create_zone  owner of Acme Doors  429"),
    "requests show": (("3",), "GET /worlds/demo/requests/3", '{"name":"Attic"}'),
    "requests why": ((), "GET /worlds/demo/requests/3", "catalog /tiers/0/quotas/zones/lifetime"),
    "requests wait": (("--timeout", "1"), "GET /worlds/demo/requests", "create_zone"),
    "requests export": (("--format", "har"), "GET /worlds/demo/requests/export", '"version": "1.2"'),
    "requests clear": ((), "DELETE /worlds/demo/requests", "demo: journal emptied"),
    "faults list": ((), "GET /worlds/demo/faults", "lost-reply  after lose, close  post_org_billing_checkout"),
    "faults add": (FAULT, "POST /worlds/demo/faults", "demo: fault lost-reply: after lose, close"),
    "faults remove": (("lost-reply",), "DELETE /worlds/demo/faults/lost-reply", "demo: fault lost-reply removed"),
    "faults clear": ((), "DELETE /worlds/demo/faults", "demo: no faults any more"),
}
COMMANDS = {
    named(path): command
    for path, command in walk()
    if path[:1] and path[0] in SPEAKING and not hasattr(command, "commands")
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("saved") / "saved.json"
    state = json.loads(example("GET", "/worlds/demo/state").body)
    path.write_text(json.dumps({"mockbill_save": 1, "scenario": "demo", "states": [state]}))
    return str(path)


def words(name: str, saved: str) -> list[str]:
    return [*name.split(), *(saved if word == "FILE" else word for word in CALLS[name][0])]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


def test_each_is_called_here() -> None:
    assert set(CALLS) | NEVER == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_can_be_sent_elsewhere_and_print_json(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert options >= {"--url", "--token", "--json"}
    if not name.startswith("worlds"):
        assert options >= {"--world", "-w"}


@pytest.mark.parametrize("name", CALLS)
def test_each_makes_its_request_and_shows_the_answer(name: str, saved: str, fake: Fake) -> None:
    ran = inside(*words(name, saved), "--url", f"{fake.url}/", "--token", "secret")
    assert (ran.code, ran.errors) == (1 if name == "worlds audit" else 0, ""), ran
    _, request, shown = CALLS[name]
    assert f"{fake.asked[-1].method} {fake.asked[-1].path}" == request
    assert {asked.token for asked in fake.asked} == {"Bearer secret"}
    assert shown in ran.out
    assert "\x1b" not in ran.out
    assert not set(ran.out) & set("\t│┃─━…")


@pytest.mark.parametrize("name", CALLS)
def test_each_prints_the_answer_as_it_came(name: str, saved: str, fake: Fake) -> None:
    ran = inside(*words(name, saved), "--json", "--url", fake.url)
    assert (ran.code, ran.errors) == (1 if name == "worlds audit" else 0, ""), ran
    assert ran.out.count("\n") == 1
    assert ran.out.endswith("\n")
    last = fake.asked[-1]
    assert last.token is None
    if name == "worlds save":
        assert json.loads(ran.out)["mockbill_save"] == 1
    else:
        assert json.loads(ran.out) == json.loads(example(last.method, last.path).body or b"null")


OF_A_WORLD = [name for name in CALLS if COMMANDS[name].params[0].name == "name" and name != "worlds create"]


@pytest.mark.parametrize("name", OF_A_WORLD)
@pytest.mark.parametrize("wrong", ["..", ".", "", "a/b", "a%2e", "Blue", "a" * 64, "\udcff"])
def test_what_is_no_name_goes_nowhere(name: str, wrong: str, fake: Fake) -> None:
    """`forget demo ..` would be the path of the world itself."""
    check_wrong_use(inside(*name.split(), wrong, *CALLS[name][0][1:], "--url", fake.url), "is not a name")
    assert fake.asked == []


@pytest.mark.parametrize(
    "command",
    [
        ("worlds", "forget", "demo", ".."),
        ("worlds", "restore", "demo", ".."),
        ("faults", "remove", ".."),
        ("faults", "remove", "lost", "-w", ".."),
        ("requests", "clear", "-w", "."),
        ("worlds", "diff", "..", "demo"),
    ],
    ids=named,
)
def test_what_is_no_name_deletes_nothing(command: tuple[str, ...], fake: Fake) -> None:
    check_wrong_use(inside(*command, "--url", fake.url), "is not a name")
    assert fake.asked == []


@pytest.mark.parametrize("name", CALLS)
def test_each_passes_on_what_the_mock_refuses(name: str, saved: str) -> None:
    refused = replied({"message": "No.\x1b[31m\nReally.", "error_code": "no", "code": "no", "correlationId": "1"}, 409)

    class Refusing(Fake):
        def reply(self, asked: Any) -> Reply:
            return refused

    with Refusing() as fake:
        ran = inside(*words(name, saved), "--url", fake.url)
    check_wrong_use(ran, "No.\\x1b[31m\\nReally.")


def test_the_environment_says_where_who_and_which_world() -> None:
    with Fake() as fake:
        env = {"MOCKBILL_URL": fake.url, "MOCKBILL_TOKEN": "secret", "MOCKBILL_WORLD": "blue"}
        assert inside("clock", "show", env=env).code == 0
        assert inside("clock", "show", "-w", "green", env=env).code == 0
        assert [(asked.path, asked.token) for asked in fake.asked] == [
            ("/worlds/blue/clock", "Bearer secret"),
            ("/worlds/green/clock", "Bearer secret"),
        ]


@pytest.mark.parametrize("token", ["a b", "a\nb", "caf\xe9", "\udcff"])
def test_a_token_that_no_header_can_carry(token: str, fake: Fake) -> None:
    check_wrong_use(inside("worlds", "list", "--url", fake.url, "--token", token), "token")
    assert fake.asked == []


def test_a_missing_token_is_named_with_the_way_out() -> None:
    refused = replied({"message": "It carries no credential.", "error_code": "unauthenticated"}, 401)
    with Fake({"GET /worlds": [refused]}) as fake:
        check_wrong_use(inside("worlds", "list", "--url", fake.url), "no credential", "--token", "MOCKBILL_TOKEN")


@pytest.mark.parametrize(
    "command",
    [
        ("worlds", "create", "\udcff"),
        ("worlds", "settings", "demo", "checkout=\udcff"),
        ("requests", "list", "--caller", "\udcff"),
        ("clock", "set", "\udcff"),
    ],
)
def test_letters_that_are_none_are_wrong_use(command: tuple[str, ...], fake: Fake) -> None:
    check_wrong_use(inside(*command, "--url", fake.url), "no Unicode")
    assert fake.asked == []


def test_proxies_of_the_environment_are_not_asked(fake: Fake) -> None:
    env = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    assert inside("worlds", "list", "--url", fake.url, env=env).code == 0


def test_starting_is_fast_because_little_is_loaded(fake: Fake) -> None:
    """`connexion` alone takes longer than all that a command needs."""
    ran = mockbill("worlds", "list", "--url", fake.url, env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in ran.errors.splitlines()}
    assert ran.code == 0
    assert "httpx" in loaded
    assert not loaded & {"connexion", "starlette", "faker", "yaml", "mock_server.app", "mock_server.http"}


def test_output_that_nobody_reads_any_more_is_no_failure(fake: Fake) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "worlds", "list"],
        cwd=ROOT,
        env=environment({"MOCKBILL_URL": fake.url}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.wait(timeout=20)
    process.stderr.close()
    assert errors == ""


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_device_that_takes_nothing_is_named(options: tuple[str, ...], fake: Fake) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "mock_server", "worlds", "list", *options],
            cwd=ROOT,
            env=environment({"MOCKBILL_URL": fake.url}),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=20,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (2, "mockbill: cannot write to standard output: No space left on device\n")


def test_letters_that_the_output_cannot_show_get_their_numbers() -> None:
    settings = replied({"api": "openapp", "settings": {"name": "\u4f8b"}})
    with Fake({"GET /worlds/demo/settings": [settings]}) as fake:
        ran = mockbill("worlds", "settings", "demo", env={"MOCKBILL_URL": fake.url, "PYTHONIOENCODING": "latin-1"})
    assert (ran.code, ran.out, ran.errors) == (0, "name  \\u4f8b\n", "")
