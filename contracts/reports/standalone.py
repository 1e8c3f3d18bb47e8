"""What the stand-alone test of a finding is made of: the parts that it needs are copied into it, word for word.

So nothing here may name anything of ours. Constants in capitals are the test's own.
"""

from __future__ import annotations

import calendar
import hmac
import json
import os
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

URL = CONTROL = CLOCK = USAGE = ORG = ""
HEADERS: dict[str, str] = {}
CLOCK_HEADERS: dict[str, str] = {}
USAGE_HEADERS: dict[str, str] = {}
WORLD: dict[str, Any] = {}
SETTINGS: dict[str, Any] = {}
NOTHING: Any = object()


def env(name: str) -> str:
    """A secret that only the environment has."""
    if not os.environ.get(name):
        pytest.fail(f"Set {name} in the environment: this test needs it, and no report shows it.", pytrace=False)
    return os.environ[name]


def no_number(name: str) -> None:
    """JSON knows neither NaN nor Infinity."""
    raise ValueError(name)


class Answer:
    """An answer of the API. `answer["items", 0, "id"]` is what it has there; it must be there."""

    def __init__(self, number: int, came: httpx.Response) -> None:
        self.number, self.status, self.headers, self.text = number, came.status_code, came.headers, came.text
        self.media_type = came.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.json: Any = None
        self.is_json = True
        try:
            self.json = json.loads(came.content, parse_constant=no_number)
        except (ValueError, RecursionError):
            self.is_json = False

    def __repr__(self) -> str:
        return f"step {self.number} was answered {self.status}: {self.text[:2000]}"

    def __getitem__(self, keys: Any) -> str:
        found = self.get(*(keys if isinstance(keys, tuple) else (keys,)))
        if not isinstance(found, str):
            pytest.fail(f"Later steps need {keys!r} of this answer, which has no text there: {self!r}", pytrace=False)
        return found

    def get(self, *keys: str | int) -> Any:
        """What stands there, None if nothing does."""
        value = self.json
        for key in keys:
            if isinstance(value, dict):
                value = value.get(str(key))
            elif isinstance(value, list) and str(key).isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None
        return value


