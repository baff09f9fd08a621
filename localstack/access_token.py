"""Prints an administrator's access token for a stack in an emulator: what the fixtures in events/ leave open.

The key and the claims are those of shared/auth, whose `TokenIssuer` this follows; a function that is sent the
token says at once whether it does.

    access_token.py STACK           the endpoint is that of AWS_ENDPOINT_URL
"""

import base64
import hashlib
import json
import secrets
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from administrator import administrator
from settings import outputs, session
from token_secret import token_secret

DERIVATION = b"shop access token ed25519 v1"
LIFETIME_SECONDS = 300


def main(stack: str) -> None:
    names = outputs(session(stack), stack)
    user, epoch = administrator(stack)
    seed = HKDF(SHA256(), length=32, salt=None, info=DERIVATION).derive(token_secret(stack).encode())
    key = Ed25519PrivateKey.from_private_bytes(seed)
    key_id = base64url(hashlib.sha256(key.public_key().public_bytes_raw()).digest()[:9])
    now = int(time.time())
    header = {"typ": "at+jwt", "alg": "EdDSA", "kid": key_id}
    claims = {"iss": names["TokenIssuer"], "aud": names["TokenAudience"], "sub": user, "role": "admin",
              "epoch": epoch, "client_id": "shop", "jti": secrets.token_urlsafe(16),
              "iat": now, "nbf": now, "exp": now + LIFETIME_SECONDS}
    signed = f"{base64url(compact(header))}.{base64url(compact(claims))}"
    print(f"{signed}.{base64url(key.sign(signed.encode()))}")


def compact(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
