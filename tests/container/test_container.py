"""The Dockerfile builds to its end, and what comes out fills a photo as a user without rights."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="buildah's chroot needs root")
@pytest.mark.skipif(
    not (shutil.which("buildah") and shutil.which("debootstrap")),
    reason="apt install buildah debootstrap",
)
def test_the_image_fills_a_photo(tmp_path: Path):
    folder = Path(os.environ.get("REGIONWISE_CONTAINER_BASE", tmp_path))
    run = subprocess.run(
        [HERE / "build.sh", folder],
        capture_output=True,
        text=True,
        env=os.environ | {"PORT": "8765"},
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    filled = np.asarray(Image.open(folder / "filled.jpg")).astype(int)
    photo = np.asarray(Image.open(EXAMPLES / "photos" / "rocket.jpg")).astype(int)
    hole = np.asarray(Image.open(EXAMPLES / "masks" / "rocket.png")).astype(bool)
    assert filled.shape == photo.shape
    assert np.abs(filled - photo)[hole].mean() > 3
    assert np.abs(filled - photo)[~hole].mean() < 0.2
