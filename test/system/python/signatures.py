"""Checks signatures and event logs as the profile describes them (fo 9.4), with no code in common with the gateway."""

import base64
import hashlib
import json
import math
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIRST_HASH = "0" * 64


def canonical(value: Any) -> str:
    """The canonical form of JSON (RFC 8785)."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """A number as ECMAScript writes it."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    if value == 0:
        return "0"
    digits, exponent = f"{value!r}e0".split("e")[:2]
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    # The value is 0.<significant> · 10 ** point.
    point = len(whole) + int(exponent)
    significant = whole + fraction
    shorter = significant.lstrip("0")
    point -= len(significant) - len(shorter)
    shorter = shorter.rstrip("0")
    count = len(shorter)
    if 0 < point <= 21:
        text = shorter.ljust(point, "0") if count <= point else f"{shorter[:point]}.{shorter[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{shorter}"
    else:
        mantissa = shorter if count == 1 else f"{shorter[0]}.{shorter[1:]}"
        text = f"{mantissa}e{point - 1:+d}"
    return sign + text


def thumbprint(jwk: dict[str, str]) -> str:
    """The name of a key (RFC 7638)."""
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    return encoded(hashlib.sha256(canonical(required).encode()).digest())


def problem(envelope: dict[str, Any], jwks: dict[str, Any]) -> str | None:
    """Why the signature of an envelope does not hold, or None."""
    signature = envelope.get("signature")
    if signature is None:
        return "it is not signed"
    if signature["alg"] != "EdDSA":
        return f"{signature['alg']} is not expected here"
    jwk = next((k for k in jwks["keys"] if thumbprint(k) == signature["keyId"]), None)
    if jwk is None:
        return f"the key {signature['keyId']} is not published"
    signed = "\n".join((envelope["type"], envelope["messageId"], canonical(envelope["body"])))
    try:
        Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify(decoded(signature["value"]), signed.encode())
    except InvalidSignature:
        return "the signature does not fit"
    return None


def chain_problem(entries: list[dict[str, Any]], head: str) -> str | None:
    """Why the entries, from the first on, are no chain that ends with the hash `head`, or None."""
    previous = FIRST_HASH
    for seq, entry in enumerate(entries, 1):
        if entry["logSeq"] != seq:
            return f"entry {seq} has the number {entry['logSeq']}"
        if entry["prevHash"] != previous:
            return f"entry {seq} does not follow the one before"
        content = {key: value for key, value in entry.items() if key != "hash"}
        previous = hashlib.sha256(canonical(content).encode()).hexdigest()
        if entry["hash"] != previous:
            return f"entry {seq} was changed"
    return None if previous == head else "the chain ends elsewhere"


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
