"""Features for Fréchet distances; with the standard Inception, and only with it, that is FID."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionwise.errors import CheckpointError, ModelError
from regionwise.features.downloads import INCEPTION, checksum_of, find_weights
from regionwise.features.frozen import failures_told, torch_device


class TorchScriptFeatures:
    """A TorchScript network. `name`: FID, or another name for any other network.

    The standard Inception takes 8-bit pictures of any size, scales them itself, and gives its 2048
    pooled features with `return_features`; another network takes 8 bits too, as float.
    """

    def __init__(self, file: Path, device: str) -> None:
        try:
            import torch
        except ImportError:
            raise ModelError('FID needs PyTorch; pip install "regionwise[train]"') from None
        self._device = torch_device(device)
        is_standard = checksum_of(file) == INCEPTION.sha256
        self.name = "FID" if is_standard else f"Fréchet distance ({file.stem})"
        self._options = {"return_features": True} if is_standard else {}
        try:
            load: Any = torch.jit.load  # it has no types
            self._network = load(str(file), map_location=self._device).eval()
        except (RuntimeError, ValueError) as error:
            text = " ".join(str(error).split())[:120]
            raise CheckpointError(f"{file}: not a TorchScript network ({text})") from error

    def extract(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """N×3×H×W of 8 bits to N×D.

        Raises:
            ModelError: if the network fails.
        """
        import torch

        with torch.inference_mode(), failures_told(self.name):
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).float()
            found = self._network(x, **self._options).flatten(1)
        return np.asarray(found.float().cpu().numpy())


class DarknetFeatureSource:
    """The last stage of Darknet's reference classifier, averaged over the picture."""

    name = "Fréchet distance (Darknet)"

    def __init__(self, file: Path, device: str) -> None:
        from regionwise.features.darknet import DarknetFeatures

        self._device = torch_device(device)
        self._network = DarknetFeatures(file).to(self._device)

    def extract(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """N×3×H×W of 8 bits to N×256."""
        import torch

        with torch.inference_mode(), failures_told(self.name):
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).float() / 255
            return np.asarray(self._network(x)[-1].mean(dim=(2, 3)).cpu().numpy())


def load_extractor(choice: str, device: str) -> TorchScriptFeatures | DarknetFeatureSource:
    """`download` for the standard Inception, a TorchScript file, or Darknet's .npz.

    Raises:
        RegionwiseError: if it can't be had.
    """
    if choice == "download":
        return TorchScriptFeatures(find_weights(INCEPTION), device)
    file = Path(choice)
    if not file.is_file():
        raise ModelError(f"--fid: there is no file {file}; it is at {INCEPTION.url}")
    if file.suffix == ".npz":
        return DarknetFeatureSource(file, device)
    return TorchScriptFeatures(file, device)
