"""Each term's share of the generator's gradient, against gradients taken one by one."""

import contextlib

import pytest
import torch
from tests.training.test_objective import objective, view  # noqa: F401 - a fixture

from regionwise.data.photo_sources import find_photos
from regionwise.errors import RegionwiseWarning
from regionwise.training.gradient_budget import gradient_shares, idle_terms
from regionwise.training.loop import train
from regionwise.training.settings import TrainingSettings


def test_norms_are_those_of_each_term_alone(view):  # noqa: F811
    terms = objective(
        "name: l1, weight: 3", "name: l2, stage: all", "name: l1, stage: low_resolution"
    )
    for picture in view.pictures():
        picture.requires_grad_()
    norms = terms.gradient_norms(terms(view, None), view)
    pictures = view.pictures()
    for label, term in terms.terms.items():
        value = term.weight * terms(view, None)[label]
        slopes = torch.autograd.grad(value, pictures, allow_unused=True)
        by_hand = torch.cat([slope.flatten() for slope in slopes if slope is not None]).norm()
        torch.testing.assert_close(norms[label], by_hand)


def test_shares_and_warnings():
    shares = gradient_shares({"budget/l1": 3.0, "budget/style": 1.0, "budget/idle": 1e-5})
    assert shares["style"] == pytest.approx(0.25, rel=1e-4)
    (words,) = idle_terms(shares)
    assert words.startswith("the term idle gives 2.5e-06 of the generator's gradient")
    assert gradient_shares({"budget/l1": 0.0}) == {}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_records_them_and_names_an_idle_term(folder, tmp_path, tiny, precision):
    """With bf16 too, where Fabric lets no gradient pass but by its own backward."""
    changes = ["phases.texture.losses.adversarial.weight=1e-9", f"precision={precision}"]
    photos = find_photos([folder])
    settings = TrainingSettings(run=tmp_path, workers=0, accelerator="cpu")
    with pytest.warns(RegionwiseWarning, match="phase texture: the term adversarial gives") as seen:
        train(tiny(1, 1, *changes), photos, [], settings)
    assert len([w for w in seen if "gradient, so it does" in str(w.message)]) == 1
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path))
    board.Reload()
    tags = [tag for tag in board.Tags()["scalars"] if tag.startswith("texture gradient shares/")]
    assert {tag.split("/")[1] for tag in tags} == {"l1_hole", "adversarial", "feature_matching"}
    assert sum(board.Scalars(tag)[-1].value for tag in tags) == pytest.approx(1, rel=1e-5)


def test_probing_changes_nothing(folder, tmp_path, tiny):
    """A training with shares measured at each step equals one without, bit for bit."""
    seen = {}
    for name, every in (("often", 1), ("seldom", 1000)):
        numbers = seen.setdefault(name, {})

        def note(progress, numbers=numbers):
            numbers[progress.done] = progress.numbers

        options = {"workers": 0, "accelerator": "cpu", "preview_steps": every}
        settings = TrainingSettings(run=tmp_path / name, **options)
        with contextlib.suppress(RegionwiseWarning):
            train(tiny(2, 2), find_photos([folder]), [], settings, report=note)
    assert seen["often"] == seen["seldom"]
