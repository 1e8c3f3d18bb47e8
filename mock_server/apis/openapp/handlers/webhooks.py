"""/billing/webhooks/{provider}: what the payment provider sends, trusted by its signature alone."""

from __future__ import annotations

from mock_server.apis.openapp.model.webhook_ingress import receive
from mock_server.http.bodies import parse_json
from mock_server.http.exchange import Call, Reply


async def post_webhook(call: Call) -> Reply:
    provider, headers = call.path["provider"], call.header_map()
    # A provider that signs the URL has been told one of these; behind a proxy, `--public-url` says how they begin.
    urls = [f"{call.base_url}{base}/billing/webhooks/{provider}" for base in call.api.base_paths]
    return Reply(
        call.decide(lambda state, context: receive(state, context, provider, headers, call.raw, parse_json, urls))
    )
