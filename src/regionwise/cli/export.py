"""`regionwise export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SIZES = [(64, 64), (61, 130), (1, 1), (256, 192)]


def command(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="A run's last.pt, .safetensors, an authors' checkpoint, or a bundled model's name."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The .onnx to write, or the folder.")
    ],
    folder: Annotated[
        bool,
        typer.Option("--folder", help="Write a folder with card, configuration and weights."),
    ] = False,
    half: Annotated[
        bool, typer.Option(help="Store weights in half precision: half the size.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Write a network as ONNX, which fills without PyTorch, and check that it fills the same.

    \b
    regionwise export runs/tiny/last.pt -o tiny.onnx
    regionwise export runs/tiny/last.pt --folder -o tiny   what hubs of models show; --model ./tiny

    A folder holds README.md (the card, fill it in), config.json, model.safetensors and model.onnx.
    """
    from regionwise.checkpoints import Checkpoint, read_checkpoint
    from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
    from regionwise.checkpoints.model_folder import save_model_folder
    from regionwise.errors import OutputError
    from regionwise.models.registry import network_card
    from regionwise.weights.bundled import bundled_card, weights_file
    from regionwise.weights.card import ModelCard

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; give another name, or --overwrite")
    stored = read_checkpoint(weights_file(checkpoint))
    if folder:
        card = bundled_card(str(checkpoint)) or ModelCard(
            name=output.name,
            title=f"A network of regionwise's: {stored.model}",
            paper=network_card(stored.model).paper,
            licences={"code": "Apache-2.0", "weights": "(say it here)", "data": "(say it here)"},
        )
        save_model_folder(stored, output, card, half=half, overwrite=overwrite)
        print(f"{output}: {', '.join(sorted(file.name for file in output.iterdir()))}")
        return
    network = stored.network()
    # The exporter folds them anyhow; what it computes itself could not be read back.
    network.fold_norms()
    network = rounded_to_half(network) if half else network
    origin = Checkpoint(stored.model, stored.options, dict(network.state_dict()))
    export_onnx(network, output, half=half, origin=origin)
    difference = largest_difference(network, output, _SIZES)
    print(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB; ONNX Runtime and PyTorch differ by at "
        f"most {difference:.1e} over {len(_SIZES)} sizes"
    )
