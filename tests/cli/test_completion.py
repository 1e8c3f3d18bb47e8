"""The shell completes the names of worlds by asking the mock, and says nothing if there is none."""

from __future__ import annotations

import pytest

from .command import mockbill, named, walk
from .fakes import Fake, Hostile, hanging, replied, saying

WORLDS = {"GET /worlds": [replied({"worlds": []})]}


def completed(line: str, url: str, **env: str) -> list[str]:
    words = line.split(" ")
    ran = mockbill(
        env={
            "_MOCKBILL_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "MOCKBILL_URL": url,
            **env,
        }
    )
    assert (ran.code, ran.errors) == (0, ""), ran
    return ran.out.split()


@pytest.mark.parametrize(
    "line",
    [
        "mockbill worlds show ",
        "mockbill worlds show d",
        "mockbill worlds advance demo",
        "mockbill worlds diff demo ",
        "mockbill worlds watch de",
        "mockbill clock show --world ",
        "mockbill clock agenda --within P1D -w d",
        "mockbill requests list -w d",
        "mockbill faults list --world d",
    ],
)
def test_names_of_worlds_are_completed(line: str) -> None:
    with Fake() as fake:
        assert completed(line, fake.url) == ["demo"]


def test_other_names_are_not_offered() -> None:
    with Fake() as fake:
        assert completed("mockbill worlds show x", fake.url) == []
        assert completed("mockbill worlds create d", fake.url) == []
        assert completed("mockbill worlds fork demo d", fake.url) == []


def test_the_mock_and_the_token_of_the_line_are_used() -> None:
    with Fake() as fake:
        line = f"mockbill worlds show --url {fake.url} --token secret d"
        assert completed(line, "http://127.0.0.1:9") == ["demo"]
        assert completed("mockbill worlds show d", fake.url, MOCKBILL_TOKEN="other") == ["demo"]
        assert [asked.token for asked in fake.asked] == ["Bearer secret", "Bearer other"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://["])
def test_nothing_is_offered_if_nobody_answers(url: str) -> None:
    assert completed("mockbill worlds show ", url) == []


def test_nothing_is_offered_by_a_stranger() -> None:
    for act in (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"), saying(b""), hanging):
        with Hostile(act) as other:
            assert completed("mockbill worlds show ", other.url) == []
    refused = replied({"message": "No.", "error_code": "no"}, 401)
    with Fake({"GET /worlds": [refused]}) as fake:
        assert completed("mockbill worlds show ", fake.url, MOCKBILL_TOKEN="a b") == []
        assert completed("mockbill worlds show ", fake.url) == []


def test_every_argument_that_is_a_world_is_completed() -> None:
    """Also that of a command that is yet to come."""
    for path, command in walk():
        if path[:1] == ("worlds",) and not hasattr(command, "commands") and path[1] not in ("list", "create", "load"):
            assert command.params[0].name == "name", named(path)
            assert command.params[0]._custom_shell_complete is not None, named(path)
