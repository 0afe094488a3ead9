"""Signatures: only the right key over exactly this bundle counts; and where required, nothing else is opened."""

from __future__ import annotations

import json
import shutil
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo import open_bundle, verify_bundle, write_bundle
from hounsfield.zoo.signature import (
    KEYS_SETTING,
    REQUIRE_SETTING,
    SIGNATURE_FILE,
    new_key,
    sign_bundle,
    signature_state,
)


@pytest.fixture
def bundle(tmp_path):
    return write_tiny_bundle(tmp_path / "models")


@pytest.fixture
def key(tmp_path, monkeypatch):
    """A private key whose public key is trusted, with signatures required."""
    public = new_key(tmp_path / "keys" / "mine", "Ward 3")
    monkeypatch.setenv(KEYS_SETTING, str(tmp_path / "keys" / "mine.pub"))
    monkeypatch.setenv(REQUIRE_SETTING, "1")
    return tmp_path / "keys" / "mine", public


def state_of(folder):
    found = verify_bundle(folder)
    return signature_state(found.folder, found.name, found.version, found.digest)


def test_signed_by_a_trusted_key_is_opened(bundle, key):
    sign_bundle(bundle, key[0])
    assert open_bundle(bundle.folder).digest == bundle.digest
    found = state_of(bundle.folder)
    assert (found.state, found.public_key, found.signer) == ("trusted", key[1], "Ward 3")


def test_the_signature_is_one_of_ed25519_by_an_independent_check(bundle, key):
    made = sign_bundle(bundle, key[0])
    public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key[1]))
    text = f"hounsfield bundle signature 1\n{bundle.name}\n{bundle.version}\n{bundle.digest}\n"
    public.verify(bytes.fromhex(made.signature), text.encode())


def test_unsigned_is_refused_where_signatures_are_required_and_the_remedy_named(bundle, key):
    with pytest.raises(
        ModelError, match=r"no signature.*hu models sign brain-tumour-mr --key.*" + KEYS_SETTING
    ):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("said", ["", "0", "no", "off", "False"])
def test_unsigned_is_opened_where_they_are_not(bundle, monkeypatch, said):
    monkeypatch.setenv(REQUIRE_SETTING, said)
    assert open_bundle(bundle.folder).name == bundle.name


@pytest.mark.parametrize("said", ["1", "yes", "required", "on please", " true "])
def test_whatever_else_the_setting_says_requires_them(bundle, monkeypatch, said):
    monkeypatch.setenv(REQUIRE_SETTING, said)
    with pytest.raises(ModelError, match="no signature"):
        open_bundle(bundle.folder)


def test_altered_file_is_refused_though_signed(bundle, key):
    sign_bundle(bundle, key[0])
    weights = bundle.folder / "models" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"model.safetensors was altered"):
        open_bundle(bundle.folder)


def test_altered_file_with_its_digest_renewed_in_the_card_is_refused(bundle, key):
    """Digests alone cannot notice this one: whoever changes a file can write the new digest as well."""
    sign_bundle(bundle, key[0])
    card = bundle.card.model_copy(update={"intended_use": "Everything."})
    signature = (bundle.folder / SIGNATURE_FILE).read_bytes()
    write_bundle(bundle.folder, card=card, weights=bundle.weights())
    (bundle.folder / SIGNATURE_FILE).write_bytes(signature)
    assert verify_bundle(bundle.folder).card.intended_use == "Everything."
    assert state_of(bundle.folder).state == "wrong"
    with pytest.raises(ModelError, match="of another bundle or of other files"):
        open_bundle(bundle.folder)


def test_altered_card_alone_is_refused(bundle, key):
    sign_bundle(bundle, key[0])
    path = bundle.folder / "hounsfield.json"
    card = json.loads(path.read_text())
    card["evidence_level"] = "Proven."
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="of another bundle or of other files"):
        open_bundle(bundle.folder)


def test_foreign_key_is_refused_and_named(bundle, key, tmp_path):
    public = new_key(tmp_path / "theirs", "Somebody")
    sign_bundle(bundle, tmp_path / "theirs")
    assert state_of(bundle.folder).state == "unknown key"
    with pytest.raises(ModelError, match=f"{public}.* is not trusted here"):
        open_bundle(bundle.folder)


def test_foreign_signature_under_the_name_of_a_trusted_key_is_refused(bundle, key, tmp_path):
    new_key(tmp_path / "theirs", "Somebody")
    sign_bundle(bundle, tmp_path / "theirs")
    path = bundle.folder / SIGNATURE_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "public_key": key[1]}))
    assert state_of(bundle.folder).state == "wrong"
    with pytest.raises(ModelError, match="not made by the key that it names"):
        open_bundle(bundle.folder)


def test_replay_of_another_bundle_s_signature_is_refused(bundle, key, tmp_path):
    sign_bundle(bundle, key[0])
    other = write_tiny_bundle(tmp_path / "models", name="other-model")
    shutil.copy(bundle.folder / SIGNATURE_FILE, other.folder)
    with pytest.raises(ModelError, match="of another bundle or of other files"):
        open_bundle(other.folder)
    # Nor does it help to write the other's name and digest into it: those are what was signed.
    path = other.folder / SIGNATURE_FILE
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "name": other.name, "digest": other.digest}))
    with pytest.raises(ModelError, match="not made by the key that it names"):
        open_bundle(other.folder)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 4000, b"x" * 10**6, b"\xff\xfe", b'{"algorithm": "none"}']
)
def test_what_is_no_signature_is_wrong_and_never_an_accident(bundle, key, content):
    (bundle.folder / SIGNATURE_FILE).write_bytes(content)
    assert state_of(bundle.folder).state == "wrong"
    with pytest.raises(ModelError, match="holds no signature"):
        open_bundle(bundle.folder)


def test_writing_again_takes_the_old_signature_away(bundle, key):
    sign_bundle(bundle, key[0])
    write_bundle(bundle.folder, card=bundle.card, weights=bundle.weights())
    assert state_of(bundle.folder).state == "unsigned"


def test_private_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    new_key(tmp_path / "key", "me")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="never overwritten"):
        new_key(tmp_path / "key", "me")


def test_keys_of_other_kinds_are_refused(bundle, tmp_path):
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ec.pem").write_bytes(other)
    (tmp_path / "text").write_text("no key")
    for name, said in (("ec.pem", "another kind"), ("text", "no private key"), ("none", "no file")):
        with pytest.raises(UsageError, match=said):
            sign_bundle(bundle, tmp_path / name)


@pytest.mark.parametrize("line", ["abc me", "Z" * 64 + " me", "A" * 64])
def test_a_line_that_is_no_key_is_named(bundle, key, tmp_path, monkeypatch, line):
    sign_bundle(bundle, key[0])
    (tmp_path / "keys.txt").write_text(f"# ours\n\n{key[1]} Ward 3\n{line}\n")
    monkeypatch.setenv(KEYS_SETTING, str(tmp_path / "keys.txt"))
    with pytest.raises(UsageError, match=r"line 4 of keys.txt"):
        open_bundle(bundle.folder)


def test_a_setting_that_names_no_file_is_told(bundle, key, tmp_path, monkeypatch):
    sign_bundle(bundle, key[0])
    monkeypatch.setenv(KEYS_SETTING, str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no file of keys"):
        open_bundle(bundle.folder)
