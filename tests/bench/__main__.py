"""Speed beside other servers, in one table: `python -m tests.bench`. It measures and never fails over a time."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import load, worlds
from .asked import ALL, Asked
from .first_answer import first_answers
from .processes import BenchError, Kind, Server
from .results import Resident, Results, Throughput, this_machine
from .servers import PRISM, kinds, prism
from .table import lines

FIRST_ANSWER, WORLDS = "first-answer", "worlds"
ROUNDS = 2
WARM_UP = 1


def main() -> int:
    arguments = _arguments()
    # Leave through every `with`, so that no server is left behind. A shell starts background jobs deaf to SIGINT.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    results = Results(this_machine(), load.generator())
    if load.wrk() is None:
        _say(load.WRK_HINT)
    try:
        _measure(results, arguments)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except BenchError as error:
        _say(f"bench: {error}")
        return 1
    print("\n".join(lines(results)))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results.plain(), indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts = [*(asked.name for asked in ALL), FIRST_ANSWER, WORLDS]
    parser.add_argument("--seconds", type=int, default=4, metavar="N", help="for each server and request (default: 4)")
    parser.add_argument("--only", action="append", choices=parts, metavar="NAME", help=", ".join(parts))
    parser.add_argument("--skip-prism", action="store_true", help="leave Prism out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured as JSON too")
    arguments = parser.parse_args()
    if arguments.seconds < ROUNDS:
        parser.error(f"--seconds: at least {ROUNDS}")
    arguments.only = arguments.only or parts
    return arguments


def _measure(results: Results, arguments: argparse.Namespace) -> None:
    asked = [each for each in ALL if each.name in arguments.only]
    if asked or FIRST_ANSWER in arguments.only:
        with tempfile.TemporaryDirectory() as name:
            compared = _kinds(results, Path(name), skip_prism=arguments.skip_prism)
            if asked:
                _throughput(results, compared, asked, arguments.seconds)
            if FIRST_ANSWER in arguments.only:
                _say("first answers")
                results.first_answers = first_answers(compared)
    if WORLDS in arguments.only:
        _say("worlds")
        results.worlds = worlds.measure()


def _kinds(results: Results, folder: Path, *, skip_prism: bool) -> list[Kind]:
    compared = kinds(folder)
    other = "left out" if skip_prism else prism(folder)
    if isinstance(other, str):
        results.not_measured[PRISM] = other
        return compared
    return [*compared, other]


def _throughput(results: Results, compared: list[Kind], asked: list[Asked], seconds: int) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(kind)) for kind in compared]
        for server in servers:
            server.check_all()
        at_start = [server.memory for server in servers]
        for each in asked:
            rounds: dict[str, list[load.Load]] = {server.kind.name: [] for server in servers}
            for number in range(ROUNDS):
                # Forth and back, so that a machine that grows slower or faster treats all alike.
                for server in servers if number % 2 == 0 else reversed(servers):
                    _say(f"{each.line}: {server.kind.name}")
                    load.load(server, each, WARM_UP)
                    rounds[server.kind.name].append(load.load(server, each, -(-seconds // ROUNDS)))
            results.throughput += [
                Throughput(server.kind.name, each.name, load.together(rounds[server.kind.name]), server.check(each))
                for server in servers
            ]
        results.memory = [
            Resident(server.kind.name, before, server.memory) for server, before in zip(servers, at_start, strict=True)
        ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
