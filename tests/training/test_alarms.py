"""What stops a training, and what does not."""

import math

import pytest

from regionwise.errors import TrainingAlarm
from regionwise.losses.adversarial.registry import create_adversarial_loss
from regionwise.recipe.schema import AlarmSection
from regionwise.training.alarms import Alarms


def alarms(*, half=False, loss="hinge", state=None, **section):
    bounded = create_adversarial_loss(loss, {}).bounded
    return Alarms(AlarmSection(**section), bounded=bounded, half=half, state=state)


def repeat(watch, times, **numbers):
    for step in range(times):
        watch.check(step, numbers)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number(value):
    with pytest.raises(TrainingAlarm, match=r"step 3: the style is (nan|inf)"):
        alarms().check(3, {"l1": 1.0, "style": value})


def test_fp16_may_overflow_while_it_looks_for_its_scale():
    watch = alarms(half=True)
    for step in range(50):
        watch.check(step, {"l1": 1.0, "gradient": math.inf})
    watch.check(50, {"l1": 1.0, "gradient": 1.0})
    with pytest.raises(TrainingAlarm, match="fp16 overflowed in 51 steps"):
        repeat(watch, 60, gradient=math.inf)


def test_exploding_gradients():
    watch = alarms(gradient=100)
    for step in range(200):
        watch.check(step, {"gradient": 1.0 + step % 3})
    watch.check(200, {"gradient": 1e6})  # once is no alarm
    watch.check(201, {"gradient": 1.0})
    with pytest.raises(TrainingAlarm, match="gradients explode"):
        repeat(watch, 20, gradient=1000.0)
    quiet = alarms(gradient=None)
    for step in range(300):
        quiet.check(step, {"gradient": 1.0 if step < 200 else 1e9})


def test_a_discriminator_that_has_won():
    watch = alarms(patience=5)
    for _ in range(3):
        for step in range(4):
            watch.check(step, {"discriminator": 0.0})
        watch.check(4, {"discriminator": 0.5})
    with pytest.raises(TrainingAlarm, match="the discriminator has won"):
        repeat(watch, 5, discriminator=0.0)


@pytest.mark.parametrize("switched_off", [{"loss": "wasserstein"}, {"discriminator": None}])
def test_losses_without_a_least_value_do_not_tell(switched_off):
    watch = alarms(patience=5, **switched_off)
    for step in range(20):
        watch.check(step, {"discriminator": -5.0})


def test_it_goes_on_where_it_was():
    one = alarms(patience=5)
    for step in range(4):
        one.check(step, {"discriminator": 0.0, "gradient": 2.0})
    other = alarms(patience=5, state=one.state())
    assert other.state() == one.state()
    with pytest.raises(TrainingAlarm):
        other.check(4, {"discriminator": 0.0})
