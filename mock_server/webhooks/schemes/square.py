"""Square: `x-square-hmacsha256-signature: <base64>`, HMAC-SHA256 over the notification URL and the raw body.

The URL is the one that the subscription names, letter by letter, whatever a proxy made of it. No time is signed.
"""

from .hmacs import Hmac

SCHEME = Hmac("square", "Square", "x-square-hmacsha256-signature", signed="{url}{body}", encoding="base64")
