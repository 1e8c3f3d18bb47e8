"""POST /ai/translate-locale-content, POST /reverse-geocode: metered services with made-up but steady answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.engine.callers import Caller
from mock_server.engine.decisions import Accepted, Context, Refused

from .access import org_in_question
from .lifetimes import Answer
from .metering import crossed, metered, with_meters
from .state import OpenApp

PLACES = (
    ("Berlin", "Germany", 52.52, 13.405),
    ("Cairo", "Egypt", 30.044, 31.236),
    ("Chicago", "United States", 41.878, -87.63),
    ("Lagos", "Nigeria", 6.524, 3.379),
    ("Lisbon", "Portugal", 38.722, -9.139),
    ("London", "United Kingdom", 51.507, -0.128),
    ("Mumbai", "India", 19.076, 72.878),
    ("New York", "United States", 40.713, -74.006),
    ("Sao Paulo", "Brazil", -23.551, -46.633),
    ("Sydney", "Australia", -33.869, 151.209),
    ("Tel Aviv", "Israel", 32.085, 34.782),
    ("Tokyo", "Japan", 35.677, 139.65),
)


def translate(state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Mapping[str, Any]) -> Answer:
    """TranslateLocaleContentResponse: the texts, each marked with the language that it should be in."""
    translations = {
        locale: {"title": f"[{locale}] {body['title']}", "body": f"[{locale}] {body['body']}"}
        for locale in body["target_locales"]
    }
    return _charged(state, context, caller, x_org, "ai_requests", {"translations": translations})


def reverse_geocode(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, body: Mapping[str, Any]
) -> Answer:
    """ReverseGeocodeResponse: the nearest of a dozen cities."""
    lat, lng = body["lat"], body["lng"]
    city, country, *_ = min(PLACES, key=lambda place: (place[2] - lat) ** 2 + (place[3] - lng) ** 2)
    reply = {
        "city": city,
        "country": country,
        "formatted_address": f"1 Example Street, {city}, {country}",
        "lat": lat,
        "lng": lng,
        "geocoding_provider": "google",
        "provider_place_id": f"mock-{city.lower().replace(' ', '-')}",
    }
    return _charged(state, context, caller, x_org, "geocoding_requests", reply)


def _charged(
    state: OpenApp, context: Context, caller: Caller, x_org: str | None, key: str, reply: dict[str, Any]
) -> Answer:
    org = org_in_question(state, caller, x_org)
    if isinstance(org, Refused):
        return org
    meters = metered(state, org, {key: 1}, context.now)
    if isinstance(meters, Refused):
        return meters
    return Accepted(with_meters(state, org, meters), reply, crossed(state, org, {key: 1}, meters, context.now))
