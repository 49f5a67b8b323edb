"""What is put round a model before it fills: the one place that says what, and in which order."""

from __future__ import annotations

from typing import Literal

from regionwise.engines.engine import Engine
from regionwise.engines.ensemble import EnsembleEngine
from regionwise.engines.poisson_blended import PoissonBlendedEngine
from regionwise.engines.polyphase import PolyphaseEngine
from regionwise.engines.textured import TexturedEngine

Blend = Literal["none", "poisson"]


def wrapped(
    engine: Engine,
    *,
    texture: bool = True,
    ensemble: bool = False,
    blend: Blend = "none",
    polyphase: bool = False,
) -> Engine:
    """The engine with what its traits and a caller ask for round it, from the inside out.

    Args:
        engine: a model as `load_model` gives it.
        texture: give its fills the texture that its traits ask for.
        ensemble: average the answers to five views of a picture.
        blend: "poisson" brings the answers to the photo's light.
        polyphase: fill large pictures by their polyphase components.
    """
    if texture and engine.traits.texture:
        engine = TexturedEngine(engine)
    if ensemble:
        engine = EnsembleEngine(engine)
    if blend == "poisson":
        engine = PoissonBlendedEngine(engine)
    return PolyphaseEngine(engine) if polyphase else engine
