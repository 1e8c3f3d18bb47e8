"""The parts of an exported test that are the same for every journal. `<...>` is filled in by `pytest_file`."""

from __future__ import annotations

TOP = '''\
"""What the world <world> was asked: <extent> of its journal, from <first> to <last>.

Made by mockbill. To see whether the answers are still the same, start a mock and run

    MOCKBILL_URL=<origin> pytest FILE

with MOCKBILL_TOKEN set, if the mock has printed a control token. It needs pytest and httpx.

The test makes a world of its own, asks the same at the same times, and deletes the world. <beginning>
Settings that were changed meanwhile are changed here too; usage, faults and other states are not in here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

URL = os.environ.get("MOCKBILL_URL", <origin literal>).rstrip("/")
TOKEN = os.environ.get("MOCKBILL_TOKEN")
PLACE = <origin literal>
"""Where links in the answers below lead. Those in new answers are read as if they led there too."""
NEVER_THE_SAME = {"correlationId"}
"""Members of answers that are not compared. Neither is a text with *** in it, which stands for a secret."""
'''

HELPERS = '''

class World:
    """A world of the mock, only for this test."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.name = f"replay-{os.urandom(8).hex()}"
        self.place = URL
        self.made_keys: dict[str, str] = {}

    def begin(self, **how: Any) -> None:
        made = self.control("POST", "", {"name": self.name, **how})
        self.place = made.headers["Location"].removesuffix(f"/_mock/worlds/{self.name}")

    def set_clock(self, now: str) -> None:
        self.control("POST", f"/{self.name}/clock", {"set": now})

    def change_settings(self, api: str, values: dict[str, Any]) -> None:
        self.control("PATCH", f"/{self.name}/settings?api={api}", values)

    def key(self, api: str, caller: str, variable: str) -> str:
        """The key of a caller: from the environment, as the world lists it, or as an answer has just shown it."""
        if variable in os.environ:
            return os.environ[variable]
        for each in self.control("GET", f"/{self.name}/credentials").json()["credentials"]:
            if (each["api"], each["name"], each["revoked"]) == (api, caller, False):
                return str(each["secret"])
        for name, secret in self.made_keys.items():
            if caller.endswith(name):
                return secret
        pytest.fail(f"The world does not list the key of {caller!r} ({api}). Set {variable} to it.", pytrace=False)

    def ask(
        self,
        number: int,
        method: str,
        target: str,
        *,
        headers: list[tuple[str, str]],
        body: bytes = b"",
        status: int | None = None,
        answer: Any = ...,
    ) -> None:
        """Send request `number` of the journal, and compare what is known of the answer that it got."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        came = self.send(method, f"/w/{self.name}{target}", raw, body)
        complaints = [] if status in (None, came.status_code) else [f"status: was {status}, is {came.status_code}"]
        if answer is not ...:
            try:
                now = json.loads(came.text.replace(f"{self.place}/w/{self.name}", PLACE).replace(self.place, PLACE))
            except ValueError:
                complaints.append("its answer is no JSON any more")
            else:
                complaints += differences(answer, now)
                self.remember_keys(answer, now)
        if complaints:
            asked = f"Request {number} is not answered as it was: {method} {target}"
            whole = f"The answer is now {came.status_code}: {came.text[:2000]}"
            pytest.fail("\\n".join([asked, *(f"  {each}" for each in complaints[:50]), whole]), pytrace=False)

    def remember_keys(self, was: Any, now: Any) -> None:
        """A key is shown only when it is made, beside its id; the name of its caller ends with that id."""
        if isinstance(was, dict) and isinstance(now, dict) and isinstance(now.get("id"), str):
            for name, value in was.items():
                if isinstance(value, str) and "***" in value:
                    self.made_keys[now["id"]] = str(now.get(name))

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask the control API."""
        headers = [(b"content-type", b"application/json")] if body is not None else []
        if TOKEN is not None:
            headers.append((b"authorization", f"Bearer {TOKEN}".encode()))
        content = json.dumps(body).encode() if body is not None else b""
        came = self.send(method, f"/_mock/worlds{path}", headers, content)
        if came.is_error:
            pytest.fail(f"{method} /_mock/worlds{path} was answered {came.status_code}: {came.text}", pytrace=False)
        return came

    def send(self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Response:
        """Send it byte for byte: httpx by itself would add headers, and tidy up the path."""
        exactly = {"target": f"{urlsplit(URL).path}{target}".encode()}
        try:
            return self.client.send(httpx.Request(method, URL, headers=headers, content=body, extensions=exactly))
        except httpx.HTTPError as error:
            pytest.fail(f"{method} {target}: no answer from {URL}: {error!r}", pytrace=False)


@pytest.fixture
def world() -> Iterator[World]:
    with httpx.Client(timeout=60, trust_env=False) as client:
        world = World(client)
        <begin>
        try:
<put back>            yield world
        finally:
            world.control("DELETE", f"/{world.name}")


def differences(was: Any, now: Any, place: str = "$") -> Iterator[str]:
    """What is not as it was."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted({*was, *now} - NEVER_THE_SAME):
            if name not in now:
                yield f"{place}.{name}: was {was[name]!r}, is missing"
            elif name not in was:
                yield f"{place}.{name}: was not there, is {now[name]!r}"
            else:
                yield from differences(was[name], now[name], f"{place}.{name}")
    elif isinstance(was, list) and isinstance(now, list):
        if len(was) != len(now):
            yield f"{place}: had {len(was)} items, has {len(now)}"
        for index, (before, after) in enumerate(zip(was, now, strict=False)):
            yield from differences(before, after, f"{place}[{index}]")
    elif isinstance(was, str) and isinstance(now, str) and "***" in was:
        return
    elif type(was) is not type(now) or was != now:
        yield f"{place}: was {was!r}, is {now!r}"
'''

PUT_BACK = """\
            for state in json.loads(START)["states"]:
                world.control("PUT", f"/{world.name}/state", state)
"""

START = '''

START = r"""
<start>
"""
"""The world before the first request, as `GET /_mock/worlds/{world}/state` gives it for each API."""
'''
