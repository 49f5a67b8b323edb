"""What every adversarial loss takes and gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from torch import Tensor

from regionwise.errors import ModelError
from regionwise.losses.adversarial.patches import hole_patches, weighted_mean
from regionwise.losses.precision import at_least_float32

Patches = Literal["all", "hole"]


class AdversarialLoss(ABC):
    """Both sides of an adversarial loss, of the scores at one scale; scales are added up.

    Every value is a mean over the pictures, so a batch may be cut into parts. Half precision is
    computed in float32.

    Attributes:
        bounded: whether 0 is the least that the discriminator's side can be: then a loss that
            stays there says that the discriminator has won.
    """

    bounded: ClassVar[bool]

    @abstractmethod
    def generator(self, fake: Tensor, mask: Tensor) -> Tensor:
        """What the generator lowers.

        Args:
            fake: scores of a filled picture, N×C×h×w of patches or of any shape N×….
            mask: N×1×H×W, 1 = missing.
        """

    @abstractmethod
    def discriminator(self, real: Tensor, fakes: Sequence[Tensor], mask: Tensor) -> Tensor:
        """What the discriminator lowers, the sum over all filled pictures.

        Args:
            real: scores of the true picture.
            fakes: scores of each filled picture that stands for it, of the same shape.
            mask: N×1×H×W, 1 = missing.
        """

    def penalty(
        self, scores_of: Callable[[Tensor], Tensor], truth: Tensor, fake: Tensor, mask: Tensor
    ) -> Tensor:
        """What the discriminator lowers besides, for one filled picture and one scale; often 0.

        Args:
            scores_of: the discriminator at that scale: N×C×H×W → scores N×….
            truth, fake: N×C×H×W.
            mask: N×1×H×W.
        """
        return truth.new_zeros(())


class PatchwiseLoss(AdversarialLoss):
    """An adversarial loss that is a mean over patches of a function of each score.

    Args:
        patches: which ones count: "all", or those that hold some of the "hole". A discriminator
            that scores patches sees the same known pixels in a true and in a filled picture, and
            these drown the rest.
    """

    def __init__(self, patches: Patches = "all") -> None:
        if patches not in ("all", "hole"):
            raise ModelError(f"patches={patches!r} is not one of all, hole")
        self.patches = patches

    @abstractmethod
    def of_real(self, scores: Tensor) -> Tensor:
        """The discriminator's loss for each score of a true picture."""

    @abstractmethod
    def of_fake(self, scores: Tensor) -> Tensor:
        """The discriminator's loss for each score of a filled picture."""

    @abstractmethod
    def of_generator(self, scores: Tensor) -> Tensor:
        """The generator's loss for each score of its picture."""

    def generator(self, fake: Tensor, mask: Tensor) -> Tensor:
        """The mean over the patches that count."""
        return weighted_mean(self.of_generator(at_least_float32(fake)), self._weight(mask, fake))

    def discriminator(self, real: Tensor, fakes: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Means over the patches that count; the true picture counts once for each filled one."""
        weight = self._weight(mask, real)
        of_real = weighted_mean(self.of_real(at_least_float32(real)), weight)
        total = len(fakes) * of_real
        for fake in fakes:
            total = total + weighted_mean(self.of_fake(at_least_float32(fake)), weight)
        return total

    def _weight(self, mask: Tensor, scores: Tensor) -> Tensor | None:
        """Weights of patches whose sum is 1 in each picture with a hole; None if all count alike.

        So the mean over a batch is the mean over its pictures, however it is cut into parts.
        """
        if self.patches == "all":
            return None
        weight = hole_patches(mask, scores).expand_as(scores)
        return weight / weight.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
