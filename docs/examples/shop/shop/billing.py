"""The billing API, as far as we use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


class BillingFailed(Exception):
    """It did not answer, or said no in a way that we have no answer to."""


class UnknownPlan(Exception):
    """There is no such plan, or it is not for sale."""


class UsedUp(Exception):
    """A quota of the plan is used up. `again_in`: seconds until it is not."""

    def __init__(self, again_in: int) -> None:
        super().__init__(again_in)
        self.again_in = again_in


@dataclass(frozen=True)
class Bought:
    """`pay_at`: where the customer has to go first; None if nothing is left to be done."""

    pay_at: str | None


class Billing:
    """`url`: with the `/api/v1`. Each call has the customer's own key."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=5.0, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def buy(self, key: str, org_id: str, tier: str) -> Bought:
        """Asking again for what was bought already buys nothing more, so a caller may repeat it. Raises UnknownPlan."""
        answer = await self._post(key, f"/orgs/{org_id}/billing/checkout", {"tier_slug": tier})
        if answer.status_code == 400:
            raise UnknownPlan
        return Bought(self._good(answer)["checkout_url"])

    async def translate(self, key: str, title: str, locale: str) -> str:
        """Raises UsedUp."""
        body = {"title": title, "body": "", "source_locale": "en", "target_locales": [locale]}
        answer = await self._post(key, "/ai/translate-locale-content", body)
        if answer.status_code == 429:
            raise UsedUp(int(answer.headers["retry-after"]))
        found: str = self._good(answer)["translations"][locale]["title"]
        return found

    async def _post(self, key: str, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._http.post(path, json=body, headers={"X-API-Key": key})
        except httpx.HTTPError as error:
            raise BillingFailed(str(error)) from error

    def _good(self, answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise BillingFailed(f"the billing API answered {answer.status_code}")
        return answer.json()
