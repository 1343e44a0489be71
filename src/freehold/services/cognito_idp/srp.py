"""SRP-6a as Cognito's clients speak it: group 15 of RFC 3526, SHA-256, and a key derived by HKDF.

Source: RFC 5054; the clients that AWS publishes (amazon-cognito-identity-js and the SDKs of Amplify), whose paddings
and labels decide. One decision to know: the verifier is the only form in which a password is kept. A password that is
sent is checked by computing its verifier again, so that every way to sign in has one truth.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

_N_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
N = int(_N_HEX, 16)
G = 2
_INFO = b"Caldera Derived Key\x01"
_KEY_BYTES = 16
SALT_HEX_DIGITS = 32
PRIVATE_HEX_DIGITS = 64  # RFC 5054 asks for 256 bits at least; more cost time and win nothing.


@dataclass(frozen=True, slots=True)
class Verifier:
    salt: str  # Hexadecimal.
    verifier: str  # Hexadecimal.


def make_verifier(pool_name: str, username: str, password: str, salt: str) -> Verifier:
    """`pool_name` is what follows the underscore of the pool's id."""
    return Verifier(salt, format(pow(G, _private_key(pool_name, username, password, salt), N), "x"))


def is_password(pool_name: str, username: str, password: str, known: Verifier) -> bool:
    made = make_verifier(pool_name, username, password, known.salt)
    return hmac.compare_digest(made.verifier, known.verifier)


def server_public(verifier: Verifier, private: int) -> int:
    """B = k*v + g^b."""
    return (_K * int(verifier.verifier, 16) + pow(G, private, N)) % N


def is_public(value: int) -> bool:
    """A client's A that is a multiple of N would make the shared secret known to everybody."""
    return value % N != 0


def claim_key(verifier: Verifier, client_public: int, private: int, public: int) -> bytes:
    """What the client proves to know: from S = (A * v^u)^b. `public` is the server's B of `private`."""
    scramble = int(_hash(padded(client_public) + padded(public)), 16)
    shared = pow(client_public * pow(int(verifier.verifier, 16), scramble, N), private, N)
    first = hmac.new(padded(scramble), padded(shared), hashlib.sha256).digest()
    return hmac.new(first, _INFO, hashlib.sha256).digest()[:_KEY_BYTES]


def claim_signature(key: bytes, pool_name: str, user_id: str, secret_block: bytes, timestamp: str) -> str:
    message = pool_name.encode() + user_id.encode() + secret_block + timestamp.encode()
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def padded(number: int) -> bytes:
    """Big endian, with a zero byte in front where the first bit is set: as a signed number is written."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _private_key(pool_name: str, username: str, password: str, salt: str) -> int:
    inner = hashlib.sha256(f"{pool_name}{username}:{password}".encode()).digest()
    return int(_hash(padded(int(salt, 16)) + inner), 16)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_K = int(_hash(padded(N) + padded(G)), 16)
