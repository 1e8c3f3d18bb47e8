"""`mockbill faults ...`: what is to go wrong in a world."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import typer

from .answers import Delay, Fault, FaultList
from .client import HERE, Mock, WrongUse
from .groups import group
from .options import DEMO, AsJson, InWorld, Token, Url, given
from .tables import say, say_nothing, show, table

app = group(
    "What is to go wrong in a world, to see how a client takes it.",
    "mockbill faults add --when after --do lose --operation create_zone --count 1",
)

DELAY = re.compile(
    r"(?P<fixed>\d{1,9})"
    r"|(?P<least>\d{1,9})\.\.(?P<most>\d{1,9})"
    r"|lognormal:(?P<median>\d{1,9}):(?P<sigma>\d{1,3}(?:\.\d{1,9})?)(?::(?P<end>\d{1,9}))?",
    re.ASCII,
)

Count = Annotated[int | None, typer.Option(min=1, help="How often at most; without end if left out.")]


@app.command("list", epilog="Example:  mockbill faults list --world demo")
def list_(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """List the faults of a world in the order in which they act, and how often each has."""
    show(Mock(url, token).get(FaultList, "worlds", world, "faults"), as_json, lambda found: _listed(world, found))


@app.command(
    epilog="Examples:  mockbill faults add --when after --do lose --operation create_zone --count 1   |   "
    "mockbill faults add --when before --do answer --status 503 --retry-after 30 --probability 0.2   |   "
    "mockbill faults add --when before --do delay --delay 100..300"
)
def add(
    when: Annotated[
        Literal["before", "after", "duplicate"],
        typer.Option(help="Instead of the work, once it is done, or by doing it twice."),
    ],
    do: Annotated[
        Literal["answer", "delay", "lose", "truncate", "malform", "repeat"],
        typer.Option(
            help="answer with --status; delay by --delay; lose the answer; truncate it after --keep bytes; "
            "malform it; repeat the work (with --when duplicate, and only with it)."
        ),
    ],
    id_: Annotated[str | None, typer.Option("--id", help="What to call it; fault-1 and so on if left out.")] = None,
    operation: Annotated[str | None, typer.Option(help="Only for this operationId.")] = None,
    caller: Annotated[
        str | None,
        typer.Option(help="Only for the caller of this name (see `mockbill worlds credentials`), or anonymous."),
    ] = None,
    method: Annotated[
        Literal["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"] | None, typer.Option(help="Only for this method.")
    ] = None,
    skip: Annotated[
        int | None, typer.Option(min=0, help="How many requests that match to let pass first; 0 if left out.")
    ] = None,
    count: Count = None,
    probability: Annotated[
        float | None, typer.Option(min=0, max=1, help="For each request that matches; 1 if left out.")
    ] = None,
    status: Annotated[int | None, typer.Option(min=200, max=599, help="For --do answer.")] = None,
    code: Annotated[
        str | None, typer.Option(help="The error code of the answer; one that fits the status if left out.")
    ] = None,
    message: Annotated[str | None, typer.Option(help="The text of the answer; one of ours if left out.")] = None,
    retry_after: Annotated[
        int | None, typer.Option(min=0, help="For --do answer: the Retry-After header, in seconds.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="For --do truncate: how many bytes of the body; half if left out.")
    ] = None,
    how: Annotated[
        Literal[
            "close",
            "reset",
            "not_json",
            "html",
            "empty",
            "missing_member",
            "unknown_member",
            "wrong_type",
            "null_member",
        ]
        | None,
        typer.Option(
            help="For lose and truncate: close the connection in order, or reset it. For malform: no JSON, a proxy's "
            "page, nothing, or JSON that breaks the schema."
        ),
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option(
            help="For --do delay, in milliseconds: 200 always, 100..300 anything between, or "
            "lognormal:200:0.5:5000 for median, sigma and, if you like, the most."
        ),
    ] = None,
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Break something on purpose: for which requests, how, and how often."""
    body = {
        **given(when=when, do=do, id=id_, operation=operation, caller=caller, method=method, skip=skip, count=count),
        **given(status=status, code=code, message=message, retry_after=retry_after, keep=keep, how=how),
        **({} if probability is None else {"probability": probability}),
        **({} if delay is None else {"delay": _delay(delay)}),
    }
    added = Mock(url, token).post(Fault, "worlds", world, "faults", body=body)
    show(added, as_json, lambda fault: say(f"{world}: fault {fault.id}: {_doing(fault)}, {_whom(fault)}"))


@app.command(epilog="Example:  mockbill faults remove lost-reply --world demo")
def remove(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The fault's id (see `mockbill faults list`).")],
    world: InWorld = DEMO,
    url: Url = HERE,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Remove a fault. What it did stays done."""
    Mock(url, token).delete("worlds", world, "faults", id_)
    say_nothing(as_json, f"{world}: fault {id_} removed")


@app.command(epilog="Example:  mockbill faults clear --world demo")
def clear(world: InWorld = DEMO, url: Url = HERE, token: Token = None, as_json: AsJson = False) -> None:
    """Remove all faults of a world. What they did stays done."""
    Mock(url, token).delete("worlds", world, "faults")
    say_nothing(as_json, f"{world}: no faults any more")


def _delay(text: str) -> dict[str, str | int | float]:
    found = DELAY.fullmatch(text)
    if found is None:
        raise WrongUse(f"--delay {text!r} is none of 200, 100..300 and lognormal:MEDIAN:SIGMA:MOST, in milliseconds")
    if found["fixed"] is not None:
        return {"distribution": "fixed", "ms": int(found["fixed"])}
    if found["least"] is not None:
        return {"distribution": "uniform", "min_ms": int(found["least"]), "max_ms": int(found["most"])}
    end = {} if found["end"] is None else {"max_ms": int(found["end"])}
    return {"distribution": "lognormal", "median_ms": int(found["median"]), "sigma": float(found["sigma"]), **end}


def _listed(world: str, found: FaultList) -> None:
    if not found.faults:
        say(f"{world} has no faults")
        return
    table(
        ("fault", "does", "for", "matched", "acted", "remaining"),
        [
            (fault.id, _doing(fault), _whom(fault), fault.matched, fault.acted, fault.remaining)
            for fault in found.faults
        ],
    )


def _doing(fault: Fault) -> str:
    details = {"status": fault.status, "code": fault.code, "retry after": fault.retry_after, "keep": fault.keep}
    told = [f"{fault.when} {fault.do}", *(f"{name} {value}" for name, value in details.items() if value is not None)]
    if fault.how is not None:
        told.append(fault.how.replace("_", " "))
    if fault.delay is not None:
        told.append(_spread(fault.delay))
    return ", ".join(told)


def _spread(delay: Delay) -> str:
    if delay.distribution == "fixed":
        return f"{delay.ms} ms"
    if delay.distribution == "uniform":
        return f"{delay.min_ms} to {delay.max_ms} ms"
    end = "" if delay.max_ms is None else f", at most {delay.max_ms} ms"
    return f"{delay.distribution} around {delay.median_ms} ms, sigma {delay.sigma:g}{end}"


def _whom(fault: Fault) -> str:
    whom = " ".join(filter(None, (fault.method, fault.operation))) or "any request"
    if fault.caller is not None:
        whom += f" of {fault.caller}"
    if fault.skip:
        whom += f" after the first {fault.skip}"
    return whom if fault.probability == 1 else f"{whom}, {fault.probability:g} of them"
