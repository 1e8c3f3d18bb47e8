"""The fixtures of the pytest plugin, in runs of pytest of their own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

# Else each run of pytest within pytest would import them anew, and take them away again when it ends.
import contracts.fixtures.choosing
import contracts.fixtures.inbox
import contracts.fixtures.replaying
import contracts.fixtures.telling  # noqa: F401
from contracts.fixtures import Clock, Control, Inbox, NotSettled, World
from contracts.fixtures.server import CannotStart, started
from contracts.fixtures.worlds import world_name
from tests.server import ROOT, Server

from .test_pytest_plugin import PLUGIN

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    monkeypatch.delenv("MOCKBILL_URL", raising=False)
    return pytester


def ran(pytester: pytest.Pytester, server: Server, source: str, *arguments: str) -> pytest.RunResult:
    """The tests in `source`, against a mock that runs already."""
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "--mockbill-url", server.url, *arguments)


def worlds(server: Server) -> set[str]:
    from contracts.fixtures.control import Control

    control = Control(server.url)
    try:
        return {each["name"] for each in control.ask("GET", "/worlds")["worlds"]}
    finally:
        control.close()


# -- worlds -----------------------------------------------------------------------------------------------------------


def test_each_test_has_a_world_of_its_own_that_goes_with_it(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        import pytest

        @pytest.mark.parametrize("n", range(2))
        def test_a_zone(mockbill_world, n):
            made = mockbill_world.call("POST", "/api/v1/zones", {"name": "Attic"}, key="owner")
            assert made.status == 200
            zones = mockbill_world.call("GET", "/api/v1/zones", key="demo-owner").json
            assert zones["total"] == 1
            (request, _) = mockbill_world.requests()
            assert (request["operation"], request["status"]) == ("create_zone", 200)
        """,
    )
    result.assert_outcomes(passed=2)
    assert worlds(server) == {"demo"}


