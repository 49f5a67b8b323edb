"""The loss of a phase: the recipe's terms, taken of a network's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from regionwise.losses.structural_similarity import structural_similarity
from regionwise.recipe.losses import (
    AdversarialTerm,
    CorrelationTerm,
    FeatureMatchingTerm,
    FeatureTerm,
    L1Term,
    L2Term,
    PerceptualTerm,
    StructuralSimilarityTerm,
    StyleTerm,
    Term,
    TotalVariationTerm,
)
from regionwise.training.adversary import Adversary, Judgement
from regionwise.training.features import FeatureNetworks, Features
from regionwise.training.term_values import feature_value, pixel_value, variation_value
from regionwise.training.view import Compared, View

Autocast = Callable[[], AbstractContextManager[None]]


class Objective:
    """The terms of a phase.

    Every term is a mean over the pictures of a number of each picture. So a batch may be cut into
    parts, for several processes or to spare memory, and the mean of the parts' values, weighted by
    their pictures, is the batch's.

    Args:
        terms: of the phase.
        features: for the terms that compare features.
        adversary: for the adversarial terms, if there are any.
        autocast: a context of the precision that is trained in.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        features: FeatureNetworks,
        adversary: Adversary | None,
        autocast: Autocast,
    ) -> None:
        self.terms = dict(zip(labels(terms), terms, strict=True))
        self.features = features
        self.adversary = adversary
        self.autocast = autocast

    def __call__(self, view: View, discriminator: nn.Module | None) -> dict[str, Tensor]:
        """Each term's value, by its label; they are not weighted yet."""
        looks = _Looks(self, view, discriminator)
        return {label: self._value(term, view, looks) for label, term in self.terms.items()}

    def total(self, values: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the terms' values."""
        return torch.stack([self.terms[name].weight * v for name, v in values.items()]).sum()

    def fakes(self, view: View) -> list[Compared]:
        """The pictures that the discriminator is to tell from true ones, each once."""
        pictures = {}
        for term in self.terms.values():
            if isinstance(term, AdversarialTerm | FeatureMatchingTerm):
                for compared in view.compared(term.stages, term.picture):
                    pictures[compared.key] = compared
        return list(pictures.values())

    def _value(self, term: Term, view: View, looks: _Looks) -> Tensor:
        values = [
            self._compare(term, compared, view, looks)
            for compared in view.compared(term.stages, term.picture)
        ]
        return torch.stack(values).sum()

    def _compare(self, term: Term, compared: Compared, view: View, looks: _Looks) -> Tensor:
        if isinstance(term, L1Term | L2Term):
            return pixel_value(term, compared, view.hole_share)
        if isinstance(term, TotalVariationTerm):
            return variation_value(term, compared)
        if isinstance(term, StructuralSimilarityTerm):
            return structural_similarity(compared.answer, compared.truth)
        if isinstance(term, PerceptualTerm | StyleTerm | CorrelationTerm):
            return feature_value(term, *looks.features(term, compared))
        assert self.adversary
        if isinstance(term, AdversarialTerm):
            return self.adversary.generator_loss(looks.judgement(compared), view.mask)
        return self.adversary.feature_distance(
            term, looks.judgement(compared), looks.judgement_of_truth(compared)
        )


class _Looks:
    """Features and judgements of one view's pictures, each made once, when it is asked for."""

    def __init__(self, objective: Objective, view: View, discriminator: nn.Module | None) -> None:
        self._objective = objective
        self._view = view
        self._discriminator = discriminator
        self._features: dict[object, Features] = {}
        self._judgements: dict[object, Judgement] = {}

    def features(self, term: FeatureTerm, compared: Compared) -> tuple[Features, Features]:
        """Of the answer and of the truth."""
        with torch.no_grad():
            # All stages of one size have one truth, but what is black outside the hole another.
            truth = (compared.key[1] == "hole", compared.truth.shape)
            of_truth = self._features_of(term, truth, compared.truth)
        return self._features_of(term, compared.key, compared.answer), of_truth

    def _features_of(self, term: FeatureTerm, name: object, picture: Tensor) -> Features:
        key = (name, term.features.network, term.features.normalize, term.features.size)
        if key not in self._features:
            autocast = self._objective.autocast()
            self._features[key] = self._objective.features(term.features, picture, autocast)
        return self._features[key]

    def judgement(self, compared: Compared) -> Judgement:
        """What the discriminator says of a filled picture; gradients reach the picture alone."""
        if not self._judgements:
            fakes = self._objective.fakes(self._view)
            judged = self._judge([fake.answer for fake in fakes])
            self._judgements = dict(zip([fake.key for fake in fakes], judged, strict=True))
        return self._judgements[compared.key]

    def judgement_of_truth(self, compared: Compared) -> Judgement:
        """What the discriminator says of the true picture; no gradients."""
        if "truth" not in self._judgements:
            with torch.no_grad():
                self._judgements["truth"] = self._judge([compared.truth])[0]
        return self._judgements["truth"]

    def _judge(self, candidates: list[Tensor]) -> list[Judgement]:
        assert self._objective.adversary
        assert self._discriminator
        self._discriminator.requires_grad_(False)
        try:
            with self._objective.autocast():
                view = self._view
                return self._objective.adversary.judge(
                    self._discriminator, view.image, view.mask, candidates
                )
        finally:
            self._discriminator.requires_grad_(True)


def labels(terms: Sequence[Term]) -> list[str]:
    """A name for each term: the loss, and what tells it from others of the same loss."""
    names = [_label(term) for term in terms]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name}-{k}" if name in twice else name for k, name in enumerate(names)]


def _label(term: Term) -> str:
    parts: list[object] = [term.name]
    if getattr(term, "region", "all") != "all":
        parts.append(getattr(term, "region"))  # noqa: B009 - not all terms have one
    if term.stage != -1:
        parts += ["stage", *term.stages] if isinstance(term.stages[0], int) else term.stages
    return "_".join(map(str, parts))