class Api:
    """The API, and the steps so far."""

    def __init__(self, client: httpx.Client) -> None:
        self.client, self.url, self.org, self.steps = client, URL, ORG, 0
        self.clock, self.usage = CLOCK, USAGE
        self.attempt = os.urandom(4).hex()

    def call(
        self,
        method: str,
        path: str,
        values: dict[str, str] | None = None,
        *,
        key: str | None = None,
        query: dict[str, str] | None = None,
        headers: list[tuple[str, str]] | None = None,
        json_body: Any = NOTHING,
        body: bytes = b"",
        media_type: str | None = None,
    ) -> Answer:
        """`values` are those of the path's parameters; `key` goes into X-API-Key."""
        target = re.sub(r"\{([^}]+)\}", lambda name: quote((values or {})[name[1]], safe=""), path)
        if query:
            target += "?" + "&".join(f"{quote(name, safe='')}={quote(each, safe='')}" for name, each in query.items())
        sent = [*([("X-API-Key", key)] if key is not None else []), *(headers or []), *HEADERS.items()]
        if json_body is not NOTHING:
            body = json.dumps(json_body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
            media_type = media_type or "application/json"
        if media_type is not None:
            sent.append(("Content-Type", media_type))
        return self.send(method, target, sent, body)

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answer:
        """Exactly this request, below the API's base path."""
        self.steps += 1
        base = urlsplit(self.url)
        exactly = {"target": f"{base.path}{target}".encode("utf-8", "surrogateescape")}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        where = f"{base.scheme}://{base.netloc}"
        try:
            asked = httpx.Request(method, where, headers=raw, content=body, extensions=exactly)
            return Answer(self.steps, self.client.send(asked))
        except httpx.HTTPError as error:
            pytest.fail(f"Step {self.steps}, {method} {target}: no answer from {where}: {error!r}", pytrace=False)

    def port(self, method: str, url: str, headers: dict[str, str], body: Any = None) -> Any:
        """What is not the API itself: clock, usage, control."""
        try:
            came = self.client.request(method, url, headers=headers, json=body)
        except httpx.HTTPError as error:
            pytest.fail(f"{method} {url}: no answer: {error!r}", pytrace=False)
        if came.is_error:
            pytest.fail(f"{method} {url} was answered {came.status_code}: {came.text[:500]}", pytrace=False)
        return came.json() if came.content else None

    def now(self) -> datetime:
        """The API's time: the machine's, where nobody can move it."""
        if not self.clock:
            return datetime.now(UTC)
        return datetime.fromisoformat(self.port("GET", self.clock, CLOCK_HEADERS)["now"])

    def move(self, by: str | None = None, edge: str = "day", seconds: int = 0) -> None:
        """The clock goes on by a duration, or to the end of the day, week, month or year that it is in."""
        self.steps += 1
        if not self.clock:
            pytest.fail("This step moves the API's clock. Move it yourself, or set MOCKBILL_CLOCK.", pytrace=False)
        now = self.now()
        to = later(now, by) if by is not None else max(now, end_of(edge, now) + timedelta(seconds=seconds))
        self.port("POST", self.clock, CLOCK_HEADERS, {"set": to.isoformat().replace("+00:00", "Z")})

    def moment(self, duration: str) -> str:
        """A moment so much later than now, or earlier with a minus before it."""
        now, text = self.now(), duration.removeprefix("-")
        to = later(now, text) if text == duration else now - (later(now, text) - now)
        return to.isoformat().replace("+00:00", "Z")

    def consume(self, key: str, amount: int, *, is_refused: bool = False) -> None:
        """So much of a metered quota is used up, or has to be refused."""
        self.steps += 1
        if not self.usage:
            pytest.fail(f"This step uses up {amount} of {key}: that takes MOCKBILL_USAGE.", pytrace=False)
        body = {"org": self.org, "key": key, "amount": amount}
        if not is_refused:
            self.port("POST", self.usage, USAGE_HEADERS, body)
        elif self.client.post(self.usage, headers=USAGE_HEADERS, json=body).is_success:
            pytest.fail(f"{amount} of {key} were taken, and should have been refused.", pytrace=False)

    def begin_in_a_world(self) -> str:
        """A world of its own, whose clock only this test moves."""
        name, worlds = f"again-{os.urandom(8).hex()}", f"{CONTROL}/_mock/worlds"
        self.port("POST", worlds, CLOCK_HEADERS, {"name": name, **WORLD})
        if SETTINGS:
            self.port("PATCH", f"{worlds}/{name}/settings", CLOCK_HEADERS, SETTINGS)
        base, path = CONTROL, urlsplit(URL).path
        self.url, self.clock = f"{base}/w/{name}{path}", f"{worlds}/{name}/clock"
        self.usage = f"{worlds}/{name}/usage"
        return f"{worlds}/{name}"

    def begin_in_an_org(self) -> None:
        """An organization of its own below the one that the credentials belong to. It stays there."""
        body = {"name": "mockbill contract", "parent_id": ORG}
        self.org = self.call("POST", "/orgs", key=env("OWNER"), json_body=body)["id"]
        self.steps = 0


def later(start: datetime, duration: str) -> datetime:
    """So much later: P1M, P31D, PT90S. The month after 31 January ends on its last day."""
    parts = {unit.lower(): number for number, unit in re.findall(r"([\d.]+)([YW])", duration)}
    date, _, time = duration.removeprefix("P").partition("T")
    parts |= {f"date {unit}": number for number, unit in re.findall(r"([\d.]+)([MD])", date)}
    parts |= {f"time {unit}": number for number, unit in re.findall(r"([\d.]+)([HMS])", time)}
    months = start.month - 1 + 12 * int(parts.get("y", 0)) + int(parts.get("date M", 0))
    year, month = start.year + months // 12, months % 12 + 1
    start = start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
    return start + timedelta(
        weeks=float(parts.get("w", 0)),
        days=float(parts.get("date D", 0)),
        hours=float(parts.get("time H", 0)),
        minutes=float(parts.get("time M", 0)),
        seconds=float(parts.get("time S", 0)),
    )


def end_of(edge: str, now: datetime) -> datetime:
    """When the day, week, month or year that now is in ends; `leap-day`: when the next 29 February does."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if edge in ("day", "week"):
        return day + timedelta(days=1 if edge == "day" else 7 - day.weekday())
    if edge == "month":
        return later(day.replace(day=1), "P1M")
    first = day.replace(month=1, day=1)
    if edge == "year":
        return first.replace(year=day.year + 1)
    ends = (first.replace(year=year, month=3) for year in range(day.year, day.year + 9) if calendar.isleap(year))
    return next(end for end in ends if end > now)


def signed(event: Any, how: dict[str, Any], secret: str, now: datetime) -> tuple[bytes, list[tuple[str, str]]]:
    """A webhook's bytes and the header with its signature, or with what stands for one: `how` says what is wrong."""
    body = event.encode() if isinstance(event, str) else json.dumps(event, separators=(",", ":")).encode()
    at = int(now.timestamp()) - int(how.get("age", 0))

    def mac(key: str) -> str:
        return "v1=" + hmac.new(key.encode(), f"{at}.".encode() + body, sha256).hexdigest()

    right = mac({"wrong": "whsec_another", "empty": ""}.get(how.get("secret", ""), secret))
    right, wrong = right.replace("v1=", "v0=") if how.get("scheme") == "v0" else right, mac("whsec_another")
    time = f"t={at + 1 if how.get('time') == 'changed' else at}"
    values = {"empty": "", "malformed": "v1", "no time": right, "no signature": time}
    values |= {"two": f"t={at},{wrong},{right}", "two wrong": f"t={at},{wrong},{wrong}"}
    value = values.get(how.get("header", ""), f"{time},{right}")
    after = how.get("body")
    if after == "changed":
        body = body.replace(b"pro", b"business", 1) if b'"pro"' in body else body[:-1] + b',"x":1}'
    elif after in ("cut", "longer"):
        body = body[:-1] if after == "cut" else body + b"\n"
    elif after == "spaced":
        body = json.dumps(json.loads(body), indent=1).encode()
    elif after == "reordered":
        body = json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")).encode()
    elif after == "another":
        body = body.replace(b"evt_", b"evt_another_", 1)
    return body, [] if how.get("header") == "missing" else [("Stripe-Signature", value)]


def raw(data: bytes) -> tuple[list[int], str]:
    """Exactly these bytes over a connection of their own: the statuses of the answers, and all that came."""
    place = urlsplit(URL)
    port = place.port or (443 if place.scheme == "https" else 80)
    came = b""
    line = socket.create_connection((place.hostname or "", port), timeout=5)
    if place.scheme == "https":
        line = ssl.create_default_context().wrap_socket(line, server_hostname=place.hostname)
    with line:
        try:
            line.sendall(data)
            line.settimeout(1)
            while part := line.recv(65_536):
                came += part
        except OSError:
            pass
    text = came.decode("latin-1")
    return [int(status) for status in re.findall(r"(?m)^HTTP/1\.[01] (\d{3})", text)], text


def alike(first: Answer, second: Answer, without: list[str], ids: tuple[str, str] = ("", "")) -> bool:
    """Whether two answers say the same, but for these members and for the ids that were asked for."""

    def said(answer: Answer, own: str) -> Any:
        try:
            text = answer.text.replace(own, "ID") if own else answer.text
            body = json.loads(text, object_pairs_hook=list, parse_float=str, parse_int=str)
        except ValueError:
            body = []
        members = [each for each in body if each[0] not in without] if answer.text.startswith("{") else answer.text
        return answer.status, sorted(answer.headers), members

    return bool(said(first, ids[0]) == said(second, ids[1]))


def same(came: Any, wanted: Any) -> bool:
    """Whether a value is the one that should have come; numbers with fractions nearly."""
    if isinstance(came, bool) or isinstance(wanted, bool) or came is None or wanted is None:
        return came is wanted
    if isinstance(came, float) or isinstance(wanted, float):
        return isinstance(came, int | float) and isinstance(wanted, int | float) and abs(came - wanted) < 0.002
    return type(came) is type(wanted) and bool(came == wanted)


def about(came: Any, wanted: str) -> bool:
    """Whether a moment is the one that should have come, to the second."""
    try:
        return abs(datetime.fromisoformat(came) - datetime.fromisoformat(wanted)) <= timedelta(seconds=1)
    except (TypeError, ValueError):
        return bool(came == wanted)