def test_what_the_control_api_can_do(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        import urllib.request
        import pytest
        from contracts.fixtures import MockRefused

        def test_it(mockbill_world, mockbill_server):
            world = mockbill_world
            assert world.url == f"{mockbill_server.url}/w/{world.name}"
            with urllib.request.urlopen(f"{world.url}/api/v1/plans") as answer:
                assert answer.status == 200
            assert world.settings(checkout="hosted")["checkout"] == "hosted" == world.settings()["checkout"]
            taken = world.snapshot()
            world.use("ai_requests", 10)
            with pytest.raises(MockRefused, match="429 quota_exceeded") as refused:
                world.use("ai_requests", 1)
            assert (refused.value.status, refused.value.code) == (429, "quota_exceeded")
            world.restore()
            world.use("ai_requests", 1)
            world.restore(taken)
            world.fault(when="before", do="answer", status=503, count=1)
            assert [world.call("GET", "/api/v1/plans").status for _ in range(2)] == [503, 200]
            owner = world.credential("owner")
            assert (owner.secret, owner.key) == ("demo-owner", f"demo-owner@{world.name}")
            assert owner.token.endswith(f"_openapp_{owner.key}")
            with pytest.raises(LookupError, match="'emperor'; it has member, operator, owner, reader"):
                world.credential("emperor")
        """,
    )
    result.assert_outcomes(passed=1)


def test_a_world_is_as_its_markers_say(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        from datetime import UTC, datetime, timedelta
        import pytest

        pytestmark = pytest.mark.mockbill(seed=5, settings={"portal": "off", "warn_days": 3})

        def test_usual(mockbill_clock, mockbill_world):
            assert (mockbill_clock.now, mockbill_clock.is_frozen) == (datetime(2026, 3, 1, tzinfo=UTC), True)
            assert mockbill_world.control("GET", "")["seed"] == 5

        @pytest.mark.mockbill(now="2030-01-01T00:00:00Z", settings={"warn_days": 4})
        def test_closest(mockbill_clock, mockbill_world):
            assert mockbill_clock.now.year == 2030
            assert mockbill_world.control("GET", "")["seed"] == 5
            settings = mockbill_world.settings()
            assert (settings["portal"], settings["warn_days"]) == ("off", 4)

        @pytest.mark.mockbill(scenario="over-capacity")
        def test_a_scenario_with_a_beginning(mockbill_clock):
            assert mockbill_clock.now == datetime(2026, 3, 2, 9, tzinfo=UTC)

        @pytest.mark.mockbill(scenario="generated", options={"orgs": 2})
        def test_one_without(mockbill_clock):
            assert mockbill_clock.now == datetime(2026, 3, 1, tzinfo=UTC)

        @pytest.mark.mockbill(clock="running")
        def test_running(mockbill_clock):
            assert not mockbill_clock.is_frozen
            assert abs(mockbill_clock.now - datetime.now(UTC)) < timedelta(minutes=1)
        """,
    )
    result.assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('"demo"', "*@pytest.mark.mockbill: it takes names only*"),
        ('sceanrio="demo"', "*@pytest.mark.mockbill: *`sceanrio`*"),
        ("seed='x'", "*@pytest.mark.mockbill: Expected `int*`$.seed`*"),
        ('scenario="mine.yaml"', "*goes into --mockbill-scenario*"),
        ('scenario="none"', "*400 invalid_scenario*none*"),
        ('now="yesterday"', "*400 invalid_request*yesterday*"),
        ('settings={"portal": "ajar"}', "*PATCH */settings*400*"),
    ],
)
def test_a_wrong_marker_is_told_in_a_line(pytester: pytest.Pytester, server: Server, marker: str, message: str) -> None:
    source = f"import pytest\n\n@pytest.mark.mockbill({marker})\ndef test_it(mockbill_world): pass\n"
    result = ran(pytester, server, source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()
    assert worlds(server) == {"demo"}


def test_a_world_has_the_same_name_in_every_run_unless_others_use_the_mock() -> None:
    name = world_name("tests/test_x.py::TestA::test_ünder_way[1/ä b]")
    assert name == world_name("tests/test_x.py::TestA::test_ünder_way[1/ä b]")
    assert name != world_name("tests/test_y.py::TestA::test_ünder_way[1/ä b]")
    assert name.startswith("test-nder-way-1-b-")
    assert len(world_name("x" * 500, "0a1b2c3d")) <= 63


# -- clock ------------------------------------------------------------------------------------------------------------


def test_a_clock_says_what_fell_due(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        from datetime import UTC, datetime, timedelta
        import pytest
        from contracts.fixtures import MockRefused

        @pytest.mark.mockbill(scenario="over-capacity")
        def test_it(mockbill_clock):
            assert mockbill_clock.agenda()[0]["job"] == "lifecycle_stage_ends"
            (first,) = mockbill_clock.advance("P7D")
            assert (first.at, first.job) == (datetime(2026, 3, 9, 9, tzinfo=UTC), "lifecycle_stage_ends")
            assert mockbill_clock.advance(timedelta(hours=1, microseconds=1)) == []
            (second,) = mockbill_clock.step()
            assert second.at == mockbill_clock.now
            mockbill_clock.set(mockbill_clock.now + timedelta(days=1))
            mockbill_clock.set("2027-01-01T00:00:00Z")
            with pytest.raises(MockRefused, match="clock_goes_back"):
                mockbill_clock.set("2026-01-01T00:00:00Z")
            with pytest.raises(ValueError, match="without a time zone"):
                mockbill_clock.set(datetime(2028, 1, 1))
            mockbill_clock.run()
            assert not mockbill_clock.is_frozen
            mockbill_clock.freeze()
            assert mockbill_clock.is_frozen
        """,
    )
    result.assert_outcomes(passed=1)


# -- settling ---------------------------------------------------------------------------------------------------------


def test_it_is_settled_when_nothing_is_being_sent_and_not_when_the_time_is_over(
    pytester: pytest.Pytester, server: Server
) -> None:
    result = ran(
        pytester,
        server,
        """
        import pytest
        from contracts.fixtures import NotSettled
        from contracts.fixtures.telling import delivery_line

        def test_it(mockbill_world, mockbill_clock, webhook_inbox):
            assert mockbill_world.settle() == []
            webhook_inbox.listen(mockbill_world, retries=[60])
            webhook_inbox.answer(500, times=1)
            mockbill_world.emit("invoice.paid", wait=0)
            (line,) = mockbill_world.settle()
            assert (line["state"], line["status"], line["due"]) == ("pending", 500, "2026-03-01T00:01:00Z")
            webhook_inbox.answer(200, delay=60)
            mockbill_world.notify(f"{webhook_inbox.url}/b")
            mockbill_world.emit("invoice.failed", wait=0)
            with pytest.raises(NotSettled, match="delivery-3 invoice.failed to http://.*/b: pending, being sent") as error:
                mockbill_world.settle(timeout=0)
            assert "delivery-2" not in str(error.value), "it stands in line behind delivery-1"
            story = delivery_line(mockbill_world.deliveries()[1], "frozen")
            assert story.endswith("pending, waits: until delivery-1 has come to an end")

        def test_nothing_comes(mockbill_world, webhook_inbox):
            webhook_inbox.listen(mockbill_world)
            webhook_inbox.answer(200, delay=60)
            mockbill_world.emit("invoice.paid", wait=0)
            mockbill_world.settle(timeout=0)
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*NotSettled: waited 0 s, and webhooks of world * are still being sent:",
            "*pending, being sent",
            "*own thread*",
        ]
    )
    assert "world.py" not in result.stdout.str()


