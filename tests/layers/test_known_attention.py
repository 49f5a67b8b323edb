"""Against the definition, place by place."""

import torch

from regionwise.layers.known_attention import KnownAttention


def random_layer(channels, heads):
    layer = KnownAttention(channels, heads).double()
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.7)
    return layer


def literal(layer, x, missing):
    batch, channels, height, width = x.shape
    places = [(i, j) for i in range(height) for j in range(width)]
    size = channels // layer.heads
    answer = torch.zeros_like(x)
    for n in range(batch):
        mixed = {
            place: layer.enter.weight[:, :, 0, 0] @ layer.norm(x[(n, slice(None), *place)])
            for place in places
        }
        for place in places:
            taken = []
            for head in range(layer.heads):
                part = slice(head * size, (head + 1) * size)
                query = mixed[place][:channels][part]
                keys = [mixed[other][channels : 2 * channels][part] for other in places]
                values = [mixed[other][2 * channels :][part] for other in places]
                scores = [
                    query @ key / size**0.5 - layer.penalty[head] * missing[(n, 0, *other)]
                    for key, other in zip(keys, places, strict=True)
                ]
                shares = torch.stack(scores).exp()
                taken.append((shares / shares.sum()) @ torch.stack(values))
            y = layer.leave.weight[:, :, 0, 0] @ torch.cat(taken) + layer.leave.bias
            answer[(n, slice(None), *place)] = y
    return answer


def test_is_its_definition():
    torch.manual_seed(0)
    layer = random_layer(6, 2)
    x, missing = torch.randn(2, 6, 3, 4).double(), torch.rand(2, 1, 3, 4).double()
    with torch.no_grad():
        assert torch.allclose(layer(x, missing), literal(layer, x, missing))


def test_a_missing_place_is_no_source_where_the_penalty_is_large():
    layer = random_layer(4, 1)
    torch.nn.init.constant_(layer.penalty, 1e4)
    x, missing = torch.randn(1, 4, 2, 3).double(), torch.zeros(1, 1, 2, 3).double()
    missing[..., 0, 0] = 1
    other = x.clone()
    other[..., 0, 0] += torch.randn(4)
    with torch.no_grad():
        difference = layer(x, missing) - layer(other, missing)
    assert difference[..., 0, 0].abs().max() > 0  # its own query is another
    difference[..., 0, 0] = 0
    assert not difference.any()


def test_nothing_at_first():
    x = torch.randn(2, 64, 5, 4)
    assert not KnownAttention(64, 2)(x, torch.rand(2, 1, 5, 4)).any()
