"""A finding as a test module that stands alone: it fails while the target is wrong, and passes once it is right."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.bundle import Bundle, Operation
from contracts.carrying import USUAL, carried
from contracts.findings import Finding, Shown
from contracts.steps import Call, Consume, Move, Step, steps_of
from mock_server.control.exports.literals import Code, inline, laid_out, text_literal

from .again import Setup
from .code import Names, called, keys_of
from .pytest_parts import assembled
from .shell import MARK, body_of
from .verdicts import Verdict, of_raw, verdict
from .view import Found, View
from .walkthrough import aligned, givers

MARKER = "Made by mockbill"
_UNSAFE = re.compile(r"[^\x20-\x7e\u2500-\u257f]|\\|\"\"\"")
SIGNING: Mapping[str, tuple[str, ...]] = {
    "age": (),
    "secret": ("wrong", "empty"),
    "header": ("missing", "empty", "malformed", "no time", "no signature", "two", "two wrong"),
    "time": ("changed",),
    "body": ("changed", "cut", "longer", "spaced", "reordered", "another"),
    "scheme": ("v0",),
}
"""How a webhook may be signed here; `age` is a number of seconds."""
_TOKEN = "t0KeN"  # noqa: S105


def source(view: View, found: Found, bundle: Bundle) -> str:
    finding, setup = found.finding, view.setup
    steps = _replayed(finding, bundle)
    names = _names(finding, steps is not None)
    if steps is not None:
        lines, last = _calls(finding, steps, names, setup, bundle)
    else:
        lines, last = _sent(finding, names, setup), len(finding.steps)
    begins = _beginning(setup, finding, steps)
    judged = _judged(finding, steps, last, names, bundle, begins == "world")
    test = _without_unused(lines, [f"    {line}" for line in judged.lines])
    name = re.sub(r"[^a-z0-9]+", "_", finding.law.lower()).strip("_")
    head = f'def test_{name}(api: Api) -> None:\n    """{_safe(finding.title)}."""'
    body = "\n".join([head, *test]) + "\n"
    return assembled(_docstring(view, found, names, steps is not None, begins), body, judged, setup, begins)


def _replayed(finding: Finding, bundle: Bundle) -> list[Step] | None:
    """The steps as data, if this file can do all of them."""
    try:
        steps = [] if finding.replay is None else steps_of(finding.replay)
    except ValueError:
        return None
    return steps if steps and all(_can_be_done(step, bundle) for step in steps) else None


def _can_be_done(step: Step, bundle: Bundle) -> bool:
    if not isinstance(step, Call):
        return True
    if step.operation not in bundle.operations or _way(step.carried, "x") is None:
        return False
    ways = (step.signing or {}).items()
    return all(name in SIGNING and (name == "age" or how in SIGNING[name]) for name, how in ways)


def _names(finding: Finding, is_replayed: bool) -> Names:
    """Where texts of the run itself are sent they are taken from the answer that gave them."""
    before = 0
    if is_replayed:
        before = sum(1 for each in aligned(finding) if each is None)
    given: dict[str, str] = {}
    texts: dict[str, str] = {}
    for n, value, _, pointer in givers(finding):
        if n >= before:
            expression = f"answer_{n - before + 1}[{keys_of(pointer)}]"
            (given if MARK.fullmatch(value) else texts)[value] = expression
    return Names(given, {} if is_replayed else texts)


def _calls(finding: Finding, steps: list[Step], names: Names, setup: Setup, bundle: Bundle) -> tuple[list[str], int]:
    """The lines that do the steps, and the number of the last call."""
    lines: list[str] = []
    last = 0
    for n, step in enumerate(steps, 1):
        if isinstance(step, Move):
            named: dict[str, Any] = {"by": step.by} if step.by is not None else {"edge": step.edge}
            lines.append(called("api.move", [], named | ({"seconds": step.seconds} if step.seconds else {})))
        elif isinstance(step, Consume):
            is_refused = n == len(steps) and finding.operation is None and "refused" in finding.expected
            lines.append(called("api.consume", [step.key, step.amount], {"is_refused": True} if is_refused else {}))
        else:
            lines.extend(_call(n, step, names, setup, bundle[step.operation]))
            last = n
    return lines, last


def _call(n: int, call: Call, names: Names, setup: Setup, operation: Operation) -> Iterator[str]:
    headers = [(name, names.text(value)) for name, value in call.headers.items()]
    named: dict[str, Any] = {}
    if call.caller is not None:
        key = _key(call.caller, names, setup)
        if call.carried == USUAL:
            named["key"] = key
        else:
            headers = [*(_way(call.carried, key) or ()), *headers]
    if setup.control is None and call.caller != "other" and operation.takes_org and "X-Org" not in call.headers:
        headers.append(("X-Org", Code("api.org")))
    if call.query:
        named["query"] = names.value(call.query)
    media_type = call.media_type
    if call.signing is not None:
        names.variables.add("WEBHOOK_SECRET")
        event = laid_out(names.value(call.json), 13, 4)
        yield f"    event_{n} = {event}"
        how = f'{inline(dict(call.signing))}, env("WEBHOOK_SECRET"), api.now()'
        yield f"    body_{n}, signature_{n} = signed(event_{n}, {how})"
        named["headers"] = Code(f"{inline(headers)} + signature_{n}" if headers else f"signature_{n}")
        named["body"] = Code(f"body_{n}")
    else:
        if headers:
            named["headers"] = headers
        if call.body is not None:
            named["body"] = call.body.encode("latin-1")
        elif call.json is not Call("").json:
            named["json_body"] = names.value(call.json)
    if media_type is not None:
        named["media_type"] = media_type
    positional = [operation.method, operation.path] + ([names.value(call.path)] if call.path else [])
    yield called(f"answer_{n} = api.call", positional, named)


def _key(caller: str, names: Names, setup: Setup) -> str:
    """A role's credential from the environment; anything else as it is."""
    if caller in setup.roles:
        return Code(names.expression(f"<{caller}>") or "")
    return names.text(caller)