@given(
    st.lists(st.tuples(st.sampled_from(["sent", "waits", "stands in line"]), st.floats(0, 30)), min_size=1, max_size=6),
    st.floats(0, 40),
)
def test_settle_ends_well_only_if_a_look_finds_nothing_being_sent(
    looks: list[tuple[str, float]], timeout: float
) -> None:
    """Each look at the mock takes so long, and finds a webhook being sent, or one that waits for the clock."""
    time, asked = 0.0, []

    class Scripted(World):
        def control(self, method: str, path: str, *rest: Any, query: dict[str, Any], **more: Any) -> Any:
            nonlocal time
            asked.append(query)
            if "state" not in query:
                return {"deliveries": ["all"]}
            found, took = looks[min(len(asked), len(looks)) - 1]
            time += max(took, 0.001)
            line = {"id": "delivery-1", "topic": "a", "url": "u", "state": "pending", "error": None, "status": None}
            line["waits"] = "delivery-0" if found == "stands in line" else None
            return {"matched": 1, "deliveries": [{**line, "tried": 1, "due": "later" if found == "waits" else None}]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contracts.fixtures.world.stopwatch", lambda: time)
        world = Scripted(Control("http://127.0.0.1:1"), "w")
        try:
            assert world.settle(timeout) == ["all"]
        except NotSettled:
            assert time >= timeout
            assert looks[min(len(asked), len(looks)) - 1][0] == "sent"
        else:
            assert looks[min(len(asked) - 1, len(looks)) - 1][0] != "sent"
        assert all(query.get("wait", 0) <= 60 for query in asked)
        assert asked[0]["wait"] >= timeout if timeout else "wait" not in asked[0]


# -- what a failure says ----------------------------------------------------------------------------------------------


def test_a_failed_test_shows_what_its_world_was_asked(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        def test_it(mockbill_world, webhook_inbox):
            webhook_inbox.listen(mockbill_world)
            mockbill_world.call("GET", "/api/v1/plans")
            mockbill_world.call("GET", "/api/v1/zones", key="demo-nobody")
            mockbill_world.emit("invoice.paid")
            assert False
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- mockbill world test-it-* -*",
            "clock: frozen at 2026-03-01T00:00:00Z",
            "2 requests:",
            "  1. GET /w/*/api/v1/plans by *: 200",
            "  2. GET /w/*/api/v1/zones by *: 401 unauthenticated",
            "1 webhook:",
            "  delivery-1 invoice.paid to http://127.0.0.1:*/: delivered, answered 200",
        ]
    )


