"""Signatures: who says that a bundle is the one that they made. Digests alone say only that nothing changed since.

An ed25519 signature (RFC 8032) stands in `hounsfield.sig` of the bundle and is over its name, its version and the digest of
all its other files. HOUNSFIELD_TRUSTED_KEYS names a file of public keys, one a line: 64 hexadecimal digits, then a name.
With HOUNSFIELD_REQUIRE_SIGNATURES every bundle that is opened must be signed by one of them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from hounsfield.core.errors import MissingModel, ModelError, ResultError, UsageError
from hounsfield.zoo.card_part import CardPart, Digest, Text

if TYPE_CHECKING:
    from hounsfield.zoo.bundle import Bundle

SIGNATURE_FILE = "hounsfield.sig"
KEYS_SETTING = "HOUNSFIELD_TRUSTED_KEYS"
REQUIRE_SETTING = "HOUNSFIELD_REQUIRE_SIGNATURES"
LARGEST_SIGNATURE_BYTES = 4096
LARGEST_KEYS_BYTES = 256 * 1024
# Words that leave the setting off. Whatever else it says requires signatures: a misspelt "yes" must not open a door.
_OFF = {"", "0", "no", "off", "false"}


class Signature(CardPart):
    """What `hounsfield.sig` holds; public_key (32 bytes) and signature (64 bytes) in hexadecimal digits."""

    algorithm: Literal["ed25519"] = "ed25519"
    name: Text
    version: Text
    digest: Digest
    public_key: Digest
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


@dataclass(frozen=True, slots=True)
class SignatureState:
    """What is known of a bundle's signature.

    state: "trusted" (right, by a trusted key), "unknown key" (right, by another), "wrong", "unsigned", or "unchecked" (the
    package that checks signatures is not installed).
    public_key: in hexadecimal digits, "" if unsigned. signer: name beside the trusted key. reason: why it is not trusted.
    """

    state: Literal["trusted", "unknown key", "wrong", "unsigned", "unchecked"]
    public_key: str = ""
    signer: str = ""
    reason: str = ""


def signatures_required() -> bool:
    """Whether the settings ask for a signature of every bundle that is opened."""
    return os.environ.get(REQUIRE_SETTING, "").strip().lower() not in _OFF


def trusted_keys() -> dict[str, str]:
    """Names of signers by public key, from the file that HOUNSFIELD_TRUSTED_KEYS names; empty where it is not set.

    Raises UsageError naming the line that is no key.
    """
    stated = os.environ.get(KEYS_SETTING)
    if not stated:
        return {}
    path = Path(stated).expanduser()
    if not path.is_file() or path.stat().st_size > LARGEST_KEYS_BYTES:
        raise UsageError(
            f"{KEYS_SETTING} names {path}, which is no file of keys (at most {LARGEST_KEYS_BYTES} bytes)"
        )
    keys: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        key, _, name = line.strip().partition(" ")
        if not key or key.startswith("#"):
            continue
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise UsageError(
                f"line {number} of {path.name} begins with no public key: 64 hexadecimal digits in small letters, as "
                "`hu models key` writes them"
            )
        keys[key] = name.strip()
    return keys


def signature_bytes(folder: Path) -> bytes | None:
    """What stands in the signature file of a bundle, to be copied with it; None without one or for one too long."""
    path = folder / SIGNATURE_FILE
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_SIGNATURE_BYTES:
        return None
    return path.read_bytes()


def require_signature(folder: Path, name: str, version: str, digest: str) -> None:
    """Where settings require signatures: raise ModelError unless a trusted key signed exactly this bundle."""
    if not signatures_required():
        return
    found = signature_state(folder, name, version, digest)
    if found.state != "trusted":
        raise ModelError(
            f"bundle {name} is not to be used: {found.reason} and {REQUIRE_SETTING} is set. Get a signed copy; or, if you "
            f"trust this one, sign it with `hu models sign {name} --key FILE`, or put the signer's public key into the file "
            f"that {KEYS_SETTING} names."
        )


def signature_state(folder: Path, name: str, version: str, digest: str) -> SignatureState:
    """Whether and by whom the bundle in `folder` is signed. name, version, digest: as verified just now."""
    path = folder / SIGNATURE_FILE
    if not path.is_file():
        return SignatureState("unsigned", reason="it has no signature")
    try:
        stated = Signature.model_validate(json.loads(signature_bytes(folder) or b""))
    except (ValidationError, ValueError, RecursionError):
        return SignatureState("wrong", reason=f"{SIGNATURE_FILE} holds no signature")
    key = stated.public_key
    if (stated.name, stated.version, stated.digest) != (name, version, digest):
        other = f"{stated.name} {stated.version}, digest {stated.digest[:12]}"
        return SignatureState(
            "wrong", key, reason=f"its signature is that of another bundle or of other files ({other})"
        )
    return _state_by_key(stated)


def _state_by_key(stated: Signature) -> SignatureState:
    """The state of a signature that is over the right bundle: made by its key, and is that key trusted."""
    key = stated.public_key
    try:
        is_right = _is_right(stated)
    except MissingModel as error:
        return SignatureState("unchecked", key, reason=f"its signature could not be checked ({error})")
    if not is_right:
        return SignatureState("wrong", key, reason="its signature was not made by the key that it names")
    keys = trusted_keys()
    if key not in keys:
        return SignatureState(
            "unknown key", key, reason=f"the key that signed it ({key}) is not trusted here"
        )
    return SignatureState("trusted", key, keys[key])


def sign_bundle(bundle: Bundle, key_file: Path) -> Signature:
    """Sign a verified bundle and write `hounsfield.sig` into its folder; a signature that is there is replaced.

    key_file: a private ed25519 key in PEM (PKCS #8) without a passphrase. Raises UsageError for anything else, ResultError
    where the folder cannot be written.
    """
    private = _private_key(key_file)
    public = private.public_key().public_bytes_raw().hex()
    made = Signature(
        name=bundle.name,
        version=bundle.version,
        digest=bundle.digest,
        public_key=public,
        signature=private.sign(_signed_text(bundle.name, bundle.version, bundle.digest)).hex(),
    )
    path = bundle.folder / SIGNATURE_FILE
    fresh = path.with_suffix(".sig.new")
    try:
        fresh.write_text(json.dumps(made.model_dump(), indent=2) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ResultError(
            f"the signature cannot be written into {bundle.folder} ({error.strerror}). Copy the bundle into the folder of "
            "models first: `hu models import FOLDER`."
        ) from error
    return made


def new_key(path: Path, name: str) -> str:
    """Make a private key in `path` (readable by its owner alone) and its line for others in `path`.pub.

    Returns the public key in hexadecimal digits. Raises UsageError where one of the two files is there already.
    """
    serialization, ed25519 = _library()
    public_file = path.with_name(path.name + ".pub")
    for file in (path, public_file):
        if file.exists():
            raise UsageError(f"{file} is there already; a key is never overwritten. Give another name.")
    private = ed25519.Ed25519PrivateKey.generate()
    content = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes_raw().hex()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Created with its rights, so that nobody else can open it in between.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
        public_file.write_text(f"{public} {name}".rstrip() + "\n", encoding="utf-8")
    except OSError as error:
        raise ResultError(f"the key cannot be written to {path} ({error.strerror})") from error
    return str(public)


def _signed_text(name: str, version: str, digest: str) -> bytes:
    # The first line keeps the signature from being taken for one over anything else.
    return f"hounsfield bundle signature 1\n{name}\n{version}\n{digest}\n".encode()


def _is_right(stated: Signature) -> bool:
    _, ed25519 = _library()
    from cryptography.exceptions import InvalidSignature

    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(stated.public_key))
        key.verify(bytes.fromhex(stated.signature), _signed_text(stated.name, stated.version, stated.digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key(path: Path) -> Any:
    serialization, ed25519 = _library()
    if not path.is_file() or path.stat().st_size > LARGEST_KEYS_BYTES:
        raise UsageError(f"{path} is no file of a private key. Make one with `hu models key FILE`.")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{path.name} holds no private key in PEM without a passphrase. Make one with `hu models key FILE`."
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UsageError(
            f"{path.name} holds another kind of key than ed25519. Make one with `hu models key FILE`."
        )
    return key


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ModuleNotFoundError as error:
        raise MissingModel(
            "signatures need the package cryptography, which is not installed: pip install 'hounsfield[signatures]'"
        ) from error
    return serialization, ed25519
