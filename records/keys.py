"""Keys: a ring of master keys, and envelope encryption under keys derived from them.

Every sealed thing has a random data key of its own; the data key is wrapped by AES-256-GCM under a key that HKDF-SHA256
(RFC 5869) derives from a master key and a label, so that two users of the ring can never open each other's things. The
context (for example the call's id) is authenticated: what is moved to another place does not open there.
"""

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE_NAME = "master.keys"
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
MOST_KEYS = 255
WRAPPED_BYTES = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES


Masters = Callable[[], Mapping[int, bytes]]


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

    def __init__(self, masters: Mapping[int, bytes], label: str, again: Masters | None = None) -> None:
        """`again`: reads the ring anew, where a key is met that is not in it: keys are added while processes run."""
        self._label = label
        self._again = again
        self._masters = dict(masters)
        self._wrappers = {name: DataKey(_derive(key, f"{label} wrap")) for name, key in masters.items()}
        self._newest = max(masters)
        # Tags are looked up for ever, so a rotation must not change them: they hang on the oldest key.
        self._oldest = min(masters)
        self._tag_keys = {self._oldest: _derive(masters[self._oldest], f"{label} tag")}

    @property
    def oldest(self) -> int:
        """Number of the key on which `tag` hangs."""
        return self._oldest

    def new_key(self, context: bytes) -> tuple[DataKey, bytes]:
        """A random data key, ready to use, and the same key wrapped for storage."""
        key = secrets.token_bytes(KEY_BYTES)
        wrapped = bytes([self._newest]) + self._wrappers[self._newest].seal(key, b"key\0" + context)
        return DataKey(key), wrapped

    def unwrap(self, wrapped: bytes, context: bytes) -> DataKey:
        """The data key back. Raises NotAuthentic."""
        if not wrapped or not self._knows(wrapped[0]):
            raise NotAuthentic("sealed under a master key that is not in the ring")
        wrapper = self._wrappers[wrapped[0]]
        return DataKey(wrapper.open(wrapped[1:], b"key\0" + context))

    def seal(self, clear: bytes, context: bytes) -> bytes:
        """The clear bytes under a data key of their own, with that key wrapped in front."""
        key, wrapped = self.new_key(context)
        return wrapped + key.seal(clear, b"data\0" + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given. Raises NotAuthentic."""
        key = self.unwrap(sealed[:WRAPPED_BYTES], context)
        return key.open(sealed[WRAPPED_BYTES:], b"data\0" + context)

    def rewrap(self, sealed: bytes, context: bytes) -> bytes:
        """The same sealed bytes with their data key wrapped by the newest master key. Raises NotAuthentic."""
        inner = b"key\0" + context
        wrapped, rest = sealed[:WRAPPED_BYTES], sealed[WRAPPED_BYTES:]
        if not wrapped or not self._knows(wrapped[0]):
            raise NotAuthentic("sealed under a master key that is not in the ring")
        key = self._wrappers[wrapped[0]].open(wrapped[1:], inner)
        DataKey(key).open(rest, b"data\0" + context)
        return bytes([self._newest]) + self._wrappers[self._newest].seal(key, inner) + rest

    def tag(self, clear: bytes, context: bytes) -> bytes:
        """Keyed HMAC-SHA256: equal for equal input, useless without the key."""
        return self.tag_by(self._oldest, clear, context)

    def tag_by(self, number: int, clear: bytes, context: bytes) -> bytes:
        """The same under one master key, for those who turn their tags over to another. Raises KeyError where the ring
        has no such key."""
        if not self._knows(number):
            raise KeyError("there is no such master key in the ring")
        if number not in self._tag_keys:
            self._tag_keys[number] = _derive(self._masters[number], f"{self._label} tag")
        text = len(context).to_bytes(4) + context + clear
        return hmac.new(self._tag_keys[number], text, hashlib.sha256).digest()

    def _knows(self, number: int) -> bool:
        """Whether the ring has a key, perhaps since a moment ago. Keys are added, never changed."""
        if number in self._masters or self._again is None:
            return number in self._masters
        try:
            found = self._again()
        except (KeyRefused, OSError):
            return False
        for name in found.keys() - self._masters.keys():
            self._masters[name] = found[name]
            self._wrappers[name] = DataKey(_derive(found[name], f"{self._label} wrap"))
        self._newest = max(self._masters)
        return number in self._masters


class KeyRing:
    """Master keys by number: the highest seals, every one opens. To rotate, add a key; never remove one in use."""

    def __init__(self, masters: Mapping[int, bytes], again: Masters | None = None) -> None:
        """`again`: reads them anew."""
        if not masters or any(len(key) != KEY_BYTES or not 0 < name < 256 for name, key in masters.items()):
            raise KeyRefused("a key ring needs keys of 32 bytes, numbered 1 to 255")
        self._masters = dict(masters)
        self._again = again

    def __repr__(self) -> str:
        return f"KeyRing({len(self._masters)} hidden)"

    def sealer(self, label: str) -> Sealer:
        """Envelope encryption for one purpose, for example "records journal"."""
        return Sealer(self._masters, label, self._again)


def keys_from_folder(folder: Path) -> KeyRing:
    """The ring in the folder's key file, made at first start. Raises KeyRefused."""
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        masters = _parse(_read_private(path), str(path))
        return KeyRing(masters, lambda: _parse(_read_private(path), str(path)))
    except OSError as error:
        raise KeyRefused(f"The key file {path} cannot be used: {error.strerror}.") from error


def keys_from_environment(name: str, environ: Mapping[str, str]) -> KeyRing:
    """The ring in an environment variable: the same text as in the file. Raises KeyRefused."""
    if not environ.get(name, "").strip():
        raise KeyRefused(f"The environment variable {name} holds no key.")
    return keys_from_text(environ[name], f"the environment variable {name}")


def keys_from_text(text: str, origin: str) -> KeyRing:
    """Words "number:base64 of 32 bytes", separated by white space. Raises KeyRefused."""
    return KeyRing(_parse(text, origin))


def add_key(folder: Path) -> int:
    """One more random key in the folder's ring, which seals from now on; its number. Processes that run find it when
    they need it. The file is replaced whole or not at all. Raises KeyRefused."""
    path = folder / FILE_NAME
    keys_from_folder(folder)
    with (folder / f".{FILE_NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            masters = _parse(_read_private(path), str(path))
            if (number := max(masters) + 1) > MOST_KEYS:
                raise KeyRefused(f"The key file {path} holds {MOST_KEYS} keys; no more can be added.")
            masters[number] = secrets.token_bytes(KEY_BYTES)
            draft = _draft(path, masters)
            draft.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise KeyRefused(f"The key file {path} cannot be written: {error.strerror}.") from error
    return number


def _parse(text: str, origin: str) -> dict[int, bytes]:
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
    return masters


def _derive(master: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"triageline 1 " + label.encode()).derive(master)


def _create(path: Path) -> None:
    """Write a first key; where two processes start at once, the first one's file wins and is never half written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, {1: secrets.token_bytes(KEY_BYTES)})
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _draft(path: Path, masters: Mapping[int, bytes]) -> Path:
    """The file's new contents beside it, on the disk."""
    draft = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(f"{name}:{base64.b64encode(key).decode()}\n" for name, key in sorted(masters.items()))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
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
