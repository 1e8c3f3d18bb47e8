"""A second implementation of the OpenApp billing API, for testing the contract tests.

It shares no code with the product: it was written from the OpenAPI document (`openapp.json`, a copy of the bundle) and
the user documentation alone. Start it with

    python -m tests.contracts.other_server --port 0 --catalog fixtures/catalogs/openapp.yaml

It prints one line, `ready http://127.0.0.1:PORT`. Outside the contract it has `GET` and `POST /test/clock`
(`{"set": "<RFC 3339>"}` or `{"advance": "<ISO 8601 duration>"}`; the clock stands still otherwise) and
`POST /test/usage` (`{"org", "key", "amount"}` and, for a quota per session, `session`).

DECISIONS, where the sources say nothing or two things:

Requests
- Every refusal of a request that names no operation has the API's envelope, outside `/api/v1` too.
- A body that is needed but empty is 400 without a Content-Type or with JSON's, else 415. Empty optional ones are absent.
- A known parameter given twice is 400. Numbers are decimal digits without leading zeros; booleans `true` or `false`.
- A body of an operation that takes none is not looked at.
- `X-API-Key` twice is 401; an `X-API-Key` that is not known is 401 whatever `Authorization` says.
- What depends on the organization (`unknown_tier`, `nesting_too_deep`) is refused after 403 and 404, what does not
  (`org_mismatch`, expiries, `unknown_role`, all about overrides) before.

Callers
- An operator may do everything, and has no organization. `demo-member` may list and read devices and entities, and open.
- Owners have all permissions that operations name, and `admin`; not the roles that no operation asks for.
- A key has its maker's permissions at the time it was made. Grantable roles are those of the published client, so
  `billing:read` or `execute` are `unknown_role`. A key's key is cut to its maker's expiry; entities outside its maker's
  scope are 403. An operator without `scoped_roles` is 400 `invalid_request`.
- A key for certain entities gets 403 also for deleting or purging what others hang on.
- Revoked keys are not purged by themselves. Expired ones count until they are revoked.

Resources
- An entity belongs to its device's organization; without `X-Org` the device may be in any organization within reach.
- Deleting a zone takes everything out of it, deleted things too. A zone restored without its integration leaves it.
- Organizations are nested eight deep counting the topmost. Deleting a user takes it out of the caller's organizations.
- `roles: {}` is like no roles. There is no limit of 10,000.
- A repeated action is recognized per entity and `Idempotency-Key`, by action and body, whoever calls; `open` is
  `switchable.open`, and answers call it that. An absent body is an empty one.
- A script without a result gives null. A result that is not JSON is given as text. Failing goes before a result.

Quotas
- A report has the documented windows, and `week` (or another) where the tier or an override limits it just now.
- Overrides can be set for the documented windows and, of what is metered by calendar, for `week`.
- Of full windows that last equally long the first key's is named.
- `per_session` reports the largest session. `/test/usage` without a session is a session of its own.

Lifecycle
- Resources are chosen anew with each change of what is held or allowed and with policies and pins, not with each use.
- What was never used counts as used when it was made. `manual` flags the newest released ones, not more than the excess.
- A new flag in a later stage has that stage's state at once. Too many users alone bring the stages too.
- Delays are rounded to whole milliseconds; a delay of none is not mentioned.

Billing
- A subscription keeps its ids through changes of tier; after `canceled` a checkout makes a new one. A checkout for the
  current tier changes nothing, `past_due` included. A canceled subscription keeps the tier that it was for.
- Webhooks: signatures from the future are taken. `created` may be missing: now. `trialing` is `active`, `incomplete` is
  `pending` and changes no tier, `incomplete_expired` and `canceled` end it. A cancellation counts wholly though an
  invoice overtook it. An invoice, or the end, of another subscription than the organization's changes nothing.
"""
