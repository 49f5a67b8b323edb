"""LPIPS, FID and the perceptual error, with networks of random weights where none can be had."""

import hashlib
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics
from scipy import linalg
from torch import nn

import regionwise.evaluation.metrics.lpips as lpips_module
import regionwise.evaluation.metrics.perceptual as perceptual_module
from regionwise.errors import CheckpointError, DataError, ModelError, RegionwiseError
from regionwise.evaluation.feature_files import FeatureFile, distances
from regionwise.evaluation.feature_sums import FeatureSums, distance_of_sums
from regionwise.evaluation.metrics.frechet import Moments, frechet_distance
from regionwise.evaluation.metrics.lpips import VGG_LAYERS, Lpips, lpips
from regionwise.evaluation.metrics.metric import FilledPicture
from regionwise.evaluation.metrics.perceptual import PerceptualError
from regionwise.features import alexnet, downloads, imagenet, vgg
from regionwise.features.inception import TorchScriptFeatures, load_extractor

HEADS = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models"


def torchvision_alexnet():
    """The convolutions of AlexNet as torchvision builds them."""
    pool = {"kernel_size": 3, "stride": 2}
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(**pool),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(**pool),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(**pool),
    )  # fmt: skip


def torchvision_vgg16():
    layers, channels = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


BUILDERS = {"alex": torchvision_alexnet, "vgg": torchvision_vgg16}
FILES = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
TAPS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
"""Numbers of the activations that are compared, in torchvision's `features`."""
SMALLEST = {"alex": alexnet.SMALLEST, "vgg": 16}


def network_of(name, built, folder):
    """Our form of a network, with the weights of torchvision's."""
    file = folder / FILES[name]
    torch.save(weights_of(built), file)
    if name == "alex":
        return alexnet.load_alexnet(file)
    return vgg.load_vgg("vgg16", VGG_LAYERS, file=file)


@pytest.fixture(params=["alex", "vgg"])
def net(request, monkeypatch):
    """A network's name and torchvision's form of it; torchmetrics finds that as `torchvision`."""
    torch.manual_seed(0)
    built = BUILDERS[request.param]()
    models = types.SimpleNamespace(
        alexnet=lambda **_: types.SimpleNamespace(features=built),
        vgg16=lambda **_: types.SimpleNamespace(features=built),
        AlexNet_Weights=types.SimpleNamespace(IMAGENET1K_V1=None, DEFAULT=None),
        VGG16_Weights=types.SimpleNamespace(IMAGENET1K_V1=None, DEFAULT=None),
    )
    fake = types.ModuleType("torchvision")
    fake.models = models
    monkeypatch.setitem(sys.modules, "torchvision", fake)
    monkeypatch.setattr("torchmetrics.functional.image.lpips._TORCHVISION_AVAILABLE", True)
    return request.param, built


def weights_of(built):
    return {f"features.{key}": value.detach() for key, value in built.state_dict().items()}


def heads_of(name):
    state = torch.load(HEADS / f"{name}.pth", map_location="cpu", weights_only=True)
    return [state[f"lin{number}.model.1.weight"] for number in range(5)]


@torch.no_grad()
def test_lpips_agrees_with_torchmetrics_on_the_official_heads(net, tmp_path):
    from torchmetrics.functional.image.lpips import _LPIPS

    name, built = net
    theirs = _LPIPS(pretrained=True, net=name).eval()
    x, y = torch.rand(2, 2, 3, 80, 70)
    network = network_of(name, built, tmp_path)
    ours = lpips(network, heads_of(name), x, y)
    expected = theirs(x, y, normalize=True).flatten().double()
    assert ours.shape == (2,)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-9)
    assert (ours > 0).all()
    assert lpips(network, heads_of(name), x, x).abs().max() == 0