def test_a_webhook_that_does_not_come_is_told_without_a_traceback(pytester: pytest.Pytester, server: Server) -> None:
    result = ran(
        pytester,
        server,
        """
        def test_it(mockbill_world, webhook_inbox):
            webhook_inbox.listen(mockbill_world)
            mockbill_world.emit("invoice.paid")
            webhook_inbox.wait_for("invoice.payment_failed", timeout=0)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*NotReceived: waited 0 s for invoice.payment_failed", "*1 came in all:", "*invoice.paid*"]
    )
    assert "inbox.py" not in result.stdout.str()


# -- the server -------------------------------------------------------------------------------------------------------


def test_a_scenario_of_ones_own_and_a_server_that_goes_away(pytester: pytest.Pytester) -> None:
    text = (ROOT / "fixtures" / "worlds" / "demo.yaml").read_text().replace("Acme Doors", "My Own")
    (pytester.path / "mine.yaml").write_text(text)
    pytester.makeini("[pytest]\nmockbill_scenario = mine.yaml\nfilterwarnings = error\n")
    pytester.makepyfile(
        """
        import os, signal

        def test_mine(mockbill_world):
            assert mockbill_world.credential("owner").name == "owner of My Own"
            assert mockbill_world.name == "test-mine-" + mockbill_world.name[-8:]

        def test_killed(mockbill_world, mockbill_server):
            os.kill(mockbill_server.pid, signal.SIGKILL)
            mockbill_server._process._popen.wait()

        def test_after(mockbill_world): pass
        """
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider")
    assert result.parseoutcomes() == {"passed": 2, "errors": 1}
    result.stdout.fnmatch_lines(
        ["no mock answers at http://127.0.0.1:*its process ended with exit code -9. It wrote: *"]
    )


def test_a_server_that_does_not_start_says_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(mockbill_world): pass\n\ndef test_other(mockbill_world): pass")
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "--mockbill-scenario", "none.yaml")
    assert result.parseoutcomes() == {"errors": 2}
    result.stdout.fnmatch_lines(
        ["mockbill ended with exit code 2. The command was: *-m mock_server serve *", "It wrote: mockbill: *none.yaml*"]
    )


def test_one_that_takes_too_long_is_not_left_behind() -> None:
    with pytest.raises(CannotStart, match=r"did not come up within 0 s\. The command was"):
        started(seconds=0)


def test_a_mock_that_is_not_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(mockbill_world): pass")
    for url, message in (
        ("http://127.0.0.1:1", "no mock answers at http://127.0.0.1:1 (POST /_mock/worlds): *refused*"),
        ("localhost:4010", "'localhost:4010' is not where a mock can be: give http://HOST:PORT"),
    ):
        result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "--mockbill-url", url)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([message])


def test_it_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import os\n\ndef test_it(mockbill_server):\n    print(mockbill_server.url, flush=True)\n    os.read(0, 1)\n"
    )
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-s", "-p", "no:cacheprovider", "test_it.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    ) as run:
        assert run.stdout is not None
        line = next(line for line in run.stdout if "http://" in line)
        address = urlsplit(line[line.index("http://") :].strip())
        assert address.hostname is not None
        with socket.create_connection((address.hostname, address.port or 0), timeout=20) as connection:
            connection.sendall(b"GET /_mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(9) == b"HTTP/1.1 "
            run.send_signal(signal.SIGKILL)
            # The connection is closed when the server is gone, and only then.
            while connection.recv(4096):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address.hostname, address.port or 0), timeout=20)


@pytest.mark.slow
def test_each_worker_of_xdist_has_one_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(12))
        def test_it(mockbill_world, webhook_inbox, n):
            webhook_inbox.listen(mockbill_world)
            mockbill_world.emit("invoice.paid", count=n + 1)
            assert len(webhook_inbox.wait_for("invoice.paid", count=n + 1)) == n + 1
            with open(f"url-{mockbill_world.server_url.rpartition(':')[2]}", "w"):
                pass
        """
    )
    arguments = (*PLUGIN, "-p", "no:cacheprovider", "-n", "2")
    result = pytester.runpytest_subprocess(*arguments, timeout=120)
    result.assert_outcomes(passed=12)
    assert len(list(pytester.path.glob("url-*"))) == 2


# -- documentation ----------------------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "testing-your-app.md"


def test_what_the_page_shows_passes(pytester: pytest.Pytester, server: Server) -> None:
    blocks = re.findall(r"<!-- pytest -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    ran(pytester, server, "\n\n".join(blocks)).assert_outcomes(passed=2)


def test_the_page_knows_every_fixture_and_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("")
    told = pytester.runpytest_inprocess(*PLUGIN, "--fixtures").stdout.str()
    found = set(re.findall(r"^((?:mockbill|webhook)_\w+)", told, re.MULTILINE))
    assert found == {"mockbill_server", "mockbill_world", "mockbill_clock", "webhook_inbox", "webhook_replay"}
    page = PAGE.read_text()
    for name in (*found, "--mockbill-url", "--mockbill-scenario", "mockbill_url", "mockbill_scenario"):
        assert name in page, name
    for name in re.findall(r"\b(?:mockbill_world|webhook_inbox|mockbill_clock)\.(\w+)", page):
        assert any(hasattr(each, name) for each in (World, Inbox, Clock)) or name == "url", name
