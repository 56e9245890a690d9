"""Keys: a ring of master keys, and envelope encryption under keys derived from them.

Every sealed thing has a random data key of its own; the data key is wrapped by AES-256-GCM under a key that HKDF-SHA256
(RFC 5869) derives from a master key and a label, so that two users of the ring can never open each other's things. The
context (for example the call's id) is authenticated: what is moved to another place does not open there.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE_NAME = "master.keys"
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_BYTES = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES


class KeyRefused(Exception):
    """The master keys cannot be used; the message is one sentence for the operator and holds no key."""


class NotAuthentic(ValueError):
    """Sealed bytes were changed, moved to another context, or belong to another key ring."""


class DataKey:
    """The key of one call or one party."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, clear: bytes, context: bytes) -> bytes:
        """Nonce and ciphertext, bound to the context."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, clear, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The clear bytes. Raises NotAuthentic."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise NotAuthentic("sealed data does not belong here or was changed") from None


class Sealer:
    """Envelope encryption under one label of the ring."""

    def __init__(self, masters: Mapping[int, bytes], label: str) -> None:
        self._wrappers = {name: DataKey(_derive(key, f"{label} wrap")) for name, key in masters.items()}
        self._newest = max(masters)
        # Tags are looked up for ever, so a rotation must not change them: they hang on the oldest key.
        self._tag_key = _derive(masters[min(masters)], f"{label} tag")

    def new_key(self, context: bytes) -> tuple[DataKey, bytes]:
        """A random data key, ready to use, and the same key wrapped for storage."""
        key = secrets.token_bytes(KEY_BYTES)
        wrapped = bytes([self._newest]) + self._wrappers[self._newest].seal(key, b"key\0" + context)
        return DataKey(key), wrapped

    def unwrap(self, wrapped: bytes, context: bytes) -> DataKey:
        """The data key back. Raises NotAuthentic."""
        wrapper = self._wrappers.get(wrapped[0]) if wrapped else None
        if wrapper is None:
            raise NotAuthentic("sealed under a master key that is not in the ring")
        return DataKey(wrapper.open(wrapped[1:], b"key\0" + context))

    def seal(self, clear: bytes, context: bytes) -> bytes:
        """The clear bytes under a data key of their own, with that key wrapped in front."""
        key, wrapped = self.new_key(context)
        return wrapped + key.seal(clear, b"data\0" + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given. Raises NotAuthentic."""
        key = self.unwrap(sealed[:WRAPPED_BYTES], context)
        return key.open(sealed[WRAPPED_BYTES:], b"data\0" + context)

    def tag(self, clear: bytes, context: bytes) -> bytes:
        """Keyed HMAC-SHA256: equal for equal input, useless without the key."""
        return hmac.new(self._tag_key, len(context).to_bytes(4) + context + clear, hashlib.sha256).digest()


class KeyRing:
    """Master keys by number: the highest seals, every one opens. To rotate, add a key; never remove one in use."""

    def __init__(self, masters: Mapping[int, bytes]) -> None:
        if not masters or any(len(key) != KEY_BYTES or not 0 < name < 256 for name, key in masters.items()):
            raise KeyRefused("a key ring needs keys of 32 bytes, numbered 1 to 255")
        self._masters = dict(masters)

    def __repr__(self) -> str:
        return f"KeyRing({len(self._masters)} hidden)"

    def sealer(self, label: str) -> Sealer:
        """Envelope encryption for one purpose, for example "records journal"."""
        return Sealer(self._masters, label)


def keys_from_folder(folder: Path) -> KeyRing:
    """The ring in the folder's key file, made at first start. Raises KeyRefused."""
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        return keys_from_text(_read_private(path), str(path))
    except OSError as error:
        raise KeyRefused(f"The key file {path} cannot be used: {error.strerror}.") from error


def keys_from_environment(name: str, environ: Mapping[str, str]) -> KeyRing:
    """The ring in an environment variable: the same text as in the file. Raises KeyRefused."""
    if not environ.get(name, "").strip():
        raise KeyRefused(f"The environment variable {name} holds no key.")
    return keys_from_text(environ[name], f"the environment variable {name}")


def keys_from_text(text: str, origin: str) -> KeyRing:
    """Words "number:base64 of 32 bytes", separated by white space. Raises KeyRefused."""
    masters: dict[int, bytes] = {}
    for word in text.split():
        name, _, encoded = word.partition(":")
        try:
            number, key = int(name), base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            number, key = 0, b""
        if len(key) != KEY_BYTES or not 0 < number < 256 or number in masters:
            raise KeyRefused(f"In {origin}, key {len(masters) + 1} is not of the form number:base64 of 32 bytes.")
        masters[number] = key
    if not masters:
        raise KeyRefused(f"In {origin} there is no key.")
    return KeyRing(masters)


def _derive(master: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"triageline 1 " + label.encode()).derive(master)


def _create(path: Path) -> None:
    """Write a first key; where two processes start at once, the first one's file wins and is never half written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_private(path: Path) -> str:
    """The file's text. Raises KeyRefused where somebody else can read or replace it."""
    with path.open(encoding="ascii", errors="replace") as file:
        about = os.fstat(file.fileno())
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise KeyRefused(f"The key file {path} can be read by others: run chmod 600 on it and start again.")
        if about.st_uid not in (0, os.geteuid()):
            raise KeyRefused(f"The key file {path} belongs to another user: run chown on it and start again.")
        return file.read()
