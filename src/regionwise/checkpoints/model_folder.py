"""Write a network as a folder with its card; see `regionwise.weights.model_folder`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from regionwise.checkpoints.export import export_onnx, rounded_to_half
from regionwise.checkpoints.store import save_checkpoint
from regionwise.errors import OutputError
from regionwise.models.checkpoint import Checkpoint
from regionwise.output import write_whole
from regionwise.weights.card import ModelCard
from regionwise.weights.model_folder import (
    CARD,
    CONFIGURATION,
    ONNX,
    PYTORCH,
    Configuration,
    card_page,
)


def save_model_folder(
    checkpoint: Checkpoint,
    folder: Path,
    card: ModelCard,
    *,
    half: bool = True,
    overwrite: bool = False,
) -> None:
    """Write card, configuration and weights, whole or not at all.

    Args:
        checkpoint: the network.
        folder: is made; those above it must be there.
        card: what a user should know of it; its `texture` is kept in the configuration.
        half: round the weights to half precision, in both files alike.
        overwrite: replace a folder that is there, with all that lies in it.

    Raises:
        OutputError: if it can't be written, or is there and `overwrite` is off.
    """
    if folder.exists() and not overwrite:
        raise OutputError(f"{folder} exists; give another name, or `overwrite`")
    if not folder.parent.is_dir():
        raise OutputError(f"{folder.parent} is not a folder; make it first, or write elsewhere")
    network = checkpoint.network()
    network.fold_norms()
    if half:
        network = rounded_to_half(network)
    stored = Checkpoint(checkpoint.model, checkpoint.options, dict(network.state_dict()))
    configuration = Configuration(checkpoint.model, checkpoint.options, card.texture)
    fresh = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}")
    try:
        fresh.mkdir()
        write_whole(card_page(card, configuration), fresh / CARD)
        write_whole(configuration.as_json(), fresh / CONFIGURATION)
        save_checkpoint(stored, fresh / PYTORCH)
        if network.exportable:
            export_onnx(network, fresh / ONNX, half=half, origin=stored)
        if folder.is_dir():
            shutil.rmtree(folder)
        fresh.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} can't be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
