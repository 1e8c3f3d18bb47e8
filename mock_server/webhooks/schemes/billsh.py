"""bill.sh, outgoing: `X-Billing-Signature: <hex>`, HMAC-SHA256 over the raw body under the UTF-8 of the `whsec_...` secret.

No prefix, no time (facts: e).
"""

from .hmacs import Hmac

SCHEME = Hmac("billsh", "bill.sh", "X-Billing-Signature")