def _way(how: str, key: str) -> list[tuple[str, str]] | None:
    """The headers that carry a credential in some other way; None for a way that is not known here."""
    expression = str(key) if isinstance(key, Code) else text_literal(key)
    changed = {
        "secret part": f'{expression}.rpartition("_openapp_")[2]',
        "cut": f"{expression}[:-1]",
        "other case": f"{expression}.swapcase()",
    }
    try:
        headers = carried(_TOKEN, how)
    except KeyError:
        return None
    if how in changed:
        return [(headers[0][0], Code(changed[how]))]
    found: list[tuple[str, str]] = []
    for name, value in headers:
        parts = [text_literal(each) for each in value.split(_TOKEN)]
        joined = f" + {expression} + ".join(parts).replace('"" + ', "").replace(' + ""', "")
        found.append((name, Code(joined) if _TOKEN in value else value))
    return found


def _sent(finding: Finding, names: Names, setup: Setup) -> list[str]:
    """The lines that send what was sent, one request after the other."""
    lines = []
    for n, step in enumerate(finding.steps, 1):
        if not step.is_call:
            lines.append(f"    # Then {_safe(step.title)}: that is yours to do, before what follows.")
            continue
        if step.is_raw:
            data = _bytes(_of_host(body_of(step), setup), names)
            lines.append(called(f"statuses_{n}, came_{n} = raw", [data], {}))
            continue
        headers = [(name, names.text(value)) for name, value in step.headers]
        positional = [step.method, names.text(_target(step, setup)), headers]
        body = body_of(step)
        named: dict[str, Any] = {}
        if body:
            named["body"] = _bytes(body, names)
        lines.append(called(f"answer_{n} = api.send", positional, named))
    return lines


