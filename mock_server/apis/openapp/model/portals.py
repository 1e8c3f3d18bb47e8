"""GET /public/access/portals/{publicPortalId}: a door's public page. Anybody may look, and each look is counted."""

from __future__ import annotations

from mock_server.engine.decisions import Accepted, Context, Refused

from .lifetimes import Answer
from .metering import crossed, metered, with_meters
from .problems import NO_SUCH
from .state import OpenApp
from .views import portal as view

VIEW = {"portal_views": 1}


def view_portal(state: OpenApp, context: Context, portal_id: str) -> Answer:
    """PublicPortalResponse. The view is charged to the organization whose portal it is."""
    portal = state.portals.get(portal_id)
    if portal is None:
        return Refused(NO_SUCH(_noun="public portal", resource="portals", id=portal_id))
    org = state.orgs[portal.org_id]
    meters = metered(state, org, VIEW, context.now)
    if isinstance(meters, Refused):
        return meters
    return Accepted(with_meters(state, org, meters), view(portal), crossed(state, org, VIEW, meters, context.now))
