"""`hounsfield models export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import print_json
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.inference.export import Export

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_RESEARCH_USE = "Research use only. Not a medical device."


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(help="Name of an installed model, or the folder of one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; empty or new.")],
    to: Annotated[str, typer.Option(help="onnx, openvino or torchscript.")] = "onnx",
    edge: Annotated[
        bool, typer.Option("--edge", help="One file that reads pictures without torch and this project.")
    ] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="8-bit integers (openvino); needs --calibration.")
    ] = False,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of your pictures: half calibrates int8, half judges it.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV with `file` and `label` of these: the ROC area is then judged.")
    ] = None,
    limit: Annotated[float, typer.Option(help="How far the judged metric may fall.")] = 0.005,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Write a model as ONNX, OpenVINO or TorchScript, in 32 bits or int8, or as one file for a small box."""
    from hounsfield.inference import ViewsModel, open_model
    from hounsfield.inference.export import FORMS, ExportRequest, export_model
    from hounsfield.zoo import find_bundle, open_bundle

    form = next((one for one in FORMS if one == to), None)
    request = ExportRequest(form or to, edge, int8, calibration, labels, limit)  # type: ignore[arg-type]  # it refuses others
    folder = Path(name) if Path(name).is_dir() else find_bundle(name)
    model = open_model(open_bundle(folder))
    if isinstance(model, ViewsModel):
        raise UsageError(
            f"model {model.name} reads several views of one examination, and such are not exported"
        )
    done = export_model(model, out, request)
    if as_json:
        print_json({"notice": _RESEARCH_USE, "exported": {"folder": str(out), **done.to_json()}})
        return
    _print(done, out)


def _print(done: Export, out: Path) -> None:
    told: dict[str, Any] = done.to_json()
    size = sum((out / file).stat().st_size for file in done.files) / 1e6
    print(f"Exported {told['model']} {told['version']} in {told['precision']} to {out}: {size:.1f} MB.")
    for file, digest in done.files.items():
        print(f"  {file}  SHA-256 {digest}")
    near = told["difference"]
    print(
        f"Beside torch on a made picture: typically {near['typical']:.1e}, at most {near['largest']:.1e} deviations apart."
    )
    if done.accuracy is not None:
        judged = done.accuracy
        print(
            f"int8 on {judged.n} of your pictures: {judged.metric} {judged.before:.4f} before, {judged.after:.4f} after "
            f"(may fall by {judged.limit:g}); probabilities differ by {judged.largest_difference:.3f} at most."
        )
    if done.edge is not None:
        print(f"Read with it: python {out / done.edge.file.name} PICTURE.png")
    print(_RESEARCH_USE)