def _of_host(data: bytes, setup: Setup) -> bytes:
    """The same in no world, since those of the run are gone."""
    return re.sub(rb"/w/contract-[^/ ]+(?=/)", b"", data, count=1)


def _bytes(body: bytes, names: Names) -> Any:
    try:
        text = names.text(body.decode())
    except UnicodeDecodeError:
        return body
    return Code(f"({text}).encode()") if isinstance(text, Code) else body


def _target(step: Shown, setup: Setup) -> str:
    """Path and query below the API's base path."""
    path = re.sub(r"^[a-z]+://[^/?#]*(?:/w/contract-[^/]+)?", "", step.url)
    return path.removeprefix(setup.path) if path.startswith(setup.path) else path


def _judged(
    finding: Finding, steps: list[Step] | None, last: int, names: Names, bundle: Bundle, is_timed: bool
) -> Verdict:
    if steps is not None and isinstance(steps[-1], Consume) and finding.operation is None:
        return Verdict(())
    if last == 0 or (steps is None and not finding.steps[-1].is_call):
        return Verdict(("pytest.skip('No request was kept of this finding: see the report.')",), None, False)
    if steps is None and finding.steps[-1].is_raw:
        return of_raw(finding, last)
    calls = [(n, step) for n, step in enumerate(steps or [], 1) if isinstance(step, Call)]
    return verdict(finding, f"answer_{last}", names, bundle, calls, is_timed=is_timed)


def _without_unused(lines: list[str], judged: list[str]) -> list[str]:
    """Answers that nobody asks for need no name."""
    text = "\n".join([*lines, *judged])

    def renamed(line: str) -> str:
        match = re.match(r"    (answer_\d+) = ", line)
        is_needed = match is None or len(re.findall(rf"\b{match[1]}\b", text)) > 1
        return line if is_needed or match is None else f"    {line[match.end() :]}"

    return [*map(renamed, lines), *judged]


def _beginning(setup: Setup, finding: Finding, steps: list[Step] | None) -> str:
    """Where the test works: in a `world`, in an `org` of its own, or in what is `there`."""
    if all(step.is_raw for step in finding.steps):
        return "there"
    if setup.control is not None:
        return "world"
    return "there" if steps is None else "org"


def _docstring(view: View, found: Found, names: Names, is_replayed: bool, begins: str) -> str:
    finding = found.finding
    needed = sorted(names.variables | ({"OWNER"} if begins == "org" else set()))
    lines = [f"{finding.title[:110]}.", ""]
    for what, text in (
        ("Law", f"{finding.law}, finding {finding.fingerprint}"),
        ("Clause", finding.clause),
        ("Expected", finding.expected),
        ("Came", finding.came),
    ):
        lines += textwrap.wrap(f"{what}: {text}", 118, subsequent_indent="  ")[:12]
    for note in finding.notes[:20]:
        drawn = "\n" in note
        lines += ["Note:", *note.split("\n")] if drawn else textwrap.wrap(f"Note: {note}", 118, subsequent_indent="  ")
    settings = "".join(f" {name}=..." for name in needed)
    lines += ["", f"{MARKER} with seed {finding.seed}. It needs pytest and httpx. To run it:", ""]
    lines += [f"    MOCKBILL_URL={view.setup.url}{settings} pytest {found.file}", ""]
    if begins == "world":
        lines.append("It makes a world of its own by the control API (MOCKBILL_CONTROL), and deletes it in the end.")
    elif begins == "org":
        lines.append("It makes an organization of its own below the one that the credentials belong to (MOCKBILL_ORG).")
    if not is_replayed:
        lines.append("The finding is no plain sequence of calls: its requests are only sent one after the other here.")
    return '"""' + "\n".join(_safe(line).rstrip() for line in lines) + '\n"""\n'


def _safe(text: str) -> str:
    return _UNSAFE.sub(
        lambda each: each[0].encode("unicode_escape").decode().replace("\\", "/").replace('"', "'"), text
    )
