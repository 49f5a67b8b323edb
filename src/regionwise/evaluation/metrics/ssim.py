"""Structural similarity (Wang et al., IEEE TIP 2004), window 11.

The papers say "window size 11" and leave open which window. The two in use differ in the third
digit, so both are here under their own names.
"""

from __future__ import annotations

from collections.abc import Mapping

from regionwise.arrays import Mask
from regionwise.evaluation.metrics.metric import FilledPicture, Picture, Score
from regionwise.evaluation.metrics.similarity_map import WindowShape, mean_similarity, ssim_map


def ssim(
    truth: Picture, answer: Picture, hole: Mask | None = None, window: WindowShape = "gaussian"
) -> float:
    """Mean structural similarity over pixels and channels; 1 = the same.

    Over the whole picture the mean leaves out the 5 rows and columns at each border, whose
    windows hang over (as the authors and scikit-image do); pictures of less than 11 pixels keep
    them. Inside the hole all pixels of the hole count, windows mirrored at the border.

    Args:
        truth: C×H×W in [0, 1].
        answer: likewise.
        hole: H×W bool; None = the whole picture. An empty hole gives NaN.
        window: "gaussian" is Wang's own, std 1.5 (scikit-image: gaussian_weights=True,
            use_sample_covariance=False); "uniform" is scikit-image's default, variances with n - 1.
    """
    return mean_similarity(ssim_map(truth, answer, window), hole)


class Ssim:
    """`ssim` with both windows, and that of the hole with the Gaussian one."""

    scores = (
        Score("ssim", "SSIM (window 11, Gaussian)", "higher"),
        Score("ssim_uniform", "SSIM (window 11, uniform)", "higher"),
        Score("ssim_hole", "SSIM in the hole (Gaussian)", "higher"),
    )

    def measure(self, filled: FilledPicture) -> Mapping[str, float]:
        """See `Metric`."""
        return {
            "ssim": mean_similarity(filled.similarity),
            "ssim_uniform": ssim(filled.truth, filled.answer, window="uniform"),
            "ssim_hole": mean_similarity(filled.similarity, filled.hole),
        }
