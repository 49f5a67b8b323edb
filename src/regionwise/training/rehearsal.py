"""A recipe is tried on one small batch before anything is written: what can't train is said."""

from __future__ import annotations

import torch
from torch import nn

from regionwise.discriminators.discriminator import judge_all
from regionwise.discriminators.registry import create_discriminator
from regionwise.errors import ModelError, RecipeError
from regionwise.losses.adversarial.registry import create_adversarial_loss
from regionwise.models.registry import create_model
from regionwise.recipe.losses import DiscriminatorTerm, FlowTerm, NetworkTerm
from regionwise.recipe.schema import Phase, Recipe
from regionwise.training.guides import stand_in_guide
from regionwise.training.players import choose_parts
from regionwise.training.view import View


@torch.no_grad()
def rehearse(recipe: Recipe) -> None:
    """Let each phase's networks look at a batch of two random pictures, with random weights.

    Features are not compared: their weights may have to be fetched. The state of torch's random
    numbers is left as it was.

    Raises:
        RecipeError: if a phase can't be trained: an unknown network, option or part, a stage that
            the network does not have, pictures that a network or discriminator can't take.
    """
    with torch.random.fork_rng():
        try:
            network = create_model(recipe.model.name, **recipe.model.options)
        except ModelError as error:
            raise RecipeError(f"model: {error}") from error
        trainable = [p for p in network.parameters() if p.requires_grad]
        for phase in recipe.phases:
            try:
                choose_parts(network, trainable, phase.parts)
                _rehearse_phase(recipe, phase, network)
            except (RecipeError, ModelError) as error:
                raise RecipeError(f"phase {phase.name}: {error}") from error


def _rehearse_phase(recipe: Recipe, phase: Phase, network: nn.Module) -> None:
    size = phase.data.size
    image, mask = torch.rand(2, 3, size, size), torch.zeros(2, 1, size, size)
    mask[..., size // 4 : size // 2, size // 4 : size // 2] = 1
    guide = stand_in_guide(image, phase.data.guide)
    if guide is None:
        prediction = network(image, mask)
    else:
        prediction = network(image, mask, guide, along_guide=phase.guide == "true")
    view = View(image, mask, prediction, float(mask.mean()), guide)
    for term in phase.terms:
        if isinstance(term, NetworkTerm):
            view.number(term.number)
        if isinstance(term, FlowTerm):
            view.flow()
    compared = [(term, list(view.compared(term.stages, term.picture))) for term in phase.terms]
    section = recipe.discriminator_of(phase)
    if section is None or not phase.adversarial:
        return
    discriminator = create_discriminator(section.name, section.options)
    loss = create_adversarial_loss(section.loss.name, section.loss.options)
    judged = [ones for term, ones in compared if isinstance(term, DiscriminatorTerm)]
    pictures = [one.answer for ones in judged for one in ones]
    try:
        for judgement in judge_all(discriminator, pictures, image, mask):
            for scale in judgement:
                loss.discriminator(scale.scores, [scale.scores], mask)
                loss.generator(scale.scores, mask)
    except (RuntimeError, IndexError) as error:
        raise RecipeError(
            f"the discriminator {section.name} can't judge these pictures "
            f"({str(error).splitlines()[0]})"
        ) from error
