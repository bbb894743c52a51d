"""The keys derived from one secret: the phone hash, and the signature of log-in cookies; and how secrets are hashed."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from service.settings import Settings

HASHER = PasswordHasher()


def secret_key(settings: Settings) -> str:
    """The secret of this installation: as set, or made once and kept in the data folder, readable by its owner only."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was first: its key is the one
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()


def derive(secret: str, purpose: str) -> bytes:
    """A key for one purpose (HMAC-SHA256), so that no key serves two."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def phone_hash(key: bytes, phone: str) -> str:
    """The keyed hash by which a phone number is looked up."""
    return hmac.new(key, phone.encode(), hashlib.sha256).hexdigest()


def hash_password(password: str) -> str:
    """Argon2id with the library's current defaults."""
    return HASHER.hash(password)


def password_matches(stored: str, password: str) -> bool:
    """Whether `password` is the one that was stored; constant work for a wrong one."""
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def digest(token: str) -> str:
    """How a random API key is stored: a plain SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
