"""`hounsfield models sign` and `key`: who vouches for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli._terminal import print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)
RESEARCH_USE = "Research use only. Not a medical device."
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Model = Annotated[str, typer.Argument(help="Name of an installed model, or the folder of a bundle.")]


@app.command()
def sign(
    model: Model,
    key: Annotated[Path, typer.Option(help="Private ed25519 key, as `hu models key` makes one.")],
    as_json: AsJson = False,
) -> None:
    """Sign a model: whoever trusts your public key then knows that it is yours and unchanged."""
    from hounsfield.zoo import verify_bundle
    from hounsfield.zoo.signature import SIGNATURE_FILE, sign_bundle

    bundle = verify_bundle(Path(model) if Path(model).is_dir() else model)
    made = sign_bundle(bundle, key)
    path = bundle.folder / SIGNATURE_FILE
    if as_json:
        print_json(
            {
                "notice": RESEARCH_USE,
                "signed": {
                    "name": made.name,
                    "digest": made.digest,
                    "file": str(path),
                    "key": made.public_key,
                },
            }
        )
        return
    print(f"Signed {made.name} {made.version}, digest {made.digest}")
    print(f"Signature: {path}")


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="The new private key; FILE.pub is for others.")],
    name: Annotated[str, typer.Option(help="Who signs with it, for FILE.pub.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key for signing models: FILE stays with you, the line in FILE.pub goes to those who trust you."""
    from hounsfield.zoo.signature import KEYS_SETTING, new_key

    public = new_key(file, name)
    if as_json:
        made = {"private_key_file": str(file), "public_key_file": f"{file}.pub", "key": public}
        print_json({"notice": RESEARCH_USE, "key": made})
        return
    print(f"Private key: {file} (keep it to yourself)")
    print(f"Public key: {file}.pub; others put its line into the file that {KEYS_SETTING} names.")
