"""VGG equals a plain chain of torchvision's layers, and never has weights that no one asked for."""

import hashlib
import pickle

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from regionwise.errors import CheckpointError, ModelError
from regionwise.features import downloads
from regionwise.features import vgg as module
from regionwise.features.vgg import VGG, layer_names, load_vgg, random_vgg

# torchvision's `features`: a number is a convolution's channels, M a pooling.
CHAINS = {
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """An eighth of the channels: a hundredth of the time."""
    monkeypatch.setattr(module, "_CHANNELS", (8, 16, 32, 64, 64))


def torchvision_features(network):
    layers, channels = [], 3
    for word in CHAINS[network].split():
        if word == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, int(word) // 8, 3, padding=1), nn.ReLU()]
            channels = int(word) // 8
    return nn.Sequential(*layers)


def stored(network, seed=0):
    """A state dict as torchvision stores it, the classifier too, and the layers it belongs to."""
    torch.manual_seed(seed)
    features = torchvision_features(network)
    state = {f"features.{key}": value for key, value in features.state_dict().items()}
    return state | {"classifier.0.weight": torch.zeros(4, 4)}, features


def test_layers_of_the_papers_stand_where_torchvision_has_them():
    names = layer_names("vgg16")
    assert [names.index(n) for n in ("relu1_1", "pool1", "pool2", "pool3")] == [1, 4, 9, 16]
    names = layer_names("vgg19")
    wanted = ["conv1_1", "relu2_2", "conv3_1", "relu3_4", "relu4_4", "relu5_2", "pool5"]
    assert [names.index(n) for n in wanted] == [0, 8, 10, 17, 26, 31, 36]


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_every_layer_equals_torchvisions_chain(network, normalize, suffix, tmp_path):
    state, chain = stored(network)
    file = tmp_path / f"vgg{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(state, file)
    names = layer_names(network)
    vgg = load_vgg(network, names, normalize=normalize, file=file)
    picture = torch.rand(2, 3, 37, 45)
    found = vgg(picture)
    assert list(found) == names
    x = picture
    if normalize:
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        x = (x - mean[:, None, None]) / deviation[:, None, None]
    for name, layer in zip(names, chain, strict=True):
        x = layer(x)
        torch.testing.assert_close(found[name], x)


def test_features_do_not_depend_on_which_others_are_wanted(tmp_path):
    """In-place activations must not reach a wanted convolution's answer."""
    picture = torch.rand(1, 3, 32, 32)
    together = random_vgg("vgg16", layer_names("vgg16"))(picture)
    for name in ("conv1_1", "relu1_1", "conv2_2", "pool2", "relu3_3"):
        torch.testing.assert_close(random_vgg("vgg16", [name])(picture)[name], together[name])


def test_gradient_reaches_the_picture_and_no_weight():
    vgg = random_vgg("vgg16", ["conv1_2", "relu1_2", "pool2"]).double()
    assert not vgg.training
    assert not any(parameter.requires_grad for parameter in vgg.parameters())
    picture = torch.rand(1, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: tuple(vgg(p).values()), picture)


def test_ends_after_the_last_wanted_layer():
    vgg = random_vgg("vgg19", ["pool1"])
    assert sorted(vgg.state_dict()) == [
        f"features.{n}.{end}" for n in (0, 2) for end in ("bias", "weight")
    ]


def test_half_precision():
    vgg = random_vgg("vgg16", ["pool2"])
    picture = torch.rand(1, 3, 32, 32)
    exact = vgg(picture)["pool2"]
    with torch.autocast("cpu", torch.bfloat16):
        cast = vgg(picture)["pool2"]
    half = vgg.to(torch.bfloat16)(picture)["pool2"]
    assert cast.dtype == half.dtype == torch.bfloat16
    for other in (cast, half):
        assert F.mse_loss(other.float(), exact).sqrt() < 0.02 * exact.std()


def test_random_weights_are_the_seeds_and_leave_other_random_numbers_alone():
    before = torch.get_rng_state()
    one, same = (random_vgg("vgg16", ["relu2_1"], seed=3) for _ in range(2))
    other = random_vgg("vgg16", ["relu2_1"], seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    picture = torch.rand(1, 3, 16, 16)
    assert torch.equal(one(picture)["relu2_1"], same(picture)["relu2_1"])
    assert not torch.equal(one(picture)["relu2_1"], other(picture)["relu2_1"])
    assert one(picture)["relu2_1"].any()


def test_without_weights_every_feature_is_no_number():
    assert VGG("vgg16", ["conv1_1"])(torch.rand(1, 3, 8, 8))["conv1_1"].isnan().all()


class TestDownload:
    @pytest.fixture
    def published(self, tmp_path, monkeypatch):
        """A small "published" file, its URL, and an empty cache."""
        monkeypatch.setenv("REGIONWISE_CACHE", str(tmp_path / "cache"))
        state, _ = stored("vgg16")
        torch.save(state, tmp_path / "weights")
        digest = hashlib.sha256((tmp_path / "weights").read_bytes()).hexdigest()[:8]

        def publish(digits=digest):
            file = tmp_path / f"vgg16-{digits}.pth"
            (tmp_path / "weights").rename(file)
            weights = downloads.Weights(file.name, file.as_uri(), digits, "")
            monkeypatch.setitem(module._WEIGHTS, "vgg16", weights)
            return file

        return publish

    def test_is_kept(self, published):
        file = published()
        first = load_vgg("vgg16", ["pool1"]).state_dict()
        file.unlink()
        second = load_vgg("vgg16", ["pool1"]).state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)

    def test_of_another_file_than_the_published_one(self, published):
        published("00000000")
        with pytest.raises(CheckpointError, match=r"another file than .*--vgg PATH"):
            load_vgg("vgg16", ["pool1"])

    def test_without_a_network(self, published):
        published().unlink()
        with pytest.raises(ModelError, match=r"can't be fetched .*--vgg PATH") as caught:
            load_vgg("vgg16", ["pool1"])
        assert "\n" not in str(caught.value)


class TestBadInput:
    def test_unknown_layer(self):
        with pytest.raises(ModelError, match="no layer 'conv3_4'"):
            random_vgg("vgg16", ["conv3_4"])

    def test_small_picture(self):
        with pytest.raises(ModelError, match="up to pool3 needs pictures of 8 pixels"):
            random_vgg("vgg16", ["pool3"])(torch.rand(1, 3, 7, 20))

    def test_missing_file(self, tmp_path):
        with pytest.raises(CheckpointError, match="there is no such file"):
            load_vgg("vgg16", ["pool1"], file=tmp_path / "none.pth")

    @pytest.mark.parametrize("name", ["vgg.pth", "vgg.safetensors"])
    def test_broken_file(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"not weights at all")
        with pytest.raises(CheckpointError, match="not readable weights") as caught:
            load_vgg("vgg16", ["pool1"], file=tmp_path / name)
        assert "\n" not in str(caught.value)

    def test_code_in_a_pickle_is_not_run(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (open, (str(tmp_path / "sprung"), "w"))

        (tmp_path / "vgg.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
        with pytest.raises(CheckpointError):
            load_vgg("vgg16", ["pool1"], file=tmp_path / "vgg.pth")
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize(("holds", "asked"), [("vgg16", "vgg19"), ("vgg19", "vgg16")])
    def test_the_other_network(self, tmp_path, holds, asked):
        """Their first layers have the same shapes."""
        torch.save(stored(holds)[0], tmp_path / "vgg.pth")
        with pytest.raises(CheckpointError, match=f"not torchvision's {asked}"):
            load_vgg(asked, ["pool1"], file=tmp_path / "vgg.pth")

    def test_another_dictionary(self, tmp_path):
        torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "vgg.pth")
        with pytest.raises(CheckpointError, match=r"has no features\.0\.weight"):
            load_vgg("vgg16", ["pool1"], file=tmp_path / "vgg.pth")

    def test_other_shapes(self, tmp_path):
        state, _ = stored("vgg16")
        state["features.0.weight"] = torch.zeros(8, 1, 3, 3)
        torch.save(state, tmp_path / "vgg.pth")
        with pytest.raises(CheckpointError, match=r"features.0.weight is \(8, 1, 3, 3\)"):
            load_vgg("vgg16", ["pool1"], file=tmp_path / "vgg.pth")
