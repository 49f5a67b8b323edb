"""What several ask at once goes through the engine together, and each gets their own answer."""

import threading

import numpy as np
import pytest

from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import NO_TRAITS
from regionwise.errors import ModelError
from regionwise.web.shared_engine import Engines, SharedEngine


def window(seed, side=16, count=1):
    generator = np.random.default_rng(seed)
    images = generator.random((count, 3, side, side), np.float32)
    masks = np.zeros((count, 1, side, side), np.float32)
    masks[..., 4:9, 5:11] = 1
    return images * (1 - masks), masks


class Recorder:
    """Notes the batches; holds the first one until it is told to go on."""

    traits = NO_TRAITS

    def __init__(self, fails=lambda count: False):
        self.sizes = []
        self.fails = fails
        self.first = threading.Event()
        self.go = threading.Event()

    def fill(self, images, masks):
        self.sizes.append(images.shape)
        if len(self.sizes) == 1:
            self.first.set()
            assert self.go.wait(10)
        if self.fails(len(images)):
            raise ModelError("too many")
        return MembraneEngine().fill(images, masks)


def ask_together(engine, recorder, asked):
    """Ask from a thread each, while a first fill keeps the engine busy."""
    answers = [None] * len(asked)

    def ask(index):
        try:
            answers[index] = engine.fill(*asked[index])
        except ModelError as error:
            answers[index] = error

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(asked))]
    threads[0].start()
    assert recorder.first.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(engine._waiting) < len(asked) - 1:
        pass
    recorder.go.set()
    for thread in threads:
        thread.join(10)
    return answers


def test_windows_of_one_size_are_joined():
    recorder = Recorder()
    engine = SharedEngine(recorder, pixels=4 * 16 * 16)
    asked = [window(0), window(1), window(2, count=2), window(3, side=32), window(4), window(5)]
    answers = ask_together(engine, recorder, asked)
    for (images, masks), answer in zip(asked, answers, strict=True):
        assert np.allclose(answer, MembraneEngine().fill(images, masks), atol=1e-6)
    counts = sorted((shape[2], shape[0]) for shape in recorder.sizes)
    assert sum(count for side, count in counts if side == 16) == 6
    assert len(counts) < len(asked)  # some went together
    assert max(count for side, count in counts) <= 4
    assert (32, 1) in counts


def test_one_that_fails_harms_nobody():
    recorder = Recorder(fails=lambda count: count > 1)
    engine = SharedEngine(recorder)
    asked = [window(seed) for seed in range(4)] + [window(9, count=2)]
    answers = ask_together(engine, recorder, asked)
    assert [isinstance(answer, ModelError) for answer in answers] == [False] * 4 + [True]
    for (images, masks), answer in zip(asked[:4], answers[:4], strict=True):
        assert np.array_equal(answer, MembraneEngine().fill(images, masks))


def test_engines_are_loaded_once_and_the_oldest_goes():
    loaded = []

    def load(model, seed):
        if model == "broken":
            raise ModelError("there is no such model")
        loaded.append((model, seed))
        return MembraneEngine()

    engines = Engines(load, most=2)
    first = engines.get("a", 0)
    assert engines.get("a", 0) is first
    engines.get("a", 1)
    engines.get("a", 0)
    engines.get("b", 0)
    assert engines.get("a", 0) is first
    engines.get("a", 1)
    assert loaded == [("a", 0), ("a", 1), ("b", 0), ("a", 1)]
    with pytest.raises(ModelError):
        engines.get("broken", 0)
