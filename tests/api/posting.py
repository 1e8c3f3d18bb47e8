"""What takes the place of HTTP where webhooks are sent in process."""

from __future__ import annotations

from mock_server.webhooks.drafts import Request
from mock_server.webhooks.posting import Answered, Unanswered


class NobodyThere:
    """Every receiver refuses the connection."""

    async def __call__(self, request: Request, timeout_s: float) -> Answered | Unanswered:
        return Unanswered("cannot connect: nobody is there")

    async def close(self) -> None:
        """There is nothing to close."""
