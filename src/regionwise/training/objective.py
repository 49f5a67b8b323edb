"""The loss of a phase: the recipe's terms, taken of a network's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from regionwise.discriminators.discriminator import Judgement, judge_all
from regionwise.losses.adversarial.adversarial_loss import AdversarialLoss
from regionwise.recipe.losses import (
    AdversarialTerm,
    DiscriminatorTerm,
    FeatureTerm,
    FlowTerm,
    NetworkTerm,
    PixelTerm,
    Term,
)
from regionwise.recipe.named import import_named
from regionwise.training.features import FeatureNetworks, Features
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
        adversarial_loss: for the adversarial terms, if there are any.
        autocast: a context of the precision that is trained in.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        features: FeatureNetworks,
        adversarial_loss: AdversarialLoss | None,
        autocast: Autocast,
    ) -> None:
        self.terms = dict(zip(labels(terms), terms, strict=True))
        self.features = features
        self.adversarial_loss = adversarial_loss
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
            if isinstance(term, DiscriminatorTerm):
                for compared in view.compared(term.stages, term.picture):
                    pictures[compared.key] = compared
        return list(pictures.values())

    def gradient_norms(self, values: dict[str, Tensor], view: View) -> dict[str, Tensor]:
        """Norm of each weighted term's gradient with respect to all pictures of the network.

        Args:
            values: as the call above gave them for this view; their graph stays alive.
            view: what they were taken of.
        """
        pictures = [picture for picture in view.pictures() if picture.requires_grad]
        norms = {}
        for label, value in values.items():
            weighted = self.terms[label].weight * value
            slopes = (
                torch.autograd.grad(weighted, pictures, retain_graph=True, allow_unused=True)
                if weighted.requires_grad
                else []
            )
            squares = [slope.float().square().sum() for slope in slopes if slope is not None]
            norms[label] = torch.stack(squares).sum().sqrt() if squares else 0 * value.detach()
        return norms

    def _value(self, term: Term, view: View, looks: _Looks) -> Tensor:
        if isinstance(term, NetworkTerm):
            return view.number(term.number).mean()
        if isinstance(term, FlowTerm):
            function: Callable[..., Tensor] = import_named(term.function)
            return function(*looks.layers_of_photo(term), view.flow(), view.mask)
        values = [
            self._compare(term, compared, view, looks)
            for compared in view.compared(term.stages, term.picture)
        ]
        return torch.stack(values).sum() if values else view.image.new_zeros(())

    def _compare(self, term: Term, compared: Compared, view: View, looks: _Looks) -> Tensor:
        """One picture's value: the term's function, called as its kind is called."""
        if isinstance(term, AdversarialTerm):
            assert self.adversarial_loss
            scales = looks.judgement(compared)
            losses = [self.adversarial_loss.generator(scale.scores, view.mask) for scale in scales]
            return torch.stack(losses).sum()
        function: Callable[..., Tensor] = import_named(term.function)
        if isinstance(term, DiscriminatorTerm):
            judgements = looks.judgement(compared), looks.judgement_of_truth(compared)
            return function(*judgements, **term.options)
        if isinstance(term, FeatureTerm):
            weights = list(term.features.layers.values())
            return function(*looks.layers(term, compared), weights, **term.options)
        pictures = compared.answer, compared.truth, compared.mask
        if isinstance(term, PixelTerm):
            return function(*pictures, hole_share=view.hole_share, **term.options)
        return function(*pictures, **term.options)


class _Looks:
    """Features and judgements of one view's pictures, each made once, when it is asked for."""

    def __init__(self, objective: Objective, view: View, discriminator: nn.Module | None) -> None:
        self._objective = objective
        self._view = view
        self._discriminator = discriminator
        self._features: dict[object, Features] = {}
        self._judgements: dict[object, Judgement] = {}

    def layers(self, term: FeatureTerm, compared: Compared) -> tuple[list[Tensor], list[Tensor]]:
        """The layers that a term compares, of the answer and of the truth."""
        with torch.no_grad():
            # All stages of one size have one truth, but what is black outside the hole another.
            truth = (compared.key[1] == "hole", compared.truth.shape)
            of_truth = self._features_of(term, truth, compared.truth)
        of_answer = self._features_of(term, compared.key, compared.answer)
        names = term.features.layers
        return [of_answer[name] for name in names], [of_truth[name] for name in names]

    def layers_of_photo(self, term: FlowTerm) -> tuple[list[Tensor], list[Tensor]]:
        """The layers that a term compares, of the truth and of the photo with its hole; grey."""
        image, mask = self._view.image, self._view.mask
        with torch.no_grad():
            of_truth = self._features_of(term, (False, image.shape), image)
            photo = torch.where(mask > 0.5, torch.full_like(image, 0.5), image)
            of_photo = self._features_of(term, "photo", photo)
        names = term.features.layers
        return [of_truth[name] for name in names], [of_photo[name] for name in names]

    def _features_of(self, term: FeatureTerm | FlowTerm, name: object, picture: Tensor) -> Features:
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
        assert self._discriminator
        self._discriminator.requires_grad_(False)
        try:
            with self._objective.autocast():
                return judge_all(self._discriminator, candidates, self._view.image, self._view.mask)
        finally:
            self._discriminator.requires_grad_(True)


def labels(terms: Sequence[Term]) -> list[str]:
    """A name for each term: the loss, and what tells it from others of the same loss."""
    names = [term.label for term in terms]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name}-{k}" if name in twice else name for k, name in enumerate(names)]
