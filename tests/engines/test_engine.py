import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.support.tiny_networks import write_blur

from regionwise.engines import classical_engine
from regionwise.engines.classical_engine import ClassicalEngine, MembraneEngine
from regionwise.engines.engine import Engine
from regionwise.engines.onnx_engine import OnnxEngine
from regionwise.engines.torch_engine import TorchEngine
from regionwise.errors import CheckpointError, ModelError
from regionwise.models.network import InpaintingNetwork


def crops(batch: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(5)
    masks = np.zeros((batch, 1, height, width), np.float32)
    masks[..., height // 4 : 3 * height // 4 + 1, : width // 2 + 1] = 1
    images = numbers.random((batch, 3, height, width), dtype=np.float32) * (1 - masks)
    return images.astype(np.float32), masks


def blurred(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What `write_blur` computes, in NumPy."""
    both = np.pad(np.concatenate([images, masks], 1), [(0, 0), (0, 0), (1, 1), (1, 1)])
    height, width = images.shape[2:]
    total = sum(
        both[:, :, y : y + height, x : x + width].sum(axis=1, keepdims=True)
        for y in range(3)
        for x in range(3)
    )
    return np.repeat(1 / (1 + np.exp(-total / 36)), 3, axis=1)


@pytest.mark.parametrize("size", [(1, 1, 1), (3, 17, 40), (2, 64, 32)])
def test_onnx_runs_any_size_and_batch(tmp_path: Path, size: tuple[int, int, int]) -> None:
    images, masks = crops(*size)
    answer = OnnxEngine(write_blur(tmp_path / "tiny.onnx")).fill(images, masks)
    np.testing.assert_allclose(answer, blurred(images, masks), atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"\x08\x07broken", b"GIF89a" * 50])
def test_a_broken_onnx_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.onnx is broken") as caught:
        OnnxEngine(file).fill(*crops(1, 8, 8))
    assert "\n" not in str(caught.value)


def test_a_foreign_onnx_file_is_told_by_its_inputs(tmp_path: Path) -> None:
    file = write_blur(tmp_path / "other.onnx", image_name="pixels")
    with pytest.raises(CheckpointError, match="takes mask, pixels"):
        OnnxEngine(file).fill(*crops(1, 8, 8))


def test_cuda_without_cuda_is_one_line(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    engine = OnnxEngine(write_blur(tmp_path / "tiny.onnx"), device="cuda")
    with pytest.raises(ModelError, match="pip install onnxruntime-gpu"):
        engine.fill(*crops(1, 8, 8))


def test_torch_answers_with_the_last_stage_and_leaves_the_random_state() -> None:
    torch = pytest.importorskip("torch")

    class Noisy(InpaintingNetwork):
        def forward(self, image: torch.Tensor, mask: torch.Tensor) -> SimpleNamespace:
            assert not self.training
            return SimpleNamespace(stages=[image, image + torch.rand_like(image) * mask])

    images, masks = crops(2, 9, 13)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = TorchEngine(Noisy(), "cpu", seed=4).fill(images, masks)
    again = TorchEngine(Noisy(), "cpu", seed=4).fill(images, masks)
    other = TorchEngine(Noisy(), "cpu", seed=5).fill(images, masks)
    assert torch.equal(state, torch.random.get_rng_state())
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    known = np.broadcast_to(masks == 0, images.shape)
    assert np.array_equal(first[known], images[known])


def test_a_torch_module_that_fails_is_one_line() -> None:
    torch = pytest.importorskip("torch")

    class Greedy(InpaintingNetwork):
        def forward(self, image: torch.Tensor, mask: torch.Tensor) -> SimpleNamespace:
            raise RuntimeError("not enough memory:\nyou tried to allocate")

    with pytest.raises(ModelError, match=r"13×9.*not enough memory: you tried"):
        TorchEngine(Greedy(), "cpu").fill(*crops(1, 9, 13))


def classical_engines() -> list[Engine]:
    made: list[Engine] = [MembraneEngine()]
    for create in (
        classical_engine.telea,
        classical_engine.navier_stokes,
        classical_engine.biharmonic,
    ):
        try:
            made.append(create())
        except ModelError:
            continue
    return made


@pytest.mark.parametrize("engine", classical_engines())
def test_classical_methods_continue_a_flat_picture(engine: Engine) -> None:
    _, masks = crops(2, 24, 30)
    color = np.float32([51, 102, 204]).reshape(1, 3, 1, 1) / 255
    answer = engine.fill(color * (1 - masks), masks)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, np.broadcast_to(color, answer.shape), atol=0.02)


@pytest.mark.parametrize("engine", classical_engines())
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 1, 7), (2, 5, 3)])
def test_classical_methods_answer_where_nothing_is_known(
    engine: Engine, size: tuple[int, int, int]
) -> None:
    batch, height, width = size
    masks = np.ones((batch, 1, height, width), np.float32)
    answer = engine.fill(np.zeros((batch, 3, height, width), np.float32), masks)
    assert np.all(answer == 0.5)


def test_a_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classical_engine, "find_spec", lambda library: None)
    with pytest.raises(ModelError, match="pip install opencv-python-headless"):
        classical_engine.telea()
    with pytest.raises(ModelError, match="pip install scikit-image"):
        classical_engine.biharmonic()


def test_a_classical_method_never_sees_a_picture_without_known_pixels() -> None:
    def refuse(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        assert not hole.all()
        return image

    masks = np.stack([np.ones((1, 4, 4)), np.zeros((1, 4, 4))]).astype(np.float32)
    images = np.full((2, 3, 4, 4), 0.25, np.float32)
    answer = ClassicalEngine(refuse).fill(images, masks)
    assert np.all(answer[0] == 0.5)
    assert np.all(answer[1] == 0.25)


def test_the_core_imports_neither_torch_nor_onnx_runtime_before_it_must() -> None:
    code = (
        "import sys\n"
        "import regionwise.filling.folder, regionwise.engines.zoo, regionwise.cli\n"
        "heavy = {'torch', 'onnxruntime', 'scipy', 'cv2', 'skimage', 'yaml'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
