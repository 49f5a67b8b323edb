"""A network as a PyTorch module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from regionwise.arrays import Floats
from regionwise.engines.engine import Device, Traits, first_line
from regionwise.errors import ModelError

if TYPE_CHECKING:
    from regionwise.models.network import InpaintingNetwork


class TorchEngine:
    """A network with the contract `network(image, mask)` → `Prediction`."""

    def __init__(
        self,
        network: InpaintingNetwork,
        device: Device = "auto",
        seed: int = 0,
        *,
        file: Path | None = None,
        stage: int = -1,
    ) -> None:
        """Bring a network to a device.

        Args:
            network: is put in eval mode.
            device: auto, cpu or cuda.
            seed: for networks that draw numbers.
            file: where its weights are from.
            stage: which of the network's answers is given; the last one by default.

        Raises:
            ModelError: if there is no such device.
        """
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("PyTorch sees no GPU here; check its driver, or give `device` cpu")
        wanted = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
        self._device = torch.device(wanted)
        self._network = network.to(self._device).eval()
        self._seed = seed
        self._stage = stage
        self.traits = Traits(draws=network.draws, file=file)

    def at_stage(self, stage: int) -> TorchEngine:
        """The same network, giving that stage: 0 is the first one, -1 the last."""
        device: Device = "cpu" if self._device.type == "cpu" else "cuda"
        file = self.traits.file
        return TorchEngine(self._network, device, self._seed, file=file, stage=stage)

    def fill(self, images: Floats, masks: Floats) -> Floats:
        """Fill a batch, see `Engine`. The caller's random state is left as it was."""
        import torch

        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self._seed)
            image, mask = (torch.from_numpy(array).to(self._device) for array in (images, masks))
            try:
                stages = self._network(image, mask).stages
            except RuntimeError as error:  # out of memory, above all
                height, width = images.shape[2:]
                raise ModelError(
                    f"the network failed on a picture of {width}×{height} ({first_line(error)})"
                ) from error
            if not -len(stages) <= self._stage < len(stages):
                raise ModelError(
                    f"there is no `stage` {self._stage}: this network has {len(stages)}, "
                    f"0 to {len(stages) - 1}"
                )
            return cast(Floats, stages[self._stage].float().cpu().numpy())
