"""What pytest gets from mockbill: fixtures for testing an application against the mock, and the laws as tests.

    def test_upgrade(mockbill_world, mockbill_clock, webhook_inbox): ...

`mockbill_server` is a mock in a process of its own, one for the whole run; `mockbill_world` a world of it that only this test
has; `mockbill_clock` that world's time; `webhook_inbox` a place where webhooks arrive; `webhook_replay` sends capture files.
What they are made of is in `contracts.fixtures`; docs/testing-your-app.md shows how to use them.

    pytest --mockbill-contract contract.toml                           every law, as contract[<law id>]
    pytest --mockbill-contract contract.toml --mockbill-law model      one family, or one law
    pytest --mockbill-contract contract.toml -k "access and not list"  as with any test
    pytest --mockbill-contract contract.toml tests/contract            nothing else but what is in that folder

A law that is broken fails with its findings, or is expected to if the baseline of the file excuses them all; one whose
needs the target does not meet is skipped and says what it needs. What keeps a law from being tried to its end (a target
that goes away, time that is spent) is a failure. Before the first law the target and its credentials are tried. The laws
carry the marker `mockbill_contract`.

Nothing of ours is imported unless a fixture is used, or `--mockbill-contract` is given.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from .fixtures import Clock, Inbox, Replay, Server, World, Worlds

WORLD_MARKER = (
    'mockbill(scenario=..., now="2026-03-01T00:00:00Z", seed=1, clock="running", settings={...}, options={...}): '
    "what the test's mockbill_world begins with; the closest marker decides, member by member"
)
T = TypeVar("T")
EXTRA = "--mockbill-contract needs {missing}: pip install 'mockbill[contract]'"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mockbill", "mockbill: fixtures and contract laws")
    for name, metavar, text in (
        ("url", "URL", "let the fixtures use the mock that runs there (or MOCKBILL_URL) instead of starting one"),
        ("scenario", "NAME", "what mockbill_world begins with: a scenario, or a file of one; demo if left out"),
    ):
        group.addoption(f"--mockbill-{name}", metavar=metavar, help=text)
        parser.addini(f"mockbill_{name}", text, default="")
    group.addoption(
        "--mockbill-contract", metavar="FILE", help="hold the target of this contract.toml against its laws"
    )
    group.addoption("--mockbill-law", action="append", metavar="LAW", help="only this law or family; may be repeated")
    group.addoption(
        "--mockbill-profile", choices=("quick", "full"), default="quick", help="how much is tried (default: quick)"
    )
    group.addoption("--mockbill-seed", type=int, default=1, metavar="N", help="the same seed makes the same calls")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", WORLD_MARKER)
    where = config.getoption("--mockbill-contract")
    if not where:
        return
    from .commands import missing

    if lacking := missing():
        raise pytest.UsageError(EXTRA.format(missing=" and ".join(lacking)))
    from .law_items import MARKER, Laws
    from .suite import load
    from .target import TargetError

    file = Path(config.invocation_params.dir, where).resolve()
    try:
        suite = load(file, laws=tuple(config.getoption("--mockbill-law") or ()))
    except TargetError as error:
        raise pytest.UsageError(str(error)) from None
    config.addinivalue_line("markers", f"{MARKER}: a law of --mockbill-contract")
    config.pluginmanager.register(Laws(suite, file), "mockbill-laws")
    # So it is collected as any file is that somebody names.
    if not any(Path(config.invocation_params.dir, each.partition("::")[0]).resolve() == file for each in config.args):
        config.args.append(str(file))


# -- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mockbill_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A mock of this run's own, or the one of --mockbill-url. `mockbill_server.url` is where it answers."""
    from .fixtures.choosing import chosen_server
    from .fixtures.server import CannotStart

    server = _or_fail(lambda: chosen_server(pytestconfig), CannotStart)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _mockbill_worlds(mockbill_server: Server) -> Iterator[Worlds]:
    from .fixtures.control import Control, MockGone
    from .fixtures.worlds import Worlds

    server = mockbill_server
    control = _or_fail(lambda: Control(server.url, server.token, server.last_words), MockGone)
    yield Worlds(control)
    control.close()


@pytest.fixture
def mockbill_world(
    request: pytest.FixtureRequest, mockbill_server: Server, _mockbill_worlds: Worlds
) -> Iterator[World]:
    """A world that only this test has, the same at the beginning of every run; gone when the test ends."""
    from .fixtures.choosing import InvalidMarker, chosen_world
    from .fixtures.control import MockGone, MockRefused
    from .fixtures.worlds import world_name

    name = world_name(request.node.nodeid)
    if mockbill_server.pid is None:
        from .machine import run_name

        # Others may use that mock at the same time.
        name = f"{name}-{run_name()}"
    known = (InvalidMarker, MockGone, MockRefused)
    with _or_fail(lambda: _mockbill_worlds.create(name, chosen_world(request)), *known) as world:
        yield world


@pytest.fixture
def mockbill_clock(mockbill_world: World) -> Clock:
    """The time of `mockbill_world`: `advance("P31D")`, `set`, `step`, `freeze`, `run`, `now`."""
    return mockbill_world.clock


@pytest.fixture
def webhook_inbox() -> Iterator[Inbox]:
    """A place where webhooks arrive: `listen(mockbill_world)`, then `wait_for(type="invoice.paid")`."""
    from .fixtures.inbox import Inbox

    with Inbox() as inbox:
        yield inbox


@pytest.fixture
def webhook_replay(request: pytest.FixtureRequest) -> Replay:
    """Sends a capture file, relative to the test's own folder: `webhook_replay("captures/paid.json", to=url)`."""
    from .fixtures.replaying import Replay

    return Replay(request.path.parent)


def _or_fail(make: Callable[[], T], *known: type[Exception]) -> T:
    """What is made; for an error that explains itself, a failure without a traceback."""
    try:
        return make()
    except known as error:
        message = str(error)
    pytest.fail(message, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what its world was asked."""
    report = yield
    world = (
        (getattr(item, "funcargs", None) or {}).get("mockbill_world") if report.failed and call.when == "call" else None
    )
    if world is not None:
        from .fixtures.telling import story

        report.sections.append((f"mockbill world {world.name}", story(world)))
    return report
