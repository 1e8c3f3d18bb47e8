"""`mockbill webhook`: the commands here work on files and addresses; those of `mock_server.commands` ask a running mock."""

from __future__ import annotations

from mock_server.commands import webhooks as asked
from mock_server.commands.groups import group

from .capture import capture, redact
from .gauntlet import gauntlet
from .importing import import_
from .replay import replay
from .schemes import schemes
from .sign import sign
from .verify import verify

webhook = group(
    "Webhooks: signed, verified, captured, replayed, sent and tried.",
    "mockbill webhook verify capture.json --secret whsec_...",
)
webhook.command("emit", epilog="Example:  mockbill webhook emit --event invoice.paid --to http://127.0.0.1:8000/hooks")(
    asked.emit
)
webhook.command("deliveries", epilog="Example:  mockbill webhook deliveries --state pending")(asked.deliveries)
webhook.command("redeliver", epilog="Example:  mockbill webhook redeliver delivery-1")(asked.redeliver)
webhook.add_typer(asked.endpoints, name="endpoints")
webhook.command(
    "gauntlet",
    epilog="Example:  mockbill webhook gauntlet --to http://127.0.0.1:8000/hooks --provider stripe --secret whsec_...",
)(gauntlet)
webhook.command(
    "capture",
    epilog="Example:  mockbill webhook capture --port 4020 --forward http://localhost:8000/hooks --out captures/",
)(capture)
webhook.command("redact", epilog="Example:  mockbill webhook redact captures/*.json --out shown/")(redact)
webhook.command("import", epilog="Example:  mockbill webhook import session.har --out captures/")(import_)
webhook.command("replay", epilog="Example:  mockbill webhook replay captures/*.json --to http://127.0.0.1:8000/hooks")(
    replay
)
webhook.command("verify", epilog="Example:  mockbill webhook verify capture.json --secret whsec_...")(verify)
webhook.command("sign", epilog="Example:  mockbill webhook sign event.json --provider stripe --secret whsec_...")(sign)
webhook.command("schemes", epilog="Example:  mockbill webhook schemes stripe")(schemes)
