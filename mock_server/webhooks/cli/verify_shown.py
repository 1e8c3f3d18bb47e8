"""What `mockbill webhook verify` prints: the verdict, why, what to do; then what it was judged by."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import typer

from mock_server.commands.tables import clean, pairs, say_json
from mock_server.engine.instants import SECOND, InvalidTime, checked, format_instant
from mock_server.webhooks.diagnosis import Diagnosis, NearMiss
from mock_server.webhooks.diagnosis.diagnose import SAME
from mock_server.webhooks.diagnosis.notes import span
from mock_server.webhooks.diagnosis.report import cut
from mock_server.webhooks.schemes.protocol import Verified

Row = tuple[str, str]


class Judged(msgspec.Struct, frozen=True):
    """`moment`: how the time of judgement was said. `guessed`: the provider was read off the headers."""

    name: str
    found: Diagnosis
    moment: str
    has_secret: bool
    guessed: bool
    computed: str | None
    redacted: bool


def show(judged: Judged) -> None:
    found = judged.found
    style, word = ("bold green", "VERIFIED") if isinstance(found.verdict, Verified) else ("bold red", "REJECTED")
    if not judged.has_secret:
        style, word = "bold yellow", "NOT JUDGED"
    _head(word, style, _summary(judged))
    for rows in (list(_reasons(judged)), list(_facts(judged))):
        if rows:
            typer.echo()
            pairs(rows)


def _head(word: str, style: str, text: str) -> None:
    if not sys.stdout.isatty():
        typer.echo(f"{word}  {clean(text)}")
        return
    from rich.console import Console
    from rich.text import Text

    Console(markup=False, emoji=False, highlight=False).print(Text.assemble((word, style), "  ", clean(text)))


def _summary(judged: Judged) -> str:
    found, verdict = judged.found, judged.found.verdict
    title = f"{found.title} (guessed from the headers)" if judged.guessed else found.title
    if not judged.has_secret:
        return f"{title}: without a secret nobody can say whether it fits"
    if isinstance(verdict, Verified):
        differs = judged.computed is not None and SAME not in found.notes
        return (
            f"{title}: the signature fits"
            + (f", signed {_ago(judged)}" if found.time else "")
            + ("; but your code computes another one" if differs else "")
        )
    return f"{title}: {verdict.reason}: {verdict.explanation}"


def _ago(judged: Judged) -> str:
    time = judged.found.time
    if time is None:
        return ""
    where = {"received": "before it was received", "now": "ago"}.get(judged.moment, "before --at")
    if time.age < 0:
        return f"{span(-time.age)} after that" if judged.moment != "now" else f"{span(-time.age)} in the future"
    return f"{span(time.age)} {where}"


def _reasons(judged: Judged) -> Iterator[Row]:
    found = judged.found
    what = "It fits" if judged.computed is None else "Your code signs"
    for near in found.near_misses:
        yield what, _joined(near)
        for change in near.changes:
            yield "Why", change.meaning
        for advice in dict.fromkeys(change.advice for change in near.changes):
            yield "Do", advice
    if judged.redacted and not isinstance(found.verdict, Verified):
        yield "Note", "The capture is redacted: its body is not the one that was signed, and no signature can fit."
    is_late = not isinstance(found.verdict, Verified) and found.verdict.reason in ("expired", "premature")
    for note in found.notes:
        yield "Why" if is_late else "Note", note
    if isinstance(found.verdict, Verified) and judged.computed is None and judged.has_secret:
        yield (
            "Note",
            "If your code refuses it all the same: --computed with the signature that it computes shows its slip.",
        )
    if _is_unexplained(judged):
        yield "Why", f"Nothing near it fits either ({found.attempts:,} attempts)."
        yield (
            "Do",
            (
                "Compare the secret with the one on the provider's page: each endpoint has its own, test and live mode "
                "too, and a listener of a command line tool has yet another. Then compare the body's length and SHA-256 "
                "with those in your code, or give --computed with the signature that your code computes."
            ),
        )
    for skipped in found.skipped if not found.near_misses else ():
        yield "Not tried", skipped


def _is_unexplained(judged: Judged) -> bool:
    verdict = judged.found.verdict
    if judged.found.near_misses or not judged.has_secret or judged.redacted:
        return False
    if judged.computed is not None:
        return judged.found.attempts > 0
    return not isinstance(verdict, Verified) and verdict.reason == "mismatch"


def _joined(near: NearMiss) -> str:
    return ", and with it ".join(change.what for change in near.changes)


def _facts(judged: Judged) -> Iterator[Row]:
    found = judged.found
    for carried in found.carried:
        yield "Header", f"{carried.header}: {carried.value}"
    if found.time is not None:
        limit = f"at most {found.time.tolerance} s" if found.time.tolerance else "any age is accepted"
        yield "Time", f"{_moment(found.time.signed_at)}, {_ago(judged)} ({limit})"
    if found.material is not None:
        yield "Signed", " + ".join(found.material.parts)
        dots = " ... " if found.material.last else ""
        yield "Bytes", f"{found.material.first}{dots}{found.material.last}"
        yield "", f"{found.material.length:,} bytes, SHA-256 {found.material.sha256}"
        yield "Body alone", f"{found.material.body_length:,} bytes, SHA-256 {found.material.body_sha256}"
    if found.compared is not None and judged.has_secret:
        given = ", ".join(found.compared.given) or "none that can be read"
        yield "Computed" if judged.computed is not None else "Given", given
        yield "Expected", ", ".join(filter(None, found.compared.expected)) or "cannot be said with this secret"


def _moment(seconds: int) -> str:
    try:
        return format_instant(checked(seconds * SECOND))
    except InvalidTime:
        return f"{seconds} s after 1970"


def show_json(judged: Judged) -> None:
    found = judged.found
    verdict = found.verdict
    whole: dict[str, Any] = {
        "name": judged.name,
        "result": "not_judged"
        if not judged.has_secret
        else "verified"
        if isinstance(verdict, Verified)
        else "rejected",
        "provider": found.provider,
        "provider_guessed": judged.guessed,
        "redacted": judged.redacted,
    }
    if isinstance(verdict, Verified):
        whole |= {"secret": verdict.secret + 1}
    elif judged.has_secret:
        whole |= {"reason": verdict.reason, "explanation": verdict.explanation}
    if judged.computed is not None:
        whole["computed"] = cut(judged.computed)
    said = msgspec.to_builtins(found)
    for name in ("near_misses", "notes", "skipped", "attempts", "carried", "time", "material", "compared"):
        whole[name] = said[name]
    for near, each in zip(whole["near_misses"], found.near_misses, strict=True):
        near["name"] = each.name
    say_json(msgspec.json.encode(whole))
