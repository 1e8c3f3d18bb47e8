"""`python -m mock_server` is `mockbill`."""

from mock_server.cli import app

app(prog_name="mockbill")
