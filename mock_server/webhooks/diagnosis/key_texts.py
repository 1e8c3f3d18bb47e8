"""How a secret is copied wrongly: what was added to its text or taken from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

PREFIXES = ("whsec_", "polar_whs_", "pdl_ntfset_", "pdl_")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?[A-Za-z_]\w*\s*[=:]\s*(\S.*)", re.ASCII | re.DOTALL)

CLEAN = (
    "Put the secret in as it stands on the provider's page, with nothing around it, and check where your code trims it."
)

TEXTS: tuple[tuple[str, str, str, str, Callable[[str], str | None]], ...] = (
    (
        "trimmed",
        "the secret without the white space around it",
        ("A space or a newline is stuck to the secret: from a file, a .env line, a secret manager or the clipboard."),
        (
            "Trim it where it is read (.strip(), .trim()), or store it without: `printf %s`, not `echo`; "
            "kubectl --from-literal."
        ),
        lambda text: text.strip(),
    ),
    (
        "unquoted",
        "the secret without the quotes around it",
        "The quotes of a .env or YAML line have become part of the secret.",
        "Docker's --env-file keeps quotes: write NAME=value without them.",
        lambda text: text.strip().strip("\"'`"),
    ),
    (
        "assigned",
        "what stands after NAME= in the secret",
        "A whole line of a .env file was taken for the secret.",
        CLEAN,
        lambda text: found[1].strip().strip("\"'") if (found := _ASSIGNED.fullmatch(text)) else None,
    ),
    (
        "escaped-newline",
        "the secret without the \\n written at its end",
        "A backslash and an n, or %0A, stand at the secret's end as letters.",
        CLEAN,
        lambda text: re.sub(r"(?:\\r|\\n|%0[AaDd])+$", "", text.strip()),
    ),
    (
        "newline-added",
        "the secret with a newline at its end",
        "The other side reads its secret from a file and keeps the newline at its end.",
        "Trim the secret there, or store it without a newline: `printf %s`, not `echo`.",
        lambda text: text + "\n",
    ),
    (
        "crlf-added",
        "the secret with CR LF at its end",
        "The other side reads its secret from a Windows file and keeps the line end.",
        "Trim the secret there.",
        lambda text: text + "\r\n",
    ),
    (
        "without-bom",
        "the secret without a byte order mark at its start",
        "A file was read with its BOM.",
        "Read it as utf-8-sig, or save it without BOM.",
        lambda text: text.removeprefix("\ufeff"),
    ),
    (
        "prefix-doubled",
        "the secret with its prefix once",
        "The prefix stands there twice: the code adds it to a secret that has it.",
        CLEAN,
        lambda text: next((text.removeprefix(prefix) for prefix in PREFIXES if text.startswith(prefix * 2)), None),
    ),
    (
        "plus",
        "the secret with + where it has a space",
        "The secret went through a URL or a form, where + means a space.",
        "Encode it (encodeURIComponent, quote) or do not send it through a URL.",
        lambda text: text.strip().replace(" ", "+"),
    ),
    (
        "url-decoded",
        "the secret with its %-escapes decoded",
        "The secret is still URL-encoded.",
        "Decode it, or take it from the provider's page again.",
        unquote,
    ),
    (
        "lower",
        "the secret in small letters",
        "The letters of the secret were changed.",
        CLEAN,
        lambda text: text.lower(),
    ),
    (
        "upper",
        "the secret in capital letters",
        "The letters of the secret were changed.",
        CLEAN,
        lambda text: text.upper(),
    ),
)
