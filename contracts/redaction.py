"""Secrets in a report are masked by value: wherever they stand, and however they are written there.

A credential becomes `<owner>`, so that a reader sees whose it was and can put his own there. What the run itself was
given as a secret (members marked `x-secret` in the bundle, such as the token of an API key) becomes `<secret 1>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

import msgspec

from mock_server.openapi.walk import schemas

from .broken import LONGEST_SHOWN
from .findings import Finding, LawResult, Report, Shown
from .spellings import decoded, in_base64
from .steps import text_of
from .target import HttpClock, HttpUsage, Target

SHORTEST = 6
"""A shorter secret is masked only where credentials belong: it would be found in innocent words too."""
MOST_RECEIVED = 200
HIDDEN = "<hidden>"
CREDENTIALS = frozenset(("authorization", "x-api-key", "proxy-authorization"))
COOKIES = frozenset(("cookie", "set-cookie"))
_USER_INFO = re.compile(r"(?<=://)[^/?#@\s]*@")
_CREDENTIAL_LINE = re.compile(r"(?im)^(authorization|x-api-key)(:[ \t]*)([^\r\n]*)")
_BEFORE = re.compile(r".*_openapp_", re.DOTALL)


def secrets_of(target: Target) -> dict[str, str]:
    """What no report may show of a target -> what stands there instead."""
    ports = target.ports
    control = ports.control.token if ports.control is not None else None
    named: list[tuple[str | None, str]] = [(value, f"<{role}>") for role, value in target.credentials.items()]
    named += [(ports.webhook_secret, "<webhook secret>"), (control, "<control token>")]
    named += [(value, f"<header {name}>") for name, value in target.extra_headers.items()]
    for what, port in (("clock", ports.clock), ("usage", ports.usage)):
        if isinstance(port, HttpClock | HttpUsage):
            named += [(value, f"<{what} {name}>") for name, value in port.headers.items()]
    found: dict[str, str] = {}
    for value, mark in named:
        if value:
            found.setdefault(value, mark)
    for value in target.secrets:
        found.setdefault(value, HIDDEN)
    return found


def redacted(report: Report, secrets: Mapping[str, str], bundle: Mapping[str, Any]) -> Report:
    """The report without secrets: for everything that writes one. `secrets` as `secrets_of` gives them."""
    known = dict(secrets)
    members = secret_members(bundle)
    received: dict[str, None] = {}
    for finding in report.findings:
        for step in finding.steps:
            received.update(dict.fromkeys(_received(step.answer_body, members)))
    for value in list(received)[:MOST_RECEIVED]:
        if len(value) >= SHORTEST and value not in known:
            known[value] = f"<secret {sum(mark.startswith('<secret ') for mark in known.values()) + 1}>"
    masker = Masker(known)
    return msgspec.structs.replace(
        report,
        url=masker.url(report.url),
        stopped=None if report.stopped is None else masker.text(report.stopped),
        laws=tuple(_law(each, masker) for each in report.laws),
        findings=tuple(_finding(each, masker) for each in report.findings),
        notes=tuple(masker.text(each) for each in report.notes),
    )


class Masker:
    """`marks`: secret -> what stands there instead."""

    def __init__(self, marks: Mapping[str, str]) -> None:
        self._marks = dict(marks)
        long = {secret: mark for secret, mark in marks.items() if len(secret) >= SHORTEST}
        for secret, mark in list(long.items()):
            # A token is taken whole or as its secret part alone; in a world of its own, with that world behind it.
            for part in (_BEFORE.sub("", secret), secret.partition("@")[0]):
                if len(part) >= SHORTEST:
                    long.setdefault(part, mark)
            if not secret.isascii():
                long.setdefault(secret.encode("utf-8", "surrogatepass").decode("latin-1"), mark)
        self._long = dict(sorted(long.items(), key=lambda each: -len(each[0])))
        self._pattern = re.compile("|".join(map(re.escape, self._long))) if self._long else None
        self._base64 = {form: mark for secret, mark in self._long.items() for form in in_base64(secret)}

    def text(self, text: str) -> str:
        """The text with every secret masked, as it is or escaped in the ways of JSON, URLs, HTML, Python and base64.

        Half a surrogate pair is spelled out: no file could hold it.
        """
        return self._masked(text).encode("utf-8", "backslashreplace").decode()

    def _masked(self, text: str) -> str:
        if self._pattern is None or not text:
            return text
        spans = [(*match.span(), self._long[match[0]]) for match in self._pattern.finditer(text)]
        for plain, at in decoded(text):
            spans += [
                (at[match.start()][0], at[match.end() - 1][1], self._long[match[0]])
                for match in self._pattern.finditer(plain)
            ]
        for form, mark in self._base64.items():
            start = text.find(form)
            while start >= 0:
                spans.append((start, start + len(form), mark))
                start = text.find(form, start + 1)
        return _replaced(text, spans)

    def body(self, text: str) -> str:
        """The same for a body: where it is cut, it may end within a secret."""
        text = _CREDENTIAL_LINE.sub(
            lambda line: line[1] + line[2] + self._header(line[1].lower(), line[3]), self.text(text)
        )
        if len(text) < LONGEST_SHOWN - 10:
            return text
        sizes = (n for secret in self._long for n in range(4, len(secret)) if text.endswith(secret[:n]))
        size = max(sizes, default=0)
        return text[:-size] + HIDDEN if size else text

    def url(self, text: str) -> str:
        return self.text(_USER_INFO.sub("", text))

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it masked, and every number that is a secret."""
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, Mapping):
            return {self._masked(name): self.value(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = self.text(str(value))
            return value if text == str(value) else text
        return value

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((self.text(name), self._header(name.lower(), value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name in COOKIES:
            return HIDDEN
        masked = self.text(value)
        if name not in CREDENTIALS or masked != value or any(mark in value for mark in self._marks.values()):
            return masked
        scheme, space, word = value.rpartition(" ")
        core = _BEFORE.sub("", word).partition("@")[0]
        for secret, mark in self._marks.items():
            if core and core in (secret, _BEFORE.sub("", secret).partition("@")[0]):
                return f"{scheme}{space}{mark}"
            if _is_nearly(core, secret):
                return f"{scheme}{space}<nearly {mark[1:-1]}>"
        return value


def secret_members(bundle: Mapping[str, Any]) -> frozenset[str]:
    """Names of members that are secrets somewhere in the bundle: a faulty answer may show them anywhere."""
    return frozenset(place.name for place in schemas(bundle) if place.node.get("x-secret") is True and place.name)


def _received(body: str, members: frozenset[str]) -> Iterator[str]:
    """The texts in members of these names, also in an answer that was cut or is no JSON."""
    if not members or not body:
        return
    try:
        yield from _within(json.loads(body), members)
    except (ValueError, RecursionError):
        names = "|".join(map(re.escape, sorted(members)))
        for match in re.finditer(rf'"(?:{names})"\s*:\s*"((?:[^"\\]|\\.)*)', body):
            yield match[1]


def _within(value: Any, members: frozenset[str], is_secret: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if is_secret:
            yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _within(each, members, is_secret or name in members)
    elif isinstance(value, list):
        for each in value:
            yield from _within(each, members, is_secret)


def _is_nearly(word: str, secret: str) -> bool:
    """Whether a made-up credential gives most of a real one away."""
    if len(secret) < 4 or len(word) > 4_000 or len(secret) > 4_000:
        return False
    match = SequenceMatcher(None, word.lower(), secret.lower(), autojunk=False).find_longest_match()
    return match.size >= max(4, len(secret) * 0.6)


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """Where two spans overlap both go, under the mark of the first."""
    parts, end = [], 0
    for start, stop, mark in sorted(spans, key=lambda each: (each[0], -each[1])):
        if start >= end:
            parts += [text[end:start], mark]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def _law(result: LawResult, masker: Masker) -> LawResult:
    return msgspec.structs.replace(result, reason=masker.text(result.reason))


def _finding(finding: Finding, masker: Masker) -> Finding:
    def in_json(text: str | None) -> str | None:
        return None if text is None else text_of(masker.value(json.loads(text)))

    return msgspec.structs.replace(
        finding,
        expected=masker.text(finding.expected),
        came=masker.text(finding.came),
        place=masker.text(finding.place),
        steps=tuple(_step(each, masker) for each in finding.steps),
        replay=in_json(finding.replay),
        notes=tuple(masker.text(each) for each in finding.notes),
        wanted=in_json(finding.wanted),
    )


def _step(step: Shown, masker: Masker) -> Shown:
    exact = None if step.exact is None else masker.body(step.exact) if step.is_raw else masker.text(step.exact)
    if exact is not None and exact != step.exact and not step.is_raw:
        exact = None
    return msgspec.structs.replace(
        step,
        title=masker.text(step.title),
        url=masker.url(step.url),
        headers=masker.headers(step.headers),
        body=None if step.body is None else masker.body(step.body),
        answer_headers=masker.headers(step.answer_headers),
        answer_body=masker.body(step.answer_body),
        exact=exact,
    )
