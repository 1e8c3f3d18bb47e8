"""A test module that asks the same of a world of its own, and compares the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import Instant, format_instant, parse_instant
from mock_server.store.journal import Entry

from .again import NOT_A_KEY, Header, hindrance, known, parsed, request_of, text_of, value_of
from .literals import WIDTH, Code, laid_out, text_literal
from .meanwhile import changed_settings, was_changed_otherwise
from .pytest_parts import HELPERS, PUT_BACK, START, TOP
from .slices import Slice, extent, shown, title

_MARK = re.compile(r"<[a-z ]+>")
_PLAIN_SCENARIO = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_UNSAFE_IN_DOCSTRING = re.compile(r"[^\w./:\[\]@+-]", re.ASCII)
_HOST = re.compile(r"[\w.:\[\]-]{1,300}", re.ASCII)
_INVISIBLE = re.compile(r"[^\x20-\x7e\n]")
_KNOWN = """\
It begins with what was
there before the first request: that stands at the end of this file, with the keys that the world had."""
_FORGOTTEN = """\
What was there before
the first request is no longer known: it begins with the scenario and the seed that the world was made from."""


def source(part: Slice) -> str:
    times = [entry.at for entry in part.entries] or [0]
    top = {
        "<world>": _UNSAFE_IN_DOCSTRING.sub("?", part.world),
        "<origin>": _UNSAFE_IN_DOCSTRING.sub("?", part.origin),
        "<origin literal>": text_literal(part.origin),
        "<extent>": extent(part),
        "<first>": format_instant(min(times)),
        "<last>": format_instant(max(times)),
        "<beginning>": _FORGOTTEN if part.start is None else _KNOWN,
    }
    helpers = {"<begin>": _begin(part), "<put back>": "" if part.start is None else PUT_BACK}
    end = "" if part.start is None else _fill(START, {"<start>": _start(part.start)})
    return _fill(TOP, top) + "\n\n" + _test(part) + _fill(HELPERS, helpers) + end


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda mark: values.get(mark[0], mark[0]), text)


def _begin(part: Slice) -> str:
    """The call that makes the world."""
    how = []
    if part.start is None:
        # A scenario from a file of its own can only be the server's default.
        how += [f"scenario={text_literal(part.scenario)}"] if _PLAIN_SCENARIO.fullmatch(part.scenario) else []
        how += [f"seed={part.seed}"]
        how += [f'now="{format_instant(entry.at)}"' for entry in part.entries[:1]]
    return f"world.begin({', '.join(how)})"


def _start(start: Mapping[str, Any]) -> str:
    """As JSON that a raw literal can hold: it never has three quotes in a row, nor ends with a backslash."""
    states = [{**state, "clock": {**state["clock"], "mode": "frozen"}} for state in start["states"]]
    text = msgspec.json.format(msgspec.json.encode({**start, "states": states}), indent=1).decode()
    return _INVISIBLE.sub(lambda each: each[0] if each[0].isprintable() else _as_json_escape(each[0]), text)


def _as_json_escape(each: str) -> str:
    return "".join(f"\\u{unit:04x}" for unit in memoryview(each.encode("utf-16-le", "surrogatepass")).cast("H"))


def _test(part: Slice) -> str:
    lines = ["def test_what_was_asked(world: World) -> None:", f'    """What {extent(part)} asked."""']
    keys: dict[tuple[str, str], str] = {}
    now = _now_at_start(part)
    for before, entry in zip((None, *part.entries), part.entries, strict=False):
        lines += ["", *(f"    # {line}" for line in _comments(entry, before))]
        steps = [*_settings(entry, before), *(_asked(part, entry, keys) if hindrance(entry) is None else ())]
        if steps and (now is None or entry.at > now):
            lines.append(f'    world.set_clock("{format_instant(entry.at)}")')
            now = entry.at
        lines += steps
    return "\n".join(lines) + "\n"


def _now_at_start(part: Slice) -> Instant | None:
    if part.start is None:
        return part.entries[0].at if part.entries else None
    return max((parse_instant(state["clock"]["now"]) for state in part.start["states"]), default=None)


def _comments(entry: Entry, before: Entry | None) -> Iterator[str]:
    yield f"Request {entry.number}: {title(entry)}"
    if before is not None:
        yield from _doubts(before, entry)
    if (reason := hindrance(entry)) is not None:
        yield f"It is not sent again, because {shown(reason)}."
    elif (doubt := known(entry).doubt) is not None:
        yield f"Its answer is not known in full: {shown(doubt)}."


def _doubts(before: Entry, entry: Entry) -> Iterator[str]:
    """Why the world may not be as it was then, in spite of all that was asked before."""
    if entry.number > before.number + 1:
        yield f"What was asked between {before.number} and {entry.number} is not in here, so its answer may differ."
    elif was_changed_otherwise(before, entry) and not changed_settings(before, entry):
        yield "Before it the control API had changed the world, which this test does not do: its answer may differ."
    if entry.at < before.at:
        yield f"It came at {format_instant(entry.at)}. Time does not go back in this test, so its answer may differ."


def _settings(entry: Entry, before: Entry | None) -> Iterator[str]:
    for api, values in changed_settings(before, entry).items() if before is not None else ():
        yield "    world.change_settings("
        yield f"        {text_literal(api)},"
        yield f"        {laid_out(values, 8, 8)},"
        yield "    )"


def _asked(part: Slice, entry: Entry, keys: dict[tuple[str, str], str]) -> Iterator[str]:
    """The call of `ask`, after that of `key` where a caller is met for the first time."""
    request, then = request_of(entry), known(entry)
    key = Code(text_literal(NOT_A_KEY))
    if request.needs_key:
        whose = entry.api, request.caller
        if whose not in keys:
            keys[whose] = f"key_{len(keys) + 1}"
            yield from _call(f"{keys[whose]} = world.key", [*whose, f"MOCKBILL_{keys[whose].upper()}"])
        key = Code(keys[whose])
    named: dict[str, Any] = {"headers": [_header(header, key) for header in request.headers]}
    if request.body:
        named["body"] = request.body
    if then.status is not None:
        named["status"] = then.status
    if then.answer is not None:
        named["answer"] = _comparable(part, entry, then.answer)
    yield "    world.ask("
    for value in (entry.number, request.method, request.target):
        yield f"        {laid_out(value, 8, 8)},"
    for name, value in named.items():
        yield f"        {name}={laid_out(value, 9 + len(name), 8)},"
    yield "    )"


def _call(function: str, values: list[str]) -> Iterator[str]:
    literals = [text_literal(value) for value in values]
    line = f"    {function}({', '.join(literals)})"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    {function}("
    together = f"        {', '.join(literals)}"
    yield from [together] if len(together) <= WIDTH else [f"        {each}," for each in literals]
    yield "    )"


def _header(header: Header, key: Code) -> tuple[str, str | Code]:
    if not header.has_key:
        return header.name, header.value.decode("latin-1")
    scheme = header.value.decode("latin-1")
    if not scheme:
        return header.name, key
    is_variable = key.isidentifier()
    return header.name, Code(f'f"{scheme}{{{key}}}"') if is_variable else f"{scheme}{NOT_A_KEY}"


def _comparable(part: Slice, entry: Entry, answer: str) -> Any:
    """The answer without what is never the same, its links without the world's prefix."""
    scheme = part.origin.partition("://")[0]
    host = text_of(value_of(entry.headers, b"host") or b"")
    places = [part.origin, *([f"{scheme}://{host}"] if _HOST.fullmatch(host) else [])]
    for place in places:
        answer = answer.replace(f"{place}/w/{part.world}", part.origin).replace(place, part.origin)
    value = parsed(answer)
    return {name: each for name, each in value.items() if name != "correlationId"} if isinstance(value, dict) else value
