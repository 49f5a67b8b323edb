import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regionwise.classical.membrane import membrane_fill


def membrane_by_pixels(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same in float64, pixel by pixel: image H×W×C, mask H×W."""
    weight = 1.0 - mask
    value = np.where(mask[..., None] > 0, 0.0, image)
    levels = [(value, weight)]
    while max(value.shape[:2]) > 1:
        height, width = ((side + 1) // 2 for side in value.shape[:2])
        coarse_value = np.zeros((height, width, image.shape[2]))
        coarse_weight = np.zeros((height, width))
        for y in range(value.shape[0]):
            for x in range(value.shape[1]):
                coarse_weight[y // 2, x // 2] += weight[y, x]
                coarse_value[y // 2, x // 2] += weight[y, x] * value[y, x]
        seen = coarse_weight > 0
        coarse_value[seen] /= coarse_weight[seen][:, None]
        value, weight = coarse_value, np.minimum(coarse_weight, 1)
        levels.append((value, weight))
    value, weight = levels.pop()
    filled = np.where(weight[..., None] > 0, value, 0.5)
    for value, weight in reversed(levels):
        height, width = weight.shape
        filled = np.array([[filled[y // 2, x // 2] for x in range(width)] for y in range(height)])
        for _ in range(4):
            smooth = np.zeros_like(filled)
            for y in range(height):
                for x in range(width):
                    for dy, row_share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                        for dx, column_share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                            near = filled[
                                min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
                            ]
                            smooth[y, x] += row_share * column_share * near
            known = weight[..., None]
            filled = known * value + (1 - known) * smooth
    return filled


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (7, 10), (8, 8), (13, 9)])
@pytest.mark.parametrize("ratio", [0.0, 0.4, 0.95])
def test_equals_the_formula_pixel_by_pixel(size: tuple[int, int], ratio: float) -> None:
    numbers = np.random.default_rng(7)
    image = numbers.random((*size, 3), dtype=np.float32)
    mask = (numbers.random(size) < ratio).astype(np.float32)
    answer = membrane_fill(image.transpose(2, 0, 1)[None], mask[None, None])[0].transpose(1, 2, 0)
    np.testing.assert_allclose(answer, membrane_by_pixels(image, mask), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 70),
    st.integers(1, 70),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_known_pixels_stay_and_the_fill_lies_between_them(
    batch: int, height: int, width: int, ratio: float, seed: int
) -> None:
    numbers = np.random.default_rng(seed)
    image = numbers.random((batch, 3, height, width), dtype=np.float32)
    mask = (numbers.random((batch, 1, height, width)) < ratio).astype(np.float32)
    answer = membrane_fill(image, mask)
    known = np.broadcast_to(mask == 0, image.shape)
    assert answer.dtype == np.float32
    assert np.array_equal(answer[known], image[known])
    for one, picture, known_here in zip(answer, image, known, strict=True):
        if known_here.any():
            assert one.min() >= picture[known_here].min() - 1e-5
            assert one.max() <= picture[known_here].max() + 1e-5
        else:
            assert np.all(one == 0.5)


def test_what_the_hole_held_does_not_matter() -> None:
    image = np.random.default_rng(0).random((1, 3, 20, 30), dtype=np.float32)
    mask = np.zeros((1, 1, 20, 30), np.float32)
    mask[..., 5:15, 10:] = 1
    dirty = np.where(mask > 0, np.float32(np.nan), image)
    assert np.array_equal(membrane_fill(dirty, mask), membrane_fill(image, mask))


def test_equals_its_twin_in_torch() -> None:
    torch = pytest.importorskip("torch")
    twin = pytest.importorskip("regionwise.layers.membrane")
    numbers = np.random.default_rng(1)
    for size in [(1, 1), (33, 70), (128, 96)]:
        image = numbers.random((2, 3, *size), dtype=np.float32)
        mask = (numbers.random((2, 1, *size)) < 0.6).astype(np.float32)
        other = twin.membrane_fill(torch.from_numpy(image), torch.from_numpy(mask)).numpy()
        np.testing.assert_allclose(membrane_fill(image, mask), other, atol=1e-5)
