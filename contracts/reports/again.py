"""What it takes to do a finding's steps again: where, with what names, after what is made ready. No secret is in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contracts.findings import Finding, Report
from contracts.target import HttpClock, HttpUsage, PythonClock, Target

BEGINNING = "2026-01-15T12:00:00Z"
"""Where the clocks of worlds stand that are made for a run."""


class Setup(msgspec.Struct, frozen=True):
    """control    URL of the control API in whose worlds the run worked; None where it made organizations below `org`
    names      `org`, `other_org`, `portal`
    scenario, settings, now   what a world starts from, and where its clock stands then
    clock      URL, or `module:function`; `clock_headers`, `usage_headers`, `headers`: names of headers that need values
    command    what starts a run like this one
    """

    url: str
    api: str = "openapp"
    command: str = "mockbill contract run"
    names: Mapping[str, str] = {}
    roles: tuple[str, ...] = ()
    control: str | None = None
    needs_token: bool = False
    scenario: str = "demo"
    settings: Mapping[str, Any] = {}
    now: str = BEGINNING
    clock: str | None = None
    clock_headers: tuple[str, ...] = ()
    usage: str | None = None
    usage_headers: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The API's base path."""
        return urlsplit(self.url).path.rstrip("/")


def setup_of(target: Target, now: str = BEGINNING, command: str | None = None) -> Setup:
    """`now`: where the clocks of a run's worlds stand at first. `command`: as the user would type it."""
    ports, control = target.ports, target.ports.control
    clock = ports.clock
    names = {"org": target.org, "other_org": target.other_org, "portal": target.portal}
    call = clock.call if isinstance(clock, PythonClock) else None
    return Setup(
        url=target.url,
        api=target.api,
        command=command or f"mockbill contract run --url {shlex.quote(target.url)} --api {target.api}",
        names={name: value for name, value in names.items() if value is not None},
        roles=tuple(target.credentials),
        control=None if control is None else control.url.rstrip("/"),
        needs_token=control is not None and control.token is not None,
        scenario="demo" if control is None else control.scenario,
        settings=dict(target.facts.settings) if control is not None else {},
        now=now,
        clock=clock.url if isinstance(clock, HttpClock) else call if isinstance(call, str) else None,
        clock_headers=tuple(clock.headers) if isinstance(clock, HttpClock) else (),
        usage=ports.usage.url if isinstance(ports.usage, HttpUsage) else None,
        usage_headers=tuple(ports.usage.headers) if isinstance(ports.usage, HttpUsage) else (),
        headers=tuple(target.extra_headers),
    )


def command_for(finding: Finding, report: Report, setup: Setup) -> str:
    """What runs only this law again, in the same way."""
    profile = "" if report.profile == "quick" else f" --profile {shlex.quote(report.profile)}"
    return f"{setup.command}{profile} --law {shlex.quote(finding.law)} --seed {finding.seed}"
