"""What stands around the test of a finding: constants, and the parts of `standalone` and `fitting` that it needs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mock_server.control.exports.literals import inline, laid_out, text_literal

from . import fitting, standalone
from .again import Setup
from .shell import variable
from .verdicts import Verdict


def assembled(docstring: str, test: str, judged: Verdict, setup: Setup, begins: str) -> str:
    parts = _parts(test, judged, begins)
    whole = "\n\n".join([test, *parts, _fixture(begins)])
    constants = _constants(setup, begins, whole)
    if judged.schema is not None:
        constants += f"SCHEMA: dict[str, Any] = {laid_out(dict(judged.schema), 25, 0)}\n"
    return "\n".join([docstring, _imports(whole + constants), constants, "", whole.rstrip(), ""])


def _parts(test: str, judged: Verdict, begins: str) -> list[str]:
    """What the test needs of `standalone` and `fitting`."""
    moves = "api.move(" in test or "api.moment(" in test
    methods = {"__init__", "send"} | {name for name in _methods() if f"api.{name}(" in test}
    methods |= {f"begin_in_{'a_world' if begins == 'world' else 'an_org'}"} if begins != "there" else set()
    methods |= {"call"} if begins == "org" else set()
    methods |= {"now", "port"} if moves or "api.now(" in test else set()
    methods |= {"port"} if begins == "world" or "consume" in methods else set()
    made = [source for name, source in _methods().items() if name in methods]
    parts = [_source(standalone.env)] if "env(" in test or begins == "org" else []
    parts += [_source(standalone.no_number), _source(standalone.Answer)]
    parts.append('class Api:\n    """The API, and the steps so far."""\n\n' + "\n".join(made))
    used = [standalone.signed, standalone.raw, standalone.alike, standalone.same, standalone.about]
    parts += [_source(each) for each in used if f"{each.__name__}(" in test]
    parts += [_source(standalone.later), _source(standalone.end_of)] if moves else []
    if judged.schema is not None:
        parts += list(_of_fitting())
    return parts


@cache
def _methods() -> Mapping[str, str]:
    return {name: inspect.getsource(each) for name, each in vars(standalone.Api).items() if inspect.isfunction(each)}


@cache
def _of_fitting() -> list[str]:
    text = inspect.getsource(fitting)
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    return [
        "".join(lines[node.lineno - 1 : node.end_lineno]).replace("  # fmt: skip", "")
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AnnAssign)
    ]


@cache
def _source(part: Any) -> str:
    return inspect.getsource(part)


def _fixture(begins: str) -> str:
    body = "yield Api(client)"
    if begins == "org":
        body = "api = Api(client)\n        api.begin_in_an_org()\n        yield api"
    elif begins == "world":
        body = """api = Api(client)
        world = api.begin_in_a_world()
        try:
            yield api
        finally:
            client.delete(world, headers=CLOCK_HEADERS)"""
    return f"""@pytest.fixture
def api() -> Iterator[Api]:
    with httpx.Client(timeout=60, trust_env=False) as client:
        {body}
"""


def _constants(setup: Setup, begins: str, text: str) -> str:
    lines = [f'URL = os.environ.get("MOCKBILL_URL", {text_literal(setup.url)}).rstrip("/")']
    clock = usage = text_literal("")
    clock_headers = usage_headers = "{}"
    if begins == "world":
        assert setup.control is not None
        is_beside = setup.url == setup.control + setup.path and setup.path
        control = f"URL.removesuffix({text_literal(setup.path)})" if is_beside else text_literal(setup.control)
        lines.append(f'CONTROL = os.environ.get("MOCKBILL_CONTROL", {control}).rstrip("/")')
        world = {"scenario": setup.scenario, "seed": 1, "now": setup.now}
        lines += [f"WORLD = {inline(world)}", f"SETTINGS: dict[str, Any] = {laid_out(dict(setup.settings), 27, 0)}"]
        if setup.needs_token:
            clock_headers = usage_headers = """{"Authorization": "Bearer " + os.environ.get("CONTROL_TOKEN", "")}"""
    else:
        is_url = setup.clock is not None and "://" in setup.clock
        clock = f'os.environ.get("MOCKBILL_CLOCK", {text_literal(setup.clock or "" if is_url else "")})'
        usage = f'os.environ.get("MOCKBILL_USAGE", {text_literal(setup.usage or "")})'
        clock_headers = _from_environment("CLOCK", setup.clock_headers)
        usage_headers = _from_environment("USAGE", setup.usage_headers)
    lines += [f"CLOCK, USAGE = {clock}, {usage}"]
    lines.append(f"CLOCK_HEADERS: dict[str, str] = {clock_headers}")
    if "USAGE_HEADERS" in text:
        lines.append(f"USAGE_HEADERS: dict[str, str] = {usage_headers}")
    for name in ("org", "other_org", "portal"):
        if re.search(rf"\b{name.upper()}\b", text):
            default = text_literal(setup.names.get(name, ""))
            lines.append(f'{name.upper()} = os.environ.get("MOCKBILL_{name.upper()}", {default})')
    if "HEADERS.items()" in text:
        lines.append(f"HEADERS: dict[str, str] = {_from_environment('HEADER', setup.headers)}")
    if "NOTHING" in text:
        lines.append("NOTHING: Any = object()")
    return "\n".join(lines) + "\n"


def _from_environment(what: str, headers: Iterable[str]) -> str:
    pairs = (f'{text_literal(name)}: os.environ.get("{variable(f"<{what} {name}>")}", "")' for name in headers)
    return "{" + ", ".join(pairs) + "}"


def _imports(text: str) -> str:
    plain = [
        name for name in ("calendar", "hmac", "json", "os", "re", "socket", "ssl") if re.search(rf"\b{name}\.", text)
    ]
    froms = {
        "collections.abc": ["Iterator"],
        "datetime": ["UTC", "date", "datetime", "timedelta"],
        "hashlib": ["sha256"],
        "typing": ["Any"],
        "urllib.parse": ["quote", "urlsplit"],
    }
    lines = ["from __future__ import annotations", "", *(f"import {name}" for name in plain)]
    for module, members in froms.items():
        used = [name for name in members if re.search(rf"(?<![\w.\"-])\b{name}\b(?!\s*=[^=]|\")", text)]
        lines += [f"from {module} import {', '.join(used)}"] if used else []
    return "\n".join([*lines, "", "import httpx", "import pytest", ""])
