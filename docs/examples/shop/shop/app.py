"""The shop's backend.

POST /accounts/{name}/plan {"tier": "pro"}             buy a plan; it is the customer's once the provider says so
GET  /accounts/{name}                                  plan and banner
GET  /accounts/{name}/report                           only with the plans in REPORT_PLANS
POST /accounts/{name}/translations {"title", "locale"} as often as the plan allows
POST /hooks/billing                                    what the provider has to say
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .accounts import Accounts
from .billing import Billing, BillingFailed, UnknownPlan, UsedUp
from .events import BadSignature, Unreadable, check_signature, fact_of

REPORT_PLANS = ("pro", "business")
LARGEST_EVENT = 2**20
BANNERS = {
    ("payment", "failed"): "Your last payment failed. Please look after your card.",
    ("capacity", "warned"): "You have more than your plan allows.",
    ("capacity", "degraded"): "You have more than your plan allows. It is slow until you upgrade.",
    ("capacity", "marked_for_delete"): "What your plan does not allow will be deleted soon.",
}


@dataclass(frozen=True)
class Customer:
    org_id: str
    key: str


@dataclass(frozen=True)
class Config:
    """`billing_url`: with the `/api/v1`. `customers` by the names that we have for them."""

    billing_url: str
    webhook_secret: str
    customers: Mapping[str, Customer]
    database: str = ":memory:"


def create_app(config: Config) -> Starlette:
    accounts, billing = Accounts(config.database), Billing(config.billing_url)

    def customer_of(request: Request) -> Customer:
        found = config.customers.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404, "no such account")
        return found

    def plan_of(customer: Customer) -> str:
        return accounts.known(customer.org_id, "plan", "free")

    async def get_account(request: Request) -> JSONResponse:
        customer = customer_of(request)
        known = [(about, accounts.known(customer.org_id, about, "")) for about in ("payment", "capacity")]
        banner = next((BANNERS[each] for each in known if each in BANNERS), None)
        return JSONResponse({"plan": plan_of(customer), "banner": banner})

    async def buy_plan(request: Request) -> JSONResponse:
        customer, tier = customer_of(request), (await request.json())["tier"]
        try:
            bought = await billing.buy(customer.key, customer.org_id, tier)
        except UnknownPlan:
            return JSONResponse({"error": "there is no such plan"}, 400)
        # Nothing is given yet: this answer can be lost, the provider's event cannot.
        return JSONResponse({"pay_at": bought.pay_at}, 202)

    async def get_report(request: Request) -> JSONResponse:
        plan = plan_of(customer_of(request))
        if plan not in REPORT_PLANS:
            return JSONResponse({"error": f"reports come with {' or '.join(REPORT_PLANS)}, not with {plan}"}, 403)
        return JSONResponse({"report": "all is well"})

    async def translate(request: Request) -> JSONResponse:
        customer, asked = customer_of(request), await request.json()
        try:
            title = await billing.translate(customer.key, asked["title"], asked["locale"])
        except UsedUp as used_up:
            error = {"error": "no translations left for now; a larger plan has more"}
            return JSONResponse(error, 429, {"Retry-After": str(used_up.again_in)})
        return JSONResponse({"title": title})

    async def billing_event(request: Request) -> JSONResponse:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_EVENT:
                return JSONResponse({"error": f"an event has at most {LARGEST_EVENT} bytes"}, 413)
        try:
            check_signature(body, request.headers.get("stripe-signature", ""), config.webhook_secret, time.time())
            fact = fact_of(body)
        except (BadSignature, Unreadable) as reason:
            return JSONResponse({"error": str(reason)}, 400)
        # Also what does not concern us is taken: refused, it would only be sent again.
        return JSONResponse({"outcome": "ignored" if fact is None else accounts.record(fact)})

    async def billing_failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "billing does not answer; please try again in a minute"}, 503)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await billing.close()
        accounts.close()

    return Starlette(
        routes=[
            Route("/accounts/{name}", get_account),
            Route("/accounts/{name}/plan", buy_plan, methods=["POST"]),
            Route("/accounts/{name}/report", get_report),
            Route("/accounts/{name}/translations", translate, methods=["POST"]),
            Route("/hooks/billing", billing_event, methods=["POST"]),
        ],
        exception_handlers={BillingFailed: billing_failed},
        lifespan=lifespan,
    )
