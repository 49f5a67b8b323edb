"""The papers' diagnosis: what is drawn is what the layers computed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tests.support.pictures import open_picture
from torch import nn

from regionwise.checkpoints import Checkpoint, save_checkpoint
from regionwise.cli import main
from regionwise.explain import explain
from regionwise.explain.attention import attention_of, recorded_attention
from regionwise.explain.back_projections import recorded_projections
from regionwise.explain.color_maps import amounts, black_and_white, grey, signs
from regionwise.explain.decoders import recorded_decoders
from regionwise.explain.look import deepest_point
from regionwise.explain.mask_filters import window_filters
from regionwise.explain.panel import PanelSection, Tile, draw_panel
from regionwise.explain.region_convs import filter_parts, recorded_filters
from regionwise.explain.region_norms import recorded_regions
from regionwise.layers.mask_aware_filter import MaskAwareFilter
from regionwise.layers.region_conv import RegionConv
from regionwise.layers.self_attention import SelfAttention
from regionwise.models.registry import create_model, model_names, network_card


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    mask = np.zeros((1, 40, 52), np.float32)
    mask[:, 10:25, 12:40] = 1
    return rng.random((3, 40, 52), np.float32) * (1 - mask), mask


def tiny(name, **options):
    torch.manual_seed(0)
    sizes = {"rn": {"width": 4, "blocks": 8}, "madf": {"width": 8, "levels": 3, "refinements": 1}}
    return create_model(name, **sizes.get(name, {}), **options).eval()


class TestLearnedRegions:
    def test_are_those_that_the_layers_work_with(self, picture):
        network = tiny("rn", threshold=0.6)
        layer = network.middle[5].norm1
        inputs = []
        hook = layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        image, mask = (torch.from_numpy(array)[None] for array in picture)
        with recorded_regions(network) as layers:
            network(image, mask)
        hook.remove()
        assert len(layers) == 2 * 8 + 2
        found = next(one for one in layers if one.name == "R6RN1")
        x = inputs[0]
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        response = torch.sigmoid(F.conv2d(pooled, layer.response.weight, padding=3))
        maps = F.conv2d(response, layer.affine.weight, layer.affine.bias, padding=3).detach()
        np.testing.assert_allclose(found.response, response[0, 0].detach(), atol=1e-6)
        np.testing.assert_allclose(found.gamma, maps[0, 0], atol=1e-6)
        np.testing.assert_allclose(found.beta, maps[0, 1], atol=1e-6)
        assert (found.region() == (found.response >= 0.6)).all()
        assert (found.region(0.3) >= found.region()).all()

    def test_leave_the_network_as_it_was(self, picture):
        network = tiny("rn")
        image, mask = (torch.from_numpy(array)[None] for array in picture)
        before = network(image, mask).answer
        with recorded_regions(network) as layers:
            network(image, mask)
        network(image, mask)
        assert len(layers) == 18
        assert torch.equal(network(image, mask).answer, before)


class TestWindowFilters:
    def test_filter_as_the_layer_does(self):
        """Each kind of window, cut out of the picture and filtered by itself."""
        torch.manual_seed(1)
        layer = MaskAwareFilter(2, 3, 5, mask_channels=1, stride=2)
        known = (torch.rand(1, 1, 14, 14) > 0.4).float()
        known[..., 8:, 8:] = 1
        windows = window_filters(layer, known, count=4)
        patches = F.unfold(known, 5, padding=2, stride=2)[0].T.view(-1, 5, 5)
        x = torch.rand(1, 2, 14, 14)
        answer, _ = layer(x, known)
        answers = answer[0].flatten(1).T
        for window in windows:
            alike = [k for k, patch in enumerate(patches) if (patch.numpy() == window.known).all()]
            assert len(alike) == window.count
            cut = F.unfold(x, 5, padding=2, stride=2)[0].T[alike[0]].view(1, 2, 5, 5)
            expected = F.conv2d(cut, torch.from_numpy(window.filters)).flatten()
            torch.testing.assert_close(answers[alike[0]], expected)

    def test_windows_differ_and_begin_with_the_known_one(self):
        layer = MaskAwareFilter(6, 2, 7, mask_channels=3, stride=2)
        known = torch.ones(1, 3, 32, 32)
        known[..., 10:20, 10:20] = 0
        windows = window_filters(layer, known)
        assert len(windows) == 8
        assert windows[0].known.all()
        assert not windows[1].known.any()
        assert len({window.known.tobytes() for window in windows}) == 8

    def test_a_mask_without_hole_has_few_kinds(self):
        layer = MaskAwareFilter(6, 2, 3, mask_channels=3, stride=1)
        assert len(window_filters(layer, torch.ones(1, 3, 9, 9), count=50)) == 9


@pytest.mark.parametrize("name", model_names())
def test_panel_of_each_network(name, picture):
    network = create_model(name, **network_card(name).slim).eval()
    panel = explain(network, *picture, title="a title")
    assert panel.mode == "RGB"
    pixels = np.asarray(panel)
    assert min(pixels.shape[:2]) > 250
    assert (pixels[-10:] == 255).all()
    assert (pixels[:, -10:] == 255).all(), "a tile is cut off"


def test_a_network_with_more_to_show_gets_more(picture):
    heights = [explain(tiny("rn", architecture=number), *picture).height for number in (1, 5)]
    assert heights[1] > heights[0] + 500


class TestAttention:
    def test_is_the_layers_own(self):
        """The weights of a position, over the values, are what the layer gives it."""
        torch.manual_seed(0)
        layer = SelfAttention(6)
        nn.init.normal_(layer.output.weight)
        x = torch.randn(1, 6, 5, 7)
        weights = attention_of(layer, x, (3, 2))
        assert weights.sum().item() == pytest.approx(1, abs=1e-6)
        value = layer.embedding(x)[0].chunk(3)[2]
        attended = torch.einsum("hw,chw->c", weights, value)
        expected = x[0, :, 3, 2] + layer.output(attended.view(1, -1, 1, 1))[0, :, 0, 0]
        torch.testing.assert_close(layer(x)[0, :, 3, 2], expected)

    def test_a_point_is_followed_at_three_scales(self):
        network = create_model("deepgin", width=4, blocks=2).eval()
        image, mask = torch.rand(1, 3, 90, 130), torch.zeros(1, 1, 90, 130)
        mask[..., 30:60, 40:100] = 1
        with recorded_attention(network, (45, 70), 90) as layers, torch.no_grad():
            network(image, mask)
        assert [(one.stride, one.position) for one in layers] == [
            (16, (2, 4)), (8, (5, 8)), (4, (11, 17))
        ]  # fmt: skip
        assert [one.weights.shape for one in layers] == [(6, 9), (12, 18), (24, 36)]

    def test_the_deepest_point_is_in_the_middle_of_the_hole(self):
        hole = np.zeros((30, 40), bool)
        hole[5:16, 10:33] = True
        row, column = deepest_point(hole)
        assert row == 10
        assert 15 <= column <= 27
        assert deepest_point(hole & False) == (15, 20)


def test_back_projection_is_taken_apart():
    network = create_model("deepgin", width=4, blocks=2).train()
    image, mask = torch.rand(1, 3, 32, 48), torch.zeros(1, 1, 32, 48)
    mask[..., 8:20, 10:40] = 1
    with recorded_projections(network) as found, torch.no_grad():
        answer = network(image, mask).answer
    (one,) = found
    torch.testing.assert_close(one.before + one.weight * one.residual, answer)
    assert 0 < one.weight.min() < one.weight.max() < 1


@pytest.mark.parametrize("reading", ["released", "window"])
@pytest.mark.parametrize("upsample", [False, True])
def test_filters_parts_add_up_to_the_answer(reading, upsample):
    torch.manual_seed(0)
    layer = RegionConv([5, 3], 4, reading=reading, upsample=upsample)
    maps = [torch.randn(1, 5, 12, 10), torch.randn(1, 3, 12, 10)]
    hole = torch.zeros(1, 1, 12, 10)
    hole[..., 3:8, 2:7] = 1
    regions = torch.cat([1 - hole, hole], dim=1)
    known, missing = filter_parts(layer, maps, regions)
    answer = layer(maps, regions)
    if reading == "released":
        torch.testing.assert_close(known + missing + layer.bias.view(1, -1, 1, 1), answer)
        return
    size = answer.shape[2:]
    inside = F.interpolate(hole, size=size) > 0.5
    if not upsample:  # with corners aligned, doubled regions lie elsewhere
        assert (known * inside).abs().max() == 0
        assert (missing * ~inside).abs().max() == 0
    assert ((known != 0) & (missing != 0)).sum() == 0


def test_the_holes_filter_works_in_the_hole():
    network = create_model("region-wise", width=4).eval()
    image, mask = torch.rand(1, 3, 80, 80), torch.zeros(1, 1, 80, 80)
    mask[..., 20:60, 20:60] = 1
    with recorded_filters(network) as layers, torch.no_grad():
        network(image, mask)
    assert [one.parts[0].shape for one in layers] == [(40, 40), (40, 40), (80, 80)]
    for one in layers:
        share = one.share(1)
        middle, edge = share.shape[0] // 2, 2
        assert share[middle, middle] == 1
        assert share[edge, edge] == 0


def test_decoders_level_by_level():
    network = tiny("madf")
    image, mask = torch.rand(1, 3, 40, 52), torch.zeros(1, 1, 40, 52)
    mask[..., 10:25, 12:40] = 1
    with recorded_decoders(network) as decoders, torch.no_grad():
        network(image, mask)
    shapes = [(10, 14), (20, 28)]
    assert {name: [x.shape for x in found] for name, found in decoders.items()} == {
        "recovery": shapes, "refinement 1": shapes
    }  # fmt: skip


def test_panel_holds_the_tiles_unchanged():
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 200, (30, 50, 3), np.uint8)
    panel = np.asarray(draw_panel("t", [PanelSection("s", "n", [("", [Tile(tile)])], height=30)]))
    places = np.argwhere((panel[:-29, :-49] == tile[0, 0]).all(-1))
    assert any((panel[y : y + 30, x : x + 50] == tile).all() for y, x in places)


def test_colors():
    values = np.array([[-1.0, 0.0, 1.0]])
    below, zero, above = signs(values, 1)[0].astype(int)
    assert below[2] > below[0]
    assert above[0] > above[2]
    assert np.ptp(zero) == 0
    luminance = amounts(np.linspace(0, 1, 20)[None])[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()
    assert (np.diff(grey(np.linspace(-3, 9, 20)[None])[0, :, 0].astype(int)) > 0).all()
    assert black_and_white(np.array([[True, False]])).tolist() == [[[255] * 3, [0] * 3]]


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path):
        rng = np.random.default_rng(0)
        Image.fromarray(rng.integers(0, 255, (50, 90, 3), np.uint8)).save(tmp_path / "photo.png")
        hole = np.zeros((50, 90), np.uint8)
        hole[10:30, 20:60] = 255
        Image.fromarray(hole).save(tmp_path / "mask.png")
        options = {"width": 4, "blocks": 1}
        weights = dict(create_model("rn", **options).state_dict())
        save_checkpoint(Checkpoint("rn", options, weights), tmp_path / "tiny.safetensors")
        return tmp_path

    def run(self, folder, *more, mask="mask.png"):
        call = ["explain", folder / "photo.png", folder / mask, "-o", folder / "panel.png"]
        return main([*map(str, call), *more])

    def test_with_the_bundled_network(self, files):
        assert self.run(files, "--size", "64", "--point", "30,20") == 0
        assert open_picture(files / "panel.png").width > 600

    def test_with_a_file_and_not_over_one(self, files, capsys):
        model = ("--model", str(files / "tiny.safetensors"))
        assert self.run(files, *model) == 0
        assert self.run(files, *model) == 2
        assert "--overwrite" in capsys.readouterr().err
        assert self.run(files, *model, "--overwrite") == 0

    @pytest.mark.parametrize(
        ("more", "mask", "message"),
        [
            (("--model", "nothing.pt"), "mask.png", "nothing.pt: there is no such file"),
            (("--model", "telea"), "mask.png", "telea: there is no such file"),
            ((), "tiny.safetensors", "mask can't be used"),
            (("--point", "90,3"), "mask.png", "--point 90,3: give X,Y inside the photo, 90x50"),
        ],
    )
    def test_bad_input_is_told_in_a_line(self, files, capsys, more, mask, message):
        assert self.run(files, *more, mask=mask) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not (files / "panel.png").exists()
