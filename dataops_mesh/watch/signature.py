"""Standard Webhooks: an event is signed, so that a receiver knows who sent it and when.

https://www.standardwebhooks.com: `webhook-signature: v1,<base64 of HMAC-SHA256 of
id.timestamp.body>`, with a secret that both sides know.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
_SHORTEST = 24  # bytes, as the standard says


def secret_problem(secret: str) -> str:
    """Return what is wrong with a secret, or nothing; never a part of it.

    >>> secret_problem("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    ''
    >>> secret_problem("hunter2")
    'is not base64 of at least 24 bytes, as `openssl rand -base64 32` makes it'
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _SHORTEST:
        return f"is not base64 of at least {_SHORTEST} bytes, as `openssl rand -base64 32` makes it"
    return ""


def signed_headers(secret: str, about: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers of a signed event.

    Args:
        secret: base64, with or without `whsec_` before it.
        about: the id of the event: the same when it is sent again.
        seconds: when it is sent, since 1970.
        body: exactly as it is sent.

    >>> found = signed_headers(
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ...     "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     1614265330,
    ...     b'{"test": 2432232314}',
    ... )
    >>> found["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{about}.{seconds}.".encode() + body
    found = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": about,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{found}",
    }
