"""What a network answers for a whole photo, known pixels too: to look at a network, not to fill."""

from __future__ import annotations

import numpy as np

from regionwise.arrays import Mask
from regionwise.engines.engine import Engine
from regionwise.engines.staged import at_stage
from regionwise.engines.wrapping import wrapped
from regionwise.errors import ModelError
from regionwise.filling.options import FillOptions
from regionwise.photos.photo import Photo


def raw_photo(photo: Photo, hole: Mask, engine: Engine, options: FillOptions) -> Photo:
    """The photo as a network predicts it: seen as a whole, nothing put back, no texture added.

    Args:
        photo: upright.
        hole: H×W bool.
        engine: a model as `load_model` gives it.
        options: of which stage, ensemble, blend and polyphase count.

    Raises:
        ModelError: if the answer is no picture.
    """
    polyphase = options.large == "polyphase"
    plain = at_stage(engine, options.stage, options.device, options.seed, raw=True)
    answering = wrapped(
        plain, ensemble=options.ensemble, blend=options.blend, polyphase=polyphase, texture=False
    )
    highest = np.iinfo(photo.color.dtype).max
    image = photo.color.transpose(2, 0, 1)[None] * np.float32(1 / highest) * ~hole
    answer = answering.fill(image, hole[None, None].astype(np.float32))
    if answer.shape != image.shape or not np.isfinite(answer).all():
        raise ModelError("the model's raw answer is no picture of the photo's size")
    levels = np.rint(np.clip(answer[0], 0, 1).transpose(1, 2, 0) * np.float32(highest))
    return photo.with_fill(levels.astype(photo.color.dtype), np.ones_like(hole))
