"""Every misuse ends with exit code 2 and one line that says what to do."""

from __future__ import annotations

import socket
from functools import partial

import pytest

from .command import Ran, all_of, check_wrong_use, mockbill

ANY_PORT = {"MOCKBILL_PORT": "0"}
MISUSES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "an unknown scenario": (("serve", "--scenario", "nope"), ("nope", "demo")),
    "a scenario out of the folder": (("serve", "--scenario", ".."), ("..", "demo")),
    "a scenario file that is not there": (("serve", "--scenario", "./none.yaml"), ("none.yaml", "No such file")),
    "an unknown API": (("serve", "--root-api", "nope"), ("nope", "openapp")),
    "the control API as the root": (("serve", "--root-api", "control"), ("control", "openapp")),
    "a port too high": (("serve", "--port", "65536"), ("--port", "65535")),
    "a port that is a word": (("serve", "--port", "http"), ("--port", "integer")),
    "an unknown host": (("serve", "--host", "no-such-host.invalid"), ("no-such-host.invalid",)),
    "a host with a space": (("serve", "--host", "a b"), ("a b",)),
    "an address of another machine": (("serve", "--host", "203.0.113.1"), ("203.0.113.1",)),
    "an unknown command": (("nope",), ("nope",)),
    "an unknown command of spec": (("spec", "nope"), ("nope",)),
    "an unknown option": (("serve", "--nope"), ("--nope",)),
    "an argument too many": (("serve", "4010"), ("4010",)),
    "an option without its value": (("serve", "--port"), ("--port",)),
    "bundle of an unknown API": (("spec", "bundle", "--api", "nope"), ("nope", "openapp")),
    "lint of an unknown API": (("spec", "lint", "--api", "nope"), ("nope", "openapp")),
    "bundle into no folder": (("spec", "bundle", "-o", "no/such/folder/x.json"), ("no/such/folder/x.json",)),
    "bundle into a folder": (("spec", "bundle", "-o", "tests"), ("tests", "directory")),
    "bundle into a device that takes nothing": (("spec", "bundle", "-o", "/dev/full"), ("/dev/full",)),
}


@pytest.fixture(scope="module")
def misused() -> dict[str, Ran]:
    return all_of({name: partial(mockbill, *arguments, env=ANY_PORT) for name, (arguments, _) in MISUSES.items()})


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_says_why(misused: dict[str, Ran], misuse: str) -> None:
    check_wrong_use(misused[misuse], *MISUSES[misuse][1])


PUBLIC_URLS = {
    "no scheme": "mock.example",
    "nothing": "",
    "no host": "http://",
    "a space": "http://mock .example",
    "a query": "http://mock.example?x=1",
    "markup": 'http://mock.example"><script>',
    "a second header": "http://mock.example\r\nX-Evil: 1",
    "a port too high": "http://mock.example:99999",
    "letters that no header can carry": "http://\u4f8b\u3048.example",
}


@pytest.fixture(scope="module")
def served_under() -> dict[str, Ran]:
    return all_of({url: partial(mockbill, "serve", "--public-url", url, env=ANY_PORT) for url in PUBLIC_URLS.values()})


@pytest.mark.parametrize("url", PUBLIC_URLS.values(), ids=PUBLIC_URLS)
def test_a_public_url_that_cannot_be_one_is_refused(served_under: dict[str, Ran], url: str) -> None:
    check_wrong_use(served_under[url], "--public-url")


VARIABLES = [("MOCKBILL_PORT", "many"), ("MOCKBILL_STRICT", "maybe"), ("MOCKBILL_SCENARIO", "nope")]


@pytest.fixture(scope="module")
def set_wrong() -> dict[str, Ran]:
    return all_of(
        {f"{name}={value}": partial(mockbill, "serve", env={**ANY_PORT, name: value}) for name, value in VARIABLES}
    )


@pytest.mark.parametrize("setting", [f"{name}={value}" for name, value in VARIABLES])
def test_a_wrong_environment_variable_is_wrong_use_too(set_wrong: dict[str, Ran], setting: str) -> None:
    check_wrong_use(set_wrong[setting])


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        check_wrong_use(mockbill("serve", "--port", port), port, "in use", "--port")
