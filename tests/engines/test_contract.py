"""What holds for every engine, and for everything that is wrapped round one."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.support.tiny_networks import write_blur

from regionwise.engines.classical_engine import METHODS, MembraneEngine
from regionwise.engines.engine import Engine, Traits, Wrapper
from regionwise.engines.ensemble import EnsembleEngine
from regionwise.engines.onnx_engine import OnnxEngine
from regionwise.engines.poisson_blended import PoissonBlendedEngine
from regionwise.engines.polyphase import PolyphaseEngine
from regionwise.engines.textured import TexturedEngine
from regionwise.engines.torch_engine import TorchEngine
from regionwise.engines.words import WORDS, WordedEngine
from regionwise.engines.wrapping import wrapped
from regionwise.engines.zoo import load_model
from regionwise.models.registry import create_model
from regionwise.web.shared_engine import SharedEngine
from regionwise.web.stopping import Stop, StoppableEngine
from regionwise.weights import bundled

WRAPPERS: dict[type[Wrapper], Callable[[Engine], Engine]] = {
    EnsembleEngine: EnsembleEngine,
    PoissonBlendedEngine: PoissonBlendedEngine,
    PolyphaseEngine: PolyphaseEngine,
    SharedEngine: SharedEngine,
    StoppableEngine: lambda engine: StoppableEngine(engine, Stop(seconds=60)),
    TexturedEngine: TexturedEngine,
    WordedEngine: lambda engine: WordedEngine(engine, "auto"),
}
"""How each is put round an engine."""


def engines() -> dict[str, Callable[[Path], Engine]]:
    """How each kind of engine is made."""

    def of_name(name: str) -> Callable[[Path], Engine]:
        return lambda folder: load_model(name)

    made: dict[str, Callable[[Path], Engine]] = {
        "onnx file": lambda folder: OnnxEngine(write_blur(folder / "tiny.onnx")),
        "torch": lambda folder: TorchEngine(create_model("pconv", levels=3, width=4), "cpu"),
    }
    names = [card.name for card in bundled.bundled_cards()]
    names += [name for name, method in METHODS.items() if method.installed]
    return made | {name: of_name(name) for name in names}


def crops(batch: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(5)
    masks = np.zeros((batch, 1, height, width), np.float32)
    masks[..., height // 4 : 3 * height // 4 + 1, : width // 2 + 1] = 1
    images = numbers.random((batch, 3, height, width), dtype=np.float32) * (1 - masks)
    return images.astype(np.float32), masks


def fills(engine: Engine) -> np.ndarray:
    """A fill of odd size, after which the question must be as it was."""
    images, masks = crops(2, 37, 51)
    before = images.copy(), masks.copy()
    answer = engine.fill(images, masks)
    assert answer.shape == images.shape
    assert answer.dtype == np.float32
    assert np.isfinite(answer[np.broadcast_to(masks > 0, images.shape)]).all()
    for array, copy in zip((images, masks), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    return answer


@pytest.mark.parametrize("make", engines().values(), ids=engines().keys())
def test_an_engine_fills_and_says_what_it_is(
    make: Callable[[Path], Engine], tmp_path: Path
) -> None:
    engine = make(tmp_path)
    fills(engine)
    assert isinstance(engine.traits, Traits)
    assert engine.traits.file is None or engine.traits.file.is_file()


@pytest.mark.parametrize("name", [card.name for card in bundled.bundled_cards()])
def test_a_bundled_network_has_its_card_s_traits(name: str) -> None:
    file = bundled.FOLDER / f"{name}.onnx"
    texture = bundled.read_card(file.with_suffix(".json")).texture
    assert load_model(name).traits == Traits(detail="judged", texture=texture, file=file)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_a_network_and_what_is_done_to_its_fill(word: str) -> None:
    traits = load_model(word).traits
    texture = load_model("small" if word == "fast" else "default").traits.texture
    assert traits.detail == WORDS[word].detail
    assert traits.texture == (0 if word == "smooth" else texture)
    assert traits.file == bundled.FOLDER / f"{'small' if word == 'fast' else bundled.DEFAULT}.onnx"


@pytest.mark.parametrize(
    "name", ["default", "smooth", *(name for name, method in METHODS.items() if method.installed)]
)
def test_an_engine_goes_to_another_process(name: str) -> None:
    engine = load_model(name, seed=3)
    sent = pickle.loads(pickle.dumps(engine))
    assert sent.traits == engine.traits
    np.testing.assert_array_equal(fills(sent), fills(engine))


class Telling(MembraneEngine):
    """Has traits that no other engine has."""

    traits = Traits(draws=True, detail="judged", texture=0.5, file=Path("of/mine.onnx"))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_has_the_traits_of_what_it_wraps(wrapper: type[Wrapper]) -> None:
    engine = WRAPPERS[wrapper](Telling())
    fills(engine)
    of_texture = 0.0 if wrapper is TexturedEngine else 0.5
    assert engine.traits == Traits(True, "judged", of_texture, Path("of/mine.onnx"))


def test_all_wrappers_are_known_here() -> None:
    def below(kind: type) -> set[type]:
        return {kind} | {one for sub in kind.__subclasses__() for one in below(sub)}

    assert below(Wrapper) - {Wrapper} == set(WRAPPERS)


def test_what_is_wrapped_round_a_model_from_the_inside_out() -> None:
    engine = wrapped(Telling(), ensemble=True, blend="poisson", polyphase=True)
    kinds = []
    while isinstance(engine, Wrapper):
        kinds.append(type(engine))
        engine = engine.engine
    assert kinds == [PolyphaseEngine, PoissonBlendedEngine, EnsembleEngine, TexturedEngine]
    assert wrapped(MembraneEngine()).traits == MembraneEngine.traits
    assert isinstance(wrapped(wrapped(Telling())).engine, Telling)  # texture comes once
