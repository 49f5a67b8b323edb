"""`regionwise import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint of a paper's authors, or ours.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .safetensors to write.")],
    overwrite: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Turn a checkpoint into our safetensors, which no code can hide in.

    \b
    Example:  regionwise import g.pth -o rn_places2.safetensors

    The network is known by the names of its weights. `regionwise fill --model` also takes the
    authors' file as it is.
    """
    from regionwise.checkpoints import load_checkpoint, save_checkpoint
    from regionwise.errors import OutputError
    from regionwise.models.registry import description

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; give another name, or --overwrite")
    network = load_checkpoint(checkpoint)
    name, options = description(network)
    save_checkpoint(dict(network.state_dict()), output, name, options)
    parameters = sum(weight.numel() for weight in network.parameters())
    print(f"{output}: {name}, {parameters / 1e6:.2f}M parameters, options {options or 'none'}")
