"""How much of the generator's gradient each loss term gives.

A term may have the published weight and yet do nothing, because another one is a sum where it is a
mean. The norm of its gradient with respect to the network's pictures, beside those of the other
terms, tells it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

BUDGET = "budget/"
"""What the names of gradient norms among a step's numbers begin with."""
LEAST = 1e-4
"""A term of a smaller share does nothing."""


def gradient_shares(norms: Mapping[str, float]) -> dict[str, float]:
    """Each term's part of the sum of all norms, by its label.

    Args:
        norms: of the weighted terms' gradients, as `PhaseTrainer.step` names them.
    """
    total = sum(norms.values())
    if not total > 0:
        return {}
    return {name.removeprefix(BUDGET): norm / total for name, norm in norms.items()}


def idle_terms(shares: Mapping[str, float]) -> Iterator[str]:
    """A line for each term that gives less than `LEAST` of the gradient."""
    for label, share in shares.items():
        if share < LEAST:
            yield (
                f"the term {label} gives {share:.1e} of the generator's gradient, so it does next "
                "to nothing; see its weight, and whether it is a sum or a mean"
            )
