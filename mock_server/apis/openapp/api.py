"""OpenApp, as the server takes it in."""

from __future__ import annotations

from mock_server.api import Api
from mock_server.http.envelope import render

from .codec import dump, load
from .credentials import CHALLENGE, identify, shown, token, token_form
from .handlers import HANDLERS
from .initial import initial_state
from .model.causes import CAUSES
from .model.consumption import consumed, key_used
from .model.deletion import PURGE_JOB, purge_due
from .model.differences import compared
from .model.explanations import explained
from .model.lifecycle import STAGE_JOB, rescheduled, stage_ends
from .model.overrides import EXPIRY_JOB, override_expires
from .model.scripting import EXECUTION_JOB, moves_on
from .model.state import Settings
from .pages import checkout_page, portal_page
from .probe import probe
from .told import TOPICS, told

API = Api(
    name="openapp",
    title="OpenApp billing",
    # The oldest client libraries put the base path into their token, or leave it out and call from the root.
    base_paths=("/api/v1", ""),
    handlers=HANDLERS,
    token=token,
    identify=identify,
    challenge=CHALLENGE,
    render=render,
    initial_state=initial_state,
    settings=Settings,
    dump=dump,
    load=load,
    credentials=shown,
    token_form=token_form,
    probe=probe,
    pages={"checkout": checkout_page, "portal": portal_page},
    jobs={
        EXPIRY_JOB: override_expires,
        STAGE_JOB: stage_ends,
        PURGE_JOB: purge_due,
        EXECUTION_JOB: moves_on,
    },
    key_used=key_used,
    reconsidered=rescheduled,
    consumed=consumed,
    compared=compared,
    causes=CAUSES,
    explained=explained,
    told=told,
    topics=TOPICS,
)
