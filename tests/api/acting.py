"""Something to do in a world, as hypothesis draws it: acts that change it, and what they were answered."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .client import ACME, Answer, World

Act = tuple[str, Any]
NAMES = st.one_of(
    st.sampled_from(["Attic", "é\U0001f600", "a\u2028b", "a\x7fb", "a\x85b", "\\ud83d", "1e5", "null", "'\"\\/"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
)
QUOTAS = st.sampled_from(["devices", "zones", "door_opens"])
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("upgrade"), st.sampled_from(["starter", "pro", "business", "free"])),
    st.tuples(st.just("zone"), NAMES),
    st.tuples(st.just("user"), NAMES),
    st.tuples(st.just("script"), NAMES),
    st.tuples(st.just("key"), st.sampled_from(["PT1H", "30d", None])),
    st.tuples(st.just("override"), st.tuples(QUOTAS, st.integers(0, 9), st.integers(1, 90))),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(st.just("usage"), st.integers(1, 30)),
    st.tuples(st.just("advance"), st.sampled_from(["PT1M", "PT1H", "P1D", "P20D", "P2M"])),
)


def do(world: World, act: Act) -> Answer:
    """The same act in the same world has the same answer, byte for byte."""
    what, how = act
    headers = {"x-correlation-id": "same"}

    def call(method: str, path: str, json: Any = ..., key: str = "demo-owner") -> Answer:
        return world.call(method, path, key, headers=headers, json=json)

    if what == "upgrade":
        return call("POST", f"/orgs/{ACME}/billing/checkout", {"tier_slug": how})
    if what == "zone":
        return call("POST", "/zones", {"name": how})
    if what == "user":
        return call("POST", "/users", {"name": how, "phone": "+491700000000"})
    if what == "script":
        return call("POST", "/scripting/executions", {"script": how})
    if what == "key":
        return call("POST", "/api-keys", {"name": "ci", **({} if how is None else {"expires_in": how})})
    if what == "override":
        quota, limit, days = how
        day = world.control("GET", "/clock").json["now"][:10]
        body = {"subject_type": "org", "subject_id": ACME, "quota_key": quota, "limit_value": limit}
        expires = f"{int(day[:4]) + 1}-01-{days % 28 + 1:02}T00:00:00Z"
        return call("POST", "/admin/quota_overrides", {**body, "expires_at": expires}, "demo-operator")
    if what == "delete":
        rows = world.call("GET", "/zones").json["items"]
        return call("DELETE", f"/zones/{rows[how % len(rows)]['id'] if rows else 'none'}")
    if what == "usage":
        return world.control("POST", "/usage", headers=headers, json={"org": ACME, "key": "door_opens", "amount": how})
    return world.control("POST", "/clock", headers=headers, json={"advance": how})


def read(world: World) -> list[Any]:
    """What a world answers to those who only look."""
    paths = ["/zones", "/users", "/api-keys", "/scripting/executions", "/orgs", "/integrations"]
    paths += [f"/orgs/{ACME}/billing/{each}" for each in ("plan", "usage", "upgrade-options", "degradation")]
    answers = [world.call("GET", path, headers={"x-correlation-id": "same"}).body for path in paths]
    return [*answers, world.control("GET", "/state").json, world.control("GET", "/clock").json]
