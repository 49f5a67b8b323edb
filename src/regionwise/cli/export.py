"""`regionwise export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SIZES = [(64, 64), (61, 130), (1, 1), (256, 192)]


def command(
    checkpoint: Annotated[
        Path, typer.Argument(help="A run's last.pt, .safetensors, or an authors' checkpoint.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx to write.")],
    half: Annotated[
        bool, typer.Option(help="Store weights in half precision: half the size.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Write a network as ONNX, which fills without PyTorch, and check that it fills the same.

    \b
    Example:  regionwise export runs/tiny/last.pt -o tiny.onnx
    """
    from regionwise.checkpoints import Checkpoint, read_checkpoint
    from regionwise.checkpoints.export import export_onnx, largest_difference, rounded_to_half
    from regionwise.errors import OutputError

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; give another name, or --overwrite")
    stored = read_checkpoint(checkpoint)
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
