"""From a request that came whole to its file, the application's answer, and a line that says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from mock_server.engine.instants import Instant, to_datetime
from mock_server.webhooks.captures import LARGEST_ANSWER, Answer, Capture, CaptureError
from mock_server.webhooks.redaction import redacted, redacted_answer

from .folder import CannotStore, Folder
from .forwarding import Answered, Unanswered, forward
from .heads import RequestHead
from .passing import BaseUrl, called_url
from .recognising import provider_of, title_of

UNAVAILABLE, STORAGE_FULL = 503, 507
LONGEST_SHOWN = 60


class Options(Struct, frozen=True):
    """`forward` None: nobody is behind, and every request is answered with 200. `limit` None: captures without end.

    `patience`: seconds that the application has for its answer.
    """

    forward: BaseUrl | None = None
    public: BaseUrl | None = None
    provider: str | None = None
    redact: bool = False
    limit: int | None = None
    patience: float = 30.0


class Said(Struct, frozen=True):
    """What the provider is told. Without `is_ours` it is what the application said."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_ours: bool = True


class Recorder:
    """`tell` takes each line for people; `now` is the time in microseconds since 1970; `clock` seconds of any start.

    `captured` counts what was stored. `is_full` once the limit is reached.
    """

    def __init__(
        self,
        folder: Folder,
        options: Options,
        tell: Callable[[str], None],
        now: Callable[[], Instant],
        clock: Callable[[], float],
    ) -> None:
        self.folder, self.options, self.tell, self.now, self.clock = folder, options, tell, now, clock
        self.captured = 0
        self._begun = 0

    @property
    def is_full(self) -> bool:
        return self.options.limit is not None and self.captured >= self.options.limit

    async def take(self, head: RequestHead, body: bytes) -> Said:
        """Stored first, then passed on: what anybody was told of is in a file. Raises nothing."""
        if self.options.limit is not None and self._begun >= self.options.limit:
            self.tell(f"not captured: {self.options.limit} were asked for, and there are so many")
            return ours(UNAVAILABLE, f"as many webhooks as --limit says were captured: {self.options.limit}")
        self._begun += 1
        number, started = self._begun, self.clock()
        capture = self._capture(head, body)
        try:
            # Both may take a while for a large body, and others are served meanwhile.
            kept = await asyncio.to_thread(self._kept, capture)
            path = await asyncio.to_thread(self.folder.add, kept, number)
        except (CannotStore, CaptureError) as error:
            self._begun -= 1
            self.tell(f"not captured: {error}")
            return ours(STORAGE_FULL, f"the webhook was not captured and not passed on: {error}")
        self.captured += 1
        if self.options.forward is None:
            self._tell(capture, path, "-> 200, nobody is behind (--forward)", started)
            return ours(200, "captured", "captured\n")
        came = await forward(head, body, self.options.forward, self.options.patience)
        if isinstance(came, Unanswered):
            self._tell(capture, path, f"-> {came.status}, {came.explanation}", started)
            return ours(came.status, f"{came.explanation}. The webhook was captured: {path.name}")
        await self._remember(path, kept, came)
        self._tell(capture, path, f"-> {came.status}", started)
        return Said(came.status, came.reason, came.headers, came.body, is_ours=False)

    def _capture(self, head: RequestHead, body: bytes) -> Capture:
        provider = self.options.provider or provider_of(head.headers)
        title = title_of(head.headers, body, head.method, head.path)
        url = called_url(head, self.options.public)
        return Capture(provider, title, self.now(), head.method, head.path, head.headers, body, url)

    def _kept(self, capture: Capture) -> Capture:
        if not self.options.redact:
            return capture
        redaction = redacted(capture)
        if redaction.warning:
            self.tell(f"redacted only in part: {redaction.warning}")
        return redaction.capture

    async def _remember(self, path: Path, kept: Capture, came: Answered) -> None:
        """The answer goes into the file too. If it cannot, the capture stays as it is."""
        answer = Answer(came.status, came.had, came.body[:LARGEST_ANSWER], len(came.body) > LARGEST_ANSWER)
        if self.options.redact:
            answer = redacted_answer(answer)
        try:
            await asyncio.to_thread(self.folder.replace, path, structs.replace(kept, answer=answer))
        except (CannotStore, CaptureError) as error:
            self.tell(f"the answer was not kept: {error}")

    def _tell(self, capture: Capture, path: Path, what: str, started: float) -> None:
        time = to_datetime(capture.received_at).strftime("%H:%M:%S")
        took = (self.clock() - started) * 1000
        title = capture.title[:LONGEST_SHOWN]
        self.tell(f"{time} {capture.provider} {title} {len(capture.body)} bytes {what} in {took:.0f} ms: {path}")


def ours(status: int, explanation: str, body: str | None = None) -> Said:
    """An answer of this server's own, in plain words."""
    text = f"mockbill webhook capture: {explanation}\n" if body is None else body
    content = text.encode("utf-8", "backslashreplace")
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content))))
    return Said(status, _REASONS.get(status, "Error"), headers, content)


_REASONS = {
    200: "OK",
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
