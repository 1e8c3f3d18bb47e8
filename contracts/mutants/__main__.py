"""`python -m contracts.mutants ID [--port 0] [--scenario demo]`: serve the mock with one fault; `none`: without any.

When it answers it says so in the same line as `mockbill serve`: `MOCKBILL_READY url=... port=...`. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import sys

from mock_server.app import UnknownApi, create_app, create_mock
from mock_server.bundles import BundleError
from mock_server.fixtures import FixtureError
from mock_server.http.mock import Options
from mock_server.serve import CannotListen, listen, run

from .catalogue import MUTANTS, NONE

HOST = "127.0.0.1"
WRONG_USE = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.mutants", description="Serve the mock with one fault.")
    parser.add_argument("id", nargs="?", help=f"which fault; {NONE!r}: none at all")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes any free one (default)")
    parser.add_argument("--scenario", default="demo", help="what worlds start from: a name, or a YAML file")
    parser.add_argument("--list", action="store_true", help="print the ids with what is wrong, and end")
    asked = parser.parse_args(arguments)
    if asked.list:
        for mutant in MUTANTS.values():
            print(f"{mutant.id:34} {mutant.family:13} {mutant.title}")
        return 0
    if asked.id != NONE and asked.id not in MUTANTS:
        print(f"there is no mutant {asked.id!r}; --list shows them", file=sys.stderr)
        return WRONG_USE
    try:
        serve(asked.id, asked.port, asked.scenario)
    except (FixtureError, UnknownApi, BundleError, CannotListen) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    return 0


def serve(mutant_id: str, port: int, scenario: str) -> None:
    mock = create_mock(Options(scenario=scenario))
    dispatcher = create_app(mock)
    # Before anything is prepared: what is put together then keeps the functions it found.
    app = dispatcher if mutant_id == NONE else MUTANTS[mutant_id].install(dispatcher)
    dispatcher.prepare()
    listener = listen(HOST, port)

    def on_ready(url: str) -> None:
        print(f"MOCKBILL_READY url={url} port={listener.getsockname()[1]}", flush=True)

    run(app, mock, listener, on_ready, quiet=True)


if __name__ == "__main__":
    sys.exit(main())
