"""POST .../billing/portal: a link to the provider's customer portal, where the provider has one."""

from __future__ import annotations

from urllib.parse import quote

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Emit, Refused

from .access import reachable_org
from .problems import PORTAL_UNAVAILABLE
from .state import OpenApp


def portal(
    state: OpenApp, context: Context, caller: Caller, org_id: str, return_url: str, base_url: str
) -> Accepted[OpenApp, dict[str, str]] | Refused:
    """PortalResponse. Every call opens a session of its own, as providers do."""
    org = reachable_org(state, caller, org_id)
    if isinstance(org, Refused):
        return org
    if state.settings.portal == "off":
        return Refused(PORTAL_UNAVAILABLE())
    url = f"{base_url}/portal/ps_{context.id()}?return_url={quote(return_url, safe='')}"
    return Accepted(state, {"url": url}, (Emit("portal.opened", org.id, {"org_id": org.id}),))