@torch.no_grad()
def test_features_are_those_of_the_layers(net, tmp_path):
    name, built = net
    network = network_of(name, built, tmp_path)
    x = torch.rand(1, 3, 64, 75)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (imagenet.MEAN, imagenet.STD))
    for tap, ours in zip(TAPS[name], network(x).values(), strict=True):
        torch.testing.assert_close(ours, built[: tap + 1]((x - mean) / std))
    smallest = torch.rand(1, 3, SMALLEST[name], SMALLEST[name])
    assert all(min(feature.shape) > 0 for feature in network(smallest).values())
    with pytest.raises(ModelError, match="needs pictures of"):
        network(smallest[..., 1:])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of weights whose published checksums are those of random ones."""
    torch.manual_seed(1)
    for name, constant in (("alex", "ALEXNET"), ("vgg", "VGG16")):
        file = tmp_path / FILES[name]
        torch.save(weights_of(BUILDERS[name]()), file)
        changed = downloads.Weights(file.name, "url", downloads.checksum_of(file), "")
        for module in (lpips_module, perceptual_module):
            monkeypatch.setattr(module, constant, changed, raising=False)
        (tmp_path / f"lpips-{name}.pth").write_bytes((HEADS / f"{name}.pth").read_bytes())
    return tmp_path


def test_deep_metrics_take_checked_files_of_a_folder(folder):
    rng = np.random.default_rng(0)
    truth, answer = rng.random((2, 3, 64, 64), dtype=np.float32)
    hole = np.ones((64, 64), bool)
    for metric in (
        Lpips(f"alex:{folder}", "cpu"),
        Lpips(f"vgg:{folder}", "cpu"),
        PerceptualError(f"vgg:{folder}", "cpu"),
    ):
        (name,) = metric.measure(FilledPicture(truth, answer, hole))
        assert name == metric.scores[0].name
        assert metric.measure(FilledPicture(truth, answer, hole))[name] > 0
        assert metric.measure(FilledPicture(truth, truth, hole))[name] == 0


def test_weights_that_are_not_the_published_ones_are_refused(folder):
    torch.save(weights_of(torchvision_alexnet()), folder / FILES["alex"])
    with pytest.raises(CheckpointError, match="wrong sha256"):
        Lpips(f"alex:{folder}", "cpu")
    (folder / "lpips-vgg.pth").unlink()
    with pytest.raises(ModelError, match=r"lpips-vgg\.pth is missing; it is at https"):
        Lpips(f"vgg:{folder}", "cpu")
    with pytest.raises(DataError, match="neither alex nor vgg"):
        Lpips("squeeze", "cpu")


def test_a_download_is_checked_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("REGIONWISE_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "source.bin"
    source.write_bytes(b"weights")
    good = hashlib.sha256(b"weights").hexdigest()
    weights = downloads.Weights("w.bin", source.as_uri(), good, "")
    file = downloads.find_weights(weights)
    assert file == tmp_path / "cache" / "w.bin"
    source.unlink()
    assert downloads.find_weights(weights) == file  # no second fetch
    with pytest.raises(ModelError, match=r"can't be fetched .* put it at"):
        downloads.find_weights(downloads.Weights("x.bin", source.as_uri(), good, ""))
    source.write_bytes(b"other")
    with pytest.raises(CheckpointError, match="another file than the published"):
        downloads.find_weights(downloads.Weights("x.bin", source.as_uri(), good, ""))
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["w.bin"]


def moments_of(features, batch=7):
    moments = Moments()
    for start in range(0, len(features), batch):
        moments.update(features[start : start + batch])
    return moments


def test_moments_are_those_of_numpy_in_one_pass_even_far_from_zero():
    features = np.random.default_rng(0).normal(1e4, 1, (50, 6))
    moments = moments_of(features)
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance, np.cov(features.T), rtol=1e-9, atol=1e-12)


def test_moments_of_parts_merge_to_those_of_the_whole():
    features = np.random.default_rng(0).normal(1e4, 1, (50, 6))
    whole = moments_of(features, batch=50)
    merged = Moments()
    for part in (features[:1], features[1:1], features[1:20], features[20:]):
        merged.merge(moments_of(part, batch=3))
    assert merged.count == 50
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(merged.covariance, whole.covariance, rtol=1e-9, atol=1e-12)


def test_the_distance_of_gaussians_on_a_line_has_a_closed_form():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 2, (80, 1)), rng.normal(3, 0.5, (60, 1))
    expected = (first.mean() - second.mean()) ** 2
    expected += (first.std(ddof=1) - second.std(ddof=1)) ** 2
    assert frechet_distance(moments_of(first), moments_of(second)) == pytest.approx(expected)


def test_the_distance_of_commuting_covariances_has_a_closed_form():
    rng = np.random.default_rng(2)
    whitened = rng.normal(size=(200, 4))
    whitened -= whitened.mean(axis=0)
    whitened = whitened @ np.linalg.inv(linalg.sqrtm(np.cov(whitened.T)))
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    scales, others = np.array([1, 2, 3, 4.0]), np.array([2, 2, 0.5, 5.0])
    first, second = whitened * scales @ turn, whitened * others @ turn + 1
    expected = 4 + ((scales - others) ** 2).sum()
    assert frechet_distance(moments_of(first), moments_of(second)) == pytest.approx(expected)


def test_the_distance_agrees_with_the_matrix_root():
    rng = np.random.default_rng(3)
    first = rng.normal(size=(100, 8)) @ rng.normal(size=(8, 8))
    second = rng.normal(size=(90, 8)) @ rng.normal(size=(8, 8)) + 0.5
    one, other = np.cov(first.T), np.cov(second.T)
    shift = first.mean(axis=0) - second.mean(axis=0)
    expected = shift @ shift + np.trace(one + other - 2 * linalg.sqrtm(one @ other).real)
    assert frechet_distance(moments_of(first), moments_of(second)) == pytest.approx(expected)


def test_the_distance_agrees_with_torchmetrics_on_the_same_features():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Features(nn.Module):
        num_features = 12

        def forward(self, x):
            return nn.functional.adaptive_avg_pool2d(x.float(), 2).flatten(1)

    rng = np.random.default_rng(4)
    true, filled = rng.integers(0, 256, (2, 40, 3, 16, 16), dtype=np.uint8)
    filled //= 2
    theirs = FrechetInceptionDistance(feature=Features(), input_img_size=(3, 16, 16))
    theirs.update(torch.from_numpy(true), real=True)
    theirs.update(torch.from_numpy(filled), real=False)
    moments = [
        moments_of(Features()(torch.from_numpy(pictures)).numpy()) for pictures in (true, filled)
    ]
    assert frechet_distance(*moments) == pytest.approx(theirs.compute().item(), rel=1e-4)


def test_fewer_pictures_than_features_give_a_real_distance():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 5, 40))
    assert frechet_distance(moments_of(first), moments_of(second)) > 0
    assert frechet_distance(moments_of(first), moments_of(first)) == pytest.approx(0, abs=1e-6)
    assert np.isnan(frechet_distance(moments_of(first), moments_of(second[:1])))


class Pooled(nn.Module):
    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(x, 2)
        return pooled if return_features else -pooled


@pytest.fixture
def network(tmp_path):
    torch.jit.script(Pooled()).save(str(tmp_path / "pooled.pt"))
    return tmp_path / "pooled.pt"


def test_only_the_standard_inception_is_called_fid(network, monkeypatch):
    other = TorchScriptFeatures(network, "cpu")
    assert other.name == "Fréchet distance (pooled)"
    standard = downloads.Weights("", "", downloads.checksum_of(network), "")
    monkeypatch.setattr("regionwise.features.inception.INCEPTION", standard)
    inception = TorchScriptFeatures(network, "cpu")
    assert inception.name == "FID"
    pictures = np.full((1, 3, 8, 8), 200, np.uint8)
    assert (inception.extract(pictures) == 200).all()
    assert (other.extract(pictures) == -200).all()


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="not a TorchScript network"):
        load_extractor(str(tmp_path / "x.pt"), "cpu")
    with pytest.raises(ModelError, match=r"--fid: there is no file .*; it is at https"):
        load_extractor(str(tmp_path / "y.pt"), "cpu")
    with pytest.raises(RegionwiseError):
        PerceptualError(str(tmp_path / "z.npz"), "cpu")


def test_features_on_disk_give_the_distance_of_the_set_however_split(network, tmp_path):
    source = TorchScriptFeatures(network, "cpu")
    rng = np.random.default_rng(6)
    true = rng.integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
    filled = rng.integers(0, 200, (12, 3, 8, 8), dtype=np.uint8)
    expected = frechet_distance(
        moments_of(source.extract(true)), moments_of(source.extract(filled))
    )
    keys = [(f"{number}", "row", "model") for number in range(12)]
    folder = tmp_path / "features"
    for shard in (1, 2):
        store = FeatureFile(folder, f"{shard}-of-2", source)
        for number in range(shard - 1, 12, 2):
            store.add_truth(str(number), true[number])
            store.add_truth(str(number), true[number])
            store.add_answer(keys[number], filled[number])
    with (folder / "1-of-2.index").open("a") as torn:
        torn.write('["7", "ro')
    assert distances(folder, keys) == pytest.approx(expected, rel=1e-9)
    assert np.isnan(distances(folder, [*keys, ("13", "row", "model")]))
    again = FeatureFile(folder, "1-of-1", source)
    again.add_truth("3", true[0])  # known already: kept as it was
    assert distances(folder, keys) == pytest.approx(expected, rel=1e-9)


def test_sums_give_the_distance_of_the_features(network, tmp_path):
    source = TorchScriptFeatures(network, "cpu")
    rng = np.random.default_rng(6)
    true = rng.integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
    answers = {name: rng.integers(0, 200, (24, 3, 8, 8), dtype=np.uint8) for name in ("a", "b")}
    features, sums = tmp_path / "features", tmp_path / "sums"
    store = FeatureFile(features, "1-of-1", source)
    for shard in (1, 2):
        killed = FeatureSums(sums, f"{shard}-of-2", source, every=3)
        for number in range(shard - 1, 12, 2):
            store.add_truth(str(number), true[number])
            for row in (0, 1):
                pictures = {name: kind[2 * number + row] for name, kind in answers.items()}
                for name, picture in pictures.items():
                    store.add_answer((str(number), f"row {row}", name), picture)
                killed.add(str(number), f"row {row}", true[number], pictures)
        # The last pictures are lost with it if they were not saved; another one does them again.
        anew = FeatureSums(sums, f"{shard}-of-2", source)
        for photo, row in sorted(killed.pictures - anew.pictures):
            pictures = {name: kind[2 * int(photo) + int(row[-1])] for name, kind in answers.items()}
            anew.add(photo, row, true[int(photo)], pictures)
        anew.save()
    for name in answers:
        for rows in ((0,), (1,), (0, 1)):
            keys = [(str(number), f"row {row}", name) for number in range(12) for row in rows]
            assert distance_of_sums(sums, keys) == pytest.approx(distances(features, keys))
        assert np.isnan(distance_of_sums(sums, keys[:-1]))  # none can be taken out again
        assert np.isnan(distance_of_sums(sums, [*keys, ("13", "row 0", name)]))
