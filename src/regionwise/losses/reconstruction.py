"""How far the filled pixels are from the true ones."""

from torch import Tensor


def hole_l1(answer: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the missing pixels and channels.

    With the known pixels kept by composition this is the released RN loss, L1 of the composed
    picture divided by the mean of the mask.

    Args:
        answer, truth: N×3×H×W.
        mask: N×1×H×W, 1 = missing. With no missing pixel the loss is 0.
    """
    difference = (answer - truth).abs() * mask
    return difference.sum() / (mask.sum() * answer.shape[1]).clamp(min=1)
