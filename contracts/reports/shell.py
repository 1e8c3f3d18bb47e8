"""Requests as curl commands that may be pasted into a POSIX shell, whatever bytes are in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from contracts.findings import Shown
from mock_server.control.exports.words import as_text, in_printf, word

MARK = re.compile(
    r"<(owner|reader|member|other|operator|revoked|webhook secret|control token|secret \d{1,4}"
    r"|(?:header|clock|usage) [A-Za-z0-9-]{1,60})>"
)
"""What stands for a secret that a reader has or gets (see `contracts.redaction`)."""
_PLAIN_IN_DOUBLE_QUOTES = re.compile(r"[^\"$`\\!\x00-\x1f\x7f]*")
_GLOBS = re.compile(r"[\[\]{}]")
_DOTS = re.compile(r"/\.{1,2}(?:/|\?|$)")


def variable(mark: str) -> str:
    """The shell's variable for what a mark stands for: `<owner>` is `OWNER`."""
    return re.sub(r"[^A-Z0-9]+", "_", mark.strip("<>").upper())


def pieces(text: str, givers: Mapping[str, str]) -> list[tuple[bool, str]]:
    """The text in parts: as it is, or (True) the name of a variable. `givers`: values that stand in variables."""
    found = "|".join(re.escape(value) for value in sorted(givers, key=len, reverse=True))
    parts: list[tuple[bool, str]] = []
    end = 0
    for match in re.finditer(f"{found}|{MARK.pattern}" if found else MARK.pattern, text):
        if match.start() > end:
            parts.append((False, text[end : match.start()]))
        parts.append((True, givers.get(match[0]) or variable(match[0])))
        end = match.end()
    return [*parts, (False, text[end:])] if end < len(text) else parts


def quoted(text: str, givers: Mapping[str, str], literal: Callable[[str], str] | None = None) -> str:
    """The text as one word of the shell. `literal`: how a part is written that has no variable in it."""
    literal = literal or _literal
    parts = pieces(text, givers)
    if not any(is_variable for is_variable, _ in parts):
        return literal(text)
    if all(is_variable or _is_plain(each) for is_variable, each in parts):
        return '"' + "".join(f"${{{each}}}" if is_variable else each for is_variable, each in parts) + '"'
    return "".join(f'"${{{each}}}"' if is_variable else literal(each) for is_variable, each in parts)


def curl(step: Shown, url: str, givers: Mapping[str, str]) -> str:
    """The command that sends a step's request. `url`: where to, which may be another place than then."""
    if step.is_raw:
        return _raw(step, url, givers)
    options = ["-i"]
    options += ["--globoff"] if _GLOBS.search(url) else []
    options += ["--path-as-is"] if _DOTS.search(url) else []
    options += ["--head"] if step.method == "HEAD" else [f"-X {quoted(step.method, {})}"] if _verb_needed(step) else []
    lines = [f"curl {' '.join(options)} {quoted(url, givers)}"]
    for name, value in step.headers:
        lines.append(f"-H {quoted(f'{name}: {value}' if value else f'{name};', givers)}")
    named = {name.lower() for name, _ in step.headers}
    body = body_of(step)
    if not body:
        lines += ["-H 'Content-Length: 0'"] if step.method in ("POST", "PUT", "PATCH") else []
        return " \\\n  ".join(lines)
    lines += [] if "content-type" in named else ["-H 'Content-Type:'"]
    text = as_text(body)
    if text is not None:
        # --data-binary would take what follows an @ for the name of a file.
        return " \\\n  ".join([*lines, f"--data-raw {quoted(text, givers, shlex.quote)}"])
    octal = b"".join(in_printf(body[n : n + 1]) for n in range(len(body))).decode()
    return f"printf '{octal}' | " + " \\\n  ".join([*lines, "--data-binary @-"])


def _raw(step: Shown, url: str, givers: Mapping[str, str]) -> str:
    """The command that sends bytes as they are, but to the place that `url` is of."""
    place = urlsplit(step.url)
    sent = body_of(step).decode("latin-1").replace(place.path, urlsplit(url).path, 1)
    parts = []
    for is_variable, text in pieces(sent, givers):
        data = text.encode("latin-1")
        octal = b"".join(in_printf(data[n : n + 1]) for n in range(len(data))).decode()
        parts.append(f'printf %s "${{{text}}}"' if is_variable else f"printf -- '{octal}'")
    port = place.port or (443 if place.scheme == "https" else 80)
    line = f"nc -w 5 {shlex.quote(place.hostname or '')} {port}"
    if place.scheme == "https":
        line = f"openssl s_client -quiet -connect {shlex.quote(f'{place.hostname}:{port}')}"
    return (f"{{ {'; '.join(parts)}; }}" if len(parts) > 1 else parts[0]) + f" | {line}"


def used(step: Shown, url: str) -> list[str]:
    """The variables in a step's command that stand for secrets."""
    body = body_of(step).decode("utf-8", "replace")
    texts = [url, body, *(f"{name}: {value}" for name, value in step.headers)]
    return [name for text in texts for is_variable, name in pieces(text, {}) if is_variable]


def body_of(step: Shown) -> bytes:
    """The body's bytes, as far as they are known."""
    if step.exact is not None:
        return step.exact.encode("latin-1")
    return (step.body or "").encode("utf-8", "surrogatepass")


def _verb_needed(step: Shown) -> bool:
    return step.method != ("POST" if step.body else "GET")


def _is_plain(text: str) -> bool:
    return text.isprintable() and _PLAIN_IN_DOUBLE_QUOTES.fullmatch(text) is not None


def _literal(text: str) -> str:
    return word(text.encode("utf-8", "surrogateescape"))
