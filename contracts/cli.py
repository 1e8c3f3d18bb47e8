"""`mockbill contract ...`. Exit codes: 0 fine, 1 findings or a run that did not get through, 2 wrong use, 3 unreachable.

This module imports nothing of the harness before a command needs it: `mockbill --help` must not wait for it.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mock_server.commands.groups import group

app = group("Hold an implementation against its contract.", "mockbill contract run --url http://127.0.0.1:4010")


class Profile(StrEnum):
    """How much is tried."""

    quick = "quick"
    full = "full"


def _variable(name: str) -> str:
    return f"MOCKBILL_CONTRACT_{name}"


Url = Annotated[
    str | None,
    typer.Option(envvar=_variable("URL"), help="What is tested: a mockbill, or the base URL in place of the file's."),
]
Api = Annotated[str | None, typer.Option(envvar=_variable("API"), help="Whose contract; openapp if left out.")]
File = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar=_variable("CONFIG"), help="The target's contract.toml; that of this folder."),
]
Laws = Annotated[
    list[str] | None, typer.Option("--law", envvar=_variable("LAW"), help="Only this law or family; may be repeated.")
]
Profiled = Annotated[Profile, typer.Option(envvar=_variable("PROFILE"), help="How much is tried.")]
Token = Annotated[
    str | None, typer.Option(envvar=_variable("TOKEN"), help="The control token of a mockbill, if it printed one.")
]
AsJson = Annotated[bool, typer.Option("--json", envvar=_variable("JSON"), help="Print one JSON document.")]
Seed = Annotated[
    int | None, typer.Option(min=0, envvar=_variable("SEED"), help="The same seed makes the same calls; 1 if left out.")
]


@app.command(
    epilog="Examples:  mockbill contract run --url http://127.0.0.1:4010   |   mockbill contract run --profile full"
)
def run(
    url: Url = None,
    api: Api = None,
    config: File = None,
    profile: Profiled = Profile.quick,
    law: Laws = None,
    operation: Annotated[
        list[str] | None,
        typer.Option(envvar=_variable("OPERATION"), help="Only what concerns this operationId; may be repeated."),
    ] = None,
    seed: Seed = None,
    report_dir: Annotated[
        Path | None, typer.Option(envvar=_variable("REPORT_DIR"), help="Write JUnit, JSON, HTML and tests there.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(envvar=_variable("BASELINE"), help="Known findings; in place of the file's.")
    ] = None,
    update_baseline: Annotated[
        bool,
        typer.Option("--update-baseline", envvar=_variable("UPDATE_BASELINE"), help="Write what is found as known."),
    ] = False,
    owner: Annotated[
        str | None, typer.Option(envvar=_variable("OWNER"), help="Who looks after what --update-baseline writes.")
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(min=1, envvar=_variable("MAX_SECONDS"), help="End with what there is; 300, or 3600 in full."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(envvar=_variable("JOURNAL"), help="Where a run writes down what it creates (own-objects)."),
    ] = None,
    cleanup_only: Annotated[
        bool,
        typer.Option("--cleanup-only", envvar=_variable("CLEANUP_ONLY"), help="Delete what a killed run left behind."),
    ] = False,
    preflight: Annotated[
        bool,
        typer.Option(
            "--preflight/--no-preflight",
            envvar=_variable("PREFLIGHT"),
            help="Try target and credentials before any law.",
        ),
    ] = True,
    token: Token = None,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", envvar=_variable("QUIET"), help="Tell only findings and what it comes to.")
    ] = False,
) -> None:
    """Hold a target against the laws of its contract, and report what it breaks."""
    from .commands import ended, needed

    needed()
    from .running import Asked, clean_up, run_it

    asked = Asked(
        url=url,
        api=api,
        config=config,
        profile=profile.value,
        laws=tuple(law or ()),
        operations=tuple(operation or ()),
        seed=1 if seed is None else seed,
        report_dir=report_dir,
        baseline=baseline,
        update_baseline=update_baseline,
        owner=owner,
        max_seconds=max_seconds,
        journal=journal,
        preflight=preflight,
        token=token,
        as_json=as_json,
        quiet=quiet,
    )
    ended(lambda: clean_up(asked) if cleanup_only else run_it(asked))


@app.command(epilog="Example:  mockbill contract laws --law model")
def laws(law: Laws = None, api: Api = None, as_json: AsJson = False) -> None:
    """List the laws with the clauses they rest on and what they need of a target."""
    from .commands import ended, list_laws, needed

    needed()
    ended(lambda: list_laws(tuple(law or ()), api, as_json))


@app.command(epilog="Example:  mockbill contract init --url https://staging.example/api/v1 -o contract.toml")
def init(
    url: Annotated[
        str | None,
        typer.Option(envvar=_variable("URL"), help="What will be tested; it is asked what it is."),
    ] = None,
    api: Api = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", envvar=_variable("OUTPUT"), help="Write to this file.")
    ] = Path("contract.toml"),
    force: Annotated[
        bool, typer.Option("--force", envvar=_variable("FORCE"), help="Write over a file that is there.")
    ] = False,
    token: Token = None,
) -> None:
    """Write a commented contract.toml, filled in as far as the target can tell. Only reads are sent to it."""
    from .commands import ended, initialize

    ended(lambda: initialize(url, api, output, force=force, token=token))


@app.command(epilog="Examples:  mockbill contract mutants --family quotas   |   mockbill contract mutants --json")
def mutants(
    mutant: Annotated[
        list[str] | None, typer.Option("--id", envvar=_variable("ID"), help="Only this mutant; may be repeated.")
    ] = None,
    family: Annotated[
        list[str] | None, typer.Option(envvar=_variable("FAMILY"), help="Only this family; may be repeated.")
    ] = None,
    law: Laws = None,
    seed: Seed = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", envvar=_variable("PLAIN"), help="Run plain schemathesis beside, which takes long."),
    ] = False,
    listing: Annotated[
        bool,
        typer.Option("--list", envvar=_variable("LIST"), help="Only list the mutants with what is wrong with them."),
    ] = False,
    as_json: AsJson = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", envvar=_variable("MARKDOWN"), help="Print the table of the documentation.")
    ] = False,
) -> None:
    """Run the laws against deliberately broken servers, and show which law finds which fault."""
    from .commands import ended, list_mutants, needed

    needed()

    def matrix() -> int:
        from .mutants.command import run

        return run(
            tuple(mutant or ()),
            tuple(family or ()),
            tuple(law or ()),
            1 if seed is None else seed,
            plain=plain,
            as_json=as_json,
            as_markdown=markdown,
        )

    ended(lambda: list_mutants(tuple(mutant or ()), tuple(family or ()), as_json) if listing else matrix())
