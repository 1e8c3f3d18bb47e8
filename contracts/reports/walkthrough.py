"""A finding's steps as a person can do them again: what to make ready, what to send, what came, what to keep of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from contracts.edges import end_of
from contracts.findings import Finding, Shown
from contracts.steps import Call, Consume, Move, Step, steps_of
from mock_server.engine.instants import SECOND, InvalidTime, add_duration, format_instant, parse_instant
from mock_server.openapi.walk import join

from .again import Setup
from .shell import MARK, curl, used, variable

SHORTEST_GIVEN = 8
"""A shorter text of an answer that is found in a later request is hardly an id."""
_ROLE = "the credential of the role {}"


class Done(msgspec.Struct, frozen=True):
    """One step. `gives`: variables that later commands use, with the place in this answer that has their value."""

    number: int
    title: str
    shown: Shown
    command: str | None = None
    gives: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Walkthrough(msgspec.Struct, frozen=True):
    """`variables`: what a reader has to set, and to what. `first`: what to make ready, each with its command."""

    steps: tuple[Done, ...]
    variables: Mapping[str, str] = {}
    first: tuple[tuple[str, str], ...] = ()
    last: tuple[tuple[str, str], ...] = ()


def walkthrough(finding: Finding, setup: Setup) -> Walkthrough:
    steps = finding.steps
    data = aligned(finding)
    given = list(givers(finding, setup.names.values()))
    world = f"again-{finding.fingerprint[:8]}" if setup.control is not None else None
    now = _instant(setup.now)
    done: list[Done] = []
    known: dict[str, str] = {}
    needed: dict[str, None] = {}
    for n, (step, what) in enumerate(zip(steps, data, strict=True)):
        command, note = None, ""
        if step.is_call:
            command = curl(step, _at(step.url, setup, world), known)
            needed.update(dict.fromkeys(used(step, step.url)))
            note = _doubts(step, what, setup)
        elif isinstance(what, Move) and now is not None:
            now = moved(what, now)
            command = (
                None if world is None else _control(setup, "POST", f"/{world}/clock", {"set": format_instant(now)})
            )
        elif isinstance(what, Consume) and world is not None:
            body = {"org": setup.names.get("org", ""), "key": what.key, "amount": what.amount}
            command = _control(setup, "POST", f"/{world}/usage", body)
        new = [(value, name, pointer) for at, value, name, pointer in given if at == n]
        done.append(Done(n + 1, step.title, step, command, tuple((name, pointer) for _, name, pointer in new), note))
        known.update({value: name for value, name, _ in new})
    first, last = _around(setup, world)
    needed.update({"CONTROL_TOKEN": None} if first and setup.needs_token else {})
    got = {name for _, _, name, _ in given}
    return Walkthrough(tuple(done), {name: _meaning(name) for name in needed if name not in got}, first, last)


def aligned(finding: Finding) -> list[Step | None]:
    """For each step that is shown the same step as data, as far as there is any."""
    nothing: list[Step | None] = [None] * len(finding.steps)
    if finding.replay is None:
        return nothing
    try:
        data = steps_of(finding.replay)
    except ValueError:
        return nothing
    before = len(finding.steps) - len(data)
    pairs = zip(data, finding.steps[max(0, before) :], strict=False)
    if before < 0 or not all(isinstance(each, Call) == step.is_call for each, step in pairs):
        return nothing
    return [*nothing[:before], *data]


def givers(finding: Finding, known: Collection[str] = ()) -> Iterator[tuple[int, str, str, str]]:
    """Texts in answers that later requests carry: which step gave it, the text, a name for it, its JSON pointer.

    `known`: what everybody knows without them.
    """
    requests = [_request_text(step) for step in finding.steps]
    seen: set[str] = set(known)
    number = 0
    for n, step in enumerate(finding.steps):
        later = "\n".join(requests[n + 1 :])
        before = "\n".join(requests[: n + 1])
        for pointer, value in _texts(step.answer_body):
            is_secret = MARK.fullmatch(value) is not None
            if value in seen or value not in later or (not is_secret and value in before):
                continue
            if not is_secret and (len(value) < SHORTEST_GIVEN or not re.fullmatch(r"[A-Za-z0-9_.:~-]+", value)):
                continue
            seen.add(value)
            number += not is_secret
            yield n, value, variable(value) if is_secret else f"ID_{number}", pointer


def moved(move: Move, now: int) -> int:
    """Where a move leads from an instant."""
    if move.by is not None:
        return add_duration(now, move.by)
    return max(now, end_of(move.edge or "day", now) + move.seconds * SECOND)


def _instant(text: str) -> int | None:
    try:
        return parse_instant(text)
    except InvalidTime:
        return None


def _request_text(step: Shown) -> str:
    return "\n".join((step.url, step.body or "", *(value for _, value in step.headers)))


def _texts(body: str) -> Iterator[tuple[str, str]]:
    try:
        yield from _within(json.loads(body), "")
    except (ValueError, RecursionError):
        return


def _within(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _within(each, join(at, name))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _within(each, join(at, n))


def _at(url: str, setup: Setup, world: str | None) -> str:
    """The same request in a world that is there: those of the run are gone."""
    if world is None:
        return url
    return re.sub(r"(?<=[^/])/w/contract-[^/?#]+(?=/)", f"/w/{world}", url, count=1)


def _control(setup: Setup, method: str, path: str, body: Any = None) -> str:
    token = ' -H "Authorization: Bearer ${CONTROL_TOKEN}"' if setup.needs_token else ""
    verb = "" if method == "POST" and body is not None else f" -X {method}"
    url = shlex.quote(f"{setup.control}/_mock/worlds{path}")
    if body is None:
        return f"curl -sS{verb} {url}{token}"
    text = shlex.quote(json.dumps(body, separators=(",", ":")))
    return f"curl -sS{verb} {url}{token} -H 'Content-Type: application/json' --data-raw {text}"


def _around(setup: Setup, world: str | None) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    if world is None:
        return (), ()
    made = {"name": world, "scenario": setup.scenario, "seed": 1, "now": setup.now}
    first = [("make a world to try it in", _control(setup, "POST", "", made))]
    if setup.settings:
        first.append(("with these settings", _control(setup, "PATCH", f"/{world}/settings", dict(setup.settings))))
    return tuple(first), (("delete the world", _control(setup, "DELETE", f"/{world}")),)


def _meaning(name: str) -> str:
    if name.startswith("SECRET_"):
        return "a secret that the run was given, by a step that is not shown"
    if name in ("WEBHOOK_SECRET", "CONTROL_TOKEN"):
        return "the secret that webhooks are signed with" if name[0] == "W" else "the token of the control API"
    head, _, rest = name.partition("_")
    return f"the value of the header {rest.replace('_', '-').lower()}" if rest and head else _ROLE.format(name.lower())


def _doubts(step: Shown, what: Step | None, setup: Setup) -> str:
    if any("<hidden>" in value or "<nearly " in value for _, value in step.headers):
        return "a credential that is not shown was sent here in a changed form: put your own there"
    is_signed = isinstance(what, Call) and what.signing is not None
    if is_signed and setup.control is None:
        return "the signature was made for that moment: by now it is too old"
    if step.exact is None and step.body is not None and len(step.body.encode()) >= 4_000:
        return "the body is longer than is shown here"
    return ""
