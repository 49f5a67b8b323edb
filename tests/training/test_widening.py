import pytest
import torch

from regionwise.checkpoints import Checkpoint
from regionwise.models.registry import create_model
from regionwise.recipe.schema import ModelSection
from regionwise.training.widening import is_narrower, load_narrower

OPTIONS = {"levels": 3, "start": "membrane"}


def trained(**options):
    """A network with statistics of its own."""
    torch.manual_seed(1)
    network = create_model("madf", **(OPTIONS | options)).train()
    with torch.no_grad():
        network(torch.rand(2, 3, 32, 40), (torch.rand(2, 1, 32, 40) > 0.6).float())
        for parameter in network.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return network.eval()


@pytest.mark.parametrize("norm", ["pointwise", "batch"])
@pytest.mark.parametrize(("refinements", "narrow", "wide"), [(0, 4, 8), (1, 8, 12), (2, 8, 20)])
def test_a_wider_network_begins_with_what_the_narrower_one_computes(
    norm, refinements, narrow, wide
):
    options = {"norm": norm, "refinements": refinements}
    network = trained(width=narrow, **options)
    wider = create_model("madf", width=wide, **OPTIONS, **options)
    load_narrower(wider, network.state_dict())
    image, mask = torch.rand(2, 3, 37, 50), (torch.rand(2, 1, 37, 50) > 0.6).float()
    with torch.no_grad():
        pairs = zip(wider.eval()(image, mask).stages, network(image, mask).stages, strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_new_channels_learn_from_the_first_step_on():
    wider = create_model("madf", width=12, refinements=1, **OPTIONS).train()
    load_narrower(wider, trained(width=8, refinements=1).state_dict())
    image, mask = torch.rand(2, 3, 32, 40), (torch.rand(2, 1, 32, 40) > 0.6).float()
    (wider(image, mask).answer - image).square().mean().backward()
    last = wider.refinements[0].last.weight
    assert (last[:, 8:12] == 0).all()
    assert (last.grad[:, 8:12] != 0).any(dim=0).all()


@pytest.mark.parametrize(
    ("options", "narrower"),
    [
        ({"width": 8}, True),
        ({"width": 16}, False),
        ({"width": 8, "refinements": 1}, False),
        ({"width": 8, "encoder": "partial"}, False),
    ],
)
def test_only_the_width_may_differ(options, narrower):
    recipe = ModelSection(name="madf", options=OPTIONS | {"width": 16})
    assert is_narrower(Checkpoint("madf", OPTIONS | options, {}), recipe) is narrower
    assert not is_narrower(Checkpoint("rn", OPTIONS | options, {}), recipe)


def test_foreign_weights_are_refused():
    with pytest.raises(RuntimeError, match="another network"):
        load_narrower(create_model("madf", width=12, **OPTIONS), {"x": torch.zeros(1)})
