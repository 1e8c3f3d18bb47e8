"""What a perturbation of a body is, and the advice that many share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .report import Change

RAW = (
    "Verify the raw bytes of the request, before anything parses them (Express: express.raw(), Django: request.body, Flask: "
    "request.get_data(), FastAPI: await request.body(), Rails: request.raw_post, Go: io.ReadAll(r.Body))."
)
LINES = (
    "A program in between changed the lines: an editor, `echo`, `curl -d @file` (it takes newlines out), git's autocrlf, a "
    "template. Send and keep exact bytes: `curl --data-binary @file`, files opened in binary mode, `printf %s`."
)
CHARSET = (
    "Never make text of the body before you verify, or the charset of the Content-Type decides what is verified. " + RAW
)
SIGNER = "Sign the very bytes that you send, and send the very bytes that you signed. " + RAW


class Perturbation(msgspec.Struct, frozen=True):
    """`work` gives the bytes that may have been signed, or None where it makes no sense. `slow`: not for large bodies."""

    change: Change
    work: Callable[[bytes], bytes | None]
    slow: bool = False


def of_body(name: str, what: str, meaning: str, advice: str) -> Change:
    return Change("body", f"body:{name}", what, meaning, advice)
