"""All that stands between a socket and a handler: addressing, routes, credentials, validation, checks, the journal."""
