"""Signs that a training goes wrong, for which it is stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping

from regionwise.errors import TrainingAlarm
from regionwise.recipe.schema import AlarmSection

_SETTLED = 100
"""Steps after which the usual size of a gradient is known."""
_LARGE_IN_TURN = 10
_OVERFLOWS_IN_TURN = 50
"""Steps that fp16's scaler may leave out in a row until it has found its scale."""


class Alarms:
    """Watches the losses and the norms of gradients.

    What gradient is usual is another matter in each phase, as its losses are others: so each phase
    has alarms of its own.

    Args:
        section: the limits.
        bounded: whether there is a discriminator whose loss can't fall below 0.
        half: with fp16 a gradient that is not finite is left out, which is no alarm at first.
        state: of a phase that goes on, see `state`.
    """

    def __init__(
        self,
        section: AlarmSection,
        *,
        bounded: bool,
        half: bool,
        state: Mapping[str, float] | None = None,
    ) -> None:
        self.section = section
        self.half = half
        self.watches_discriminator = bounded and section.discriminator is not None
        state = state or {}
        self.logarithm = float(state.get("logarithm", 0.0))
        self.seen = int(state.get("seen", 0))
        self.large = int(state.get("large", 0))
        self.overflows = int(state.get("overflows", 0))
        self.won = int(state.get("won", 0))

    def check(self, step: int, numbers: Mapping[str, float]) -> None:
        """Look at a step's losses and, as `gradient`, the norm of the generator's gradient.

        Raises:
            TrainingAlarm: if the training has to stop; one line that says why.
        """
        gradient = numbers.get("gradient", 0.0)
        for name, value in numbers.items():
            if not math.isfinite(value) and not (self.half and "gradient" in name):
                raise TrainingAlarm(
                    f"step {step}: the {name} is {value}; lower the learning rate, clip gradients "
                    "(optimizer.clip), or train with precision bf16 or fp32"
                )
        self._check_gradient(step, gradient)
        if self.watches_discriminator and "discriminator" in numbers:
            self._check_discriminator(step, numbers["discriminator"])

    def _check_gradient(self, step: int, gradient: float) -> None:
        self.overflows = 0 if math.isfinite(gradient) else self.overflows + 1
        if self.overflows > _OVERFLOWS_IN_TURN:
            raise TrainingAlarm(
                f"step {step}: fp16 overflowed in {self.overflows} steps in a row; train with bf16"
            )
        if self.section.gradient is None or self.overflows or gradient <= 0:
            return
        logarithm = math.log(gradient)
        usual = math.exp(self.logarithm)
        self.large = self.large + 1 if gradient > self.section.gradient * usual else 0
        if self.seen >= _SETTLED and self.large >= _LARGE_IN_TURN:
            raise TrainingAlarm(
                f"step {step}: gradients explode: their norm is {gradient:.3g} where {usual:.3g} "
                "is usual; lower the learning rate or clip gradients (optimizer.clip)"
            )
        self.seen += 1
        self.logarithm += (logarithm - self.logarithm) / min(self.seen, _SETTLED)

    def _check_discriminator(self, step: int, loss: float) -> None:
        limit = self.section.discriminator or 0.0
        self.won = self.won + 1 if loss < limit else 0
        if self.won >= self.section.patience:
            raise TrainingAlarm(
                f"step {step}: the discriminator has won: its loss was below {limit:g} in "
                f"{self.won} steps in a row, so the generator learns nothing from it; lower "
                "discriminator.optimizer.lr or the adversarial weight"
            )

    def state(self) -> dict[str, float]:
        """What a resumed phase needs to know of the steps before."""
        return {
            "logarithm": self.logarithm,
            "seen": self.seen,
            "large": self.large,
            "overflows": self.overflows,
            "won": self.won,
        }
