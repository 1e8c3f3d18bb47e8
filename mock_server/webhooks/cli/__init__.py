"""`mockbill webhook`: the commands that work on files and addresses, without a mock that runs."""

from __future__ import annotations

from mock_server.commands.groups import group

webhook = group(
    "Webhooks: signed, verified, captured, replayed, sent and tried.",
    "mockbill webhook verify capture.json --secret whsec_...",
)
