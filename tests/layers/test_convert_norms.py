"""Region norms in someone's own network: what stays, where the mask goes, that it learns."""

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from regionwise.errors import ModelError
from regionwise.layers.convert_norms import convert_norms
from regionwise.layers.region_norm import RegionNormBasic, RegionNormLearnable


class Someones(nn.Module):
    """A U-Net as people write them; knows nothing of masks but a fourth channel."""

    def __init__(self, norm, width=8):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(4, width, 3, 2, 1), norm(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, 2, 1), norm(2 * width), nn.ReLU(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, 1, 1), norm(width), nn.ReLU(), nn.Conv2d(width, 3, 1)
        )
        self.recomputes = False

    def forward(self, x, scale=1.0):
        y = checkpoint(self.encoder, x, use_reentrant=False) if self.recomputes else self.encoder(x)
        return scale * F.interpolate(self.decoder(y), size=x.shape[-2:])


def batch_norm(width):
    return nn.BatchNorm2d(width, eps=1e-3)


NORMS = {
    "batch": batch_norm,
    "instance": lambda width: nn.InstanceNorm2d(width, affine=True),
    "instance without weights": nn.InstanceNorm2d,
    "group": lambda width: nn.GroupNorm(4, width),
}


def someones(norm="instance"):
    torch.manual_seed(0)
    network = Someones(NORMS[norm]).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return network


def question(height=21, width=30):
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(2, 1, height, width, dtype=torch.double)
    mask[0, :, 5:15, 8:20] = 1
    mask[1, :, :9, 20:] = 1
    x = torch.rand(2, 4, height, width, dtype=torch.double, generator=generator)
    return x, mask


@pytest.mark.parametrize("norm", NORMS)
def test_where_nothing_is_missing_nothing_changes(norm):
    network, (x, mask) = someones(norm), question()
    expected = network(x)
    own = "batch" if norm == "batch" else None
    converted = convert_norms(network, statistics=own)
    assert converted is network
    torch.testing.assert_close(network(x, hole_mask=mask * 0), expected)
    assert not torch.allclose(network(x, hole_mask=mask), expected)


def test_each_norm_sees_the_mask_at_its_own_size():
    network, (x, mask) = convert_norms(someones("batch")), question()
    seen = []
    for module in network.modules():
        if isinstance(module, RegionNormBasic):
            assert module.eps == 1e-3
            module.register_forward_hook(lambda m, inputs, y: seen.append((m, *inputs, y)))
    network(x, hole_mask=mask)
    assert [features.shape[2:] for _, features, _, _ in seen] == [(11, 15), (6, 8), (6, 8)]
    for norm, features, given, answer in seen:
        hole = F.interpolate(given, size=features.shape[2:])[:, 0] > 0.5
        for picture in range(2):
            for number, region in enumerate((~hole[picture], hole[picture])):
                values = features[picture][:, region]
                normal = (values - values.mean(1, keepdim=True)) / (
                    values.var(1, keepdim=True, unbiased=False) + norm.eps
                ).sqrt()
                scaled = normal * norm.weight[number, :, None] + norm.bias[number, :, None]
                torch.testing.assert_close(answer[picture][:, region], scaled)


def test_kinds_are_chosen_by_name():
    def kind(name, norm):
        return {"encoder.1": "basic", "encoder.4": "learnable"}.get(name, "keep")

    network = convert_norms(someones(), kind, threshold=0.6)
    assert isinstance(network.encoder[1].norm, RegionNormBasic)
    assert isinstance(network.encoder[4].norm, RegionNormLearnable)
    assert network.encoder[4].norm.threshold == 0.6
    assert isinstance(network.decoder[1], nn.InstanceNorm2d)
    x, mask = question()
    assert network(x, hole_mask=mask).isfinite().all()


def test_gradients_are_those_of_finite_differences():
    network, (x, mask) = convert_norms(someones("group")), question(7, 9)
    x.requires_grad_()
    weights = [p for p in network.parameters() if p.ndim == 2]
    assert len(weights) == 6  # γ and β of three norms, for two regions each
    assert torch.autograd.gradcheck(
        lambda x, *_: network(x, hole_mask=mask), (x, *weights), atol=1e-5, fast_mode=True
    )


def test_it_learns_and_every_weight_is_moved():
    network, (x, mask) = convert_norms(someones("batch")), question()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = (network(x, hole_mask=mask) - x[:, :3]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_activations_may_be_recomputed():
    network, (x, mask) = convert_norms(someones()), question()
    gradients = []
    for network.recomputes in (False, True):
        network.zero_grad()
        network(x, hole_mask=mask).square().mean().backward()
        gradients.append([p.grad.clone() for p in network.parameters()])
    torch.testing.assert_close(*gradients)


def test_copies_and_files_have_masks_of_their_own():
    network, (x, mask) = convert_norms(someones()), question()
    expected = network(x, hole_mask=mask)
    twin = copy.deepcopy(network)
    twin(x, hole_mask=1 - mask)
    stored = io.BytesIO()
    torch.save(network.state_dict(), stored)
    stored.seek(0)
    other = convert_norms(someones("group"), statistics="instance")
    other.load_state_dict(torch.load(stored, weights_only=True))
    torch.testing.assert_close(other(x, hole_mask=mask), expected)
    assert network.encoder[1]._carried.mask is mask  # the copy's call did not change it


def test_other_arguments_one_mask_for_all_and_half_precision():
    network, (x, mask) = convert_norms(someones()), question()
    torch.testing.assert_close(
        network(x, scale=2.0, hole_mask=mask[:1]),
        2 * network(x, hole_mask=mask[:1].expand(2, -1, -1, -1)),
    )
    half = network.bfloat16()
    assert half(x.bfloat16(), hole_mask=mask.float()).dtype == torch.bfloat16


def test_a_shared_norm_stays_one():
    norm = nn.InstanceNorm2d(3, affine=True)
    network = convert_norms(nn.Sequential(nn.Conv2d(3, 3, 1), norm, nn.Conv2d(3, 3, 1), norm))
    assert network[1] is network[3]


def test_what_is_told():
    network, (x, mask) = convert_norms(someones()), question()
    with pytest.raises(ModelError, match="call it with hole_mask="):
        network(x)
    with pytest.raises(ModelError, match="call it with hole_mask="):
        network(x, hole_mask=mask[:, 0])
    with pytest.raises(ModelError, match="holds 3 masks for 2 pictures"):
        network(x, hole_mask=torch.ones(3, 1, 4, 4))
    with pytest.raises(ModelError, match="call the network that was converted"):
        convert_norms(someones()).encoder(x)
    with pytest.raises(ModelError, match="Sequential has no BatchNorm2d"):
        convert_norms(nn.Sequential(nn.Conv2d(3, 3, 1)))
    with pytest.raises(ModelError, match="not the norm alone"):
        convert_norms(nn.BatchNorm2d(3))
    with pytest.raises(ModelError, match="kind gave 'best'"):
        convert_norms(someones(), lambda name, norm: "best")
