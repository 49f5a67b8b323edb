"""Each option of a fill stands once, and is there through every door."""

import inspect
from dataclasses import fields
from typing import Any

import pytest

import regionwise
from regionwise.cli import main
from regionwise.errors import RegionwiseError
from regionwise.filling.options import FillOptions, choices_of, option_of
from regionwise.web.messages import StatelessFill

NOT_FOR_CLIENTS = {"device", "page", "keep_video", "stage", "raw"}
NAMES = [one.name for one in fields(FillOptions)]


def test_each_option_is_there_through_every_door(capsys: pytest.CaptureFixture[str]) -> None:
    python = inspect.signature(regionwise.fill).parameters
    assert main(["fill", "--help"]) == 0
    told = capsys.readouterr().out
    for one in fields(FillOptions):
        assert python[one.name].default == one.default
        assert f"--{one.name.replace('_', '-')}" in told
        assert one.name == "model" or option_of(one).help in str(regionwise.fill.__doc__)
        if one.name not in {
            "device",
            "page",
            "keep_video",
            "stage",
            "raw",
        }:  # which are not for clients
            field = StatelessFill.model_fields[one.name]
            assert (field.default, field.description) == (one.default, option_of(one).help)


@pytest.mark.parametrize("name", [name for name in NAMES if choices_of(name)])
def test_a_word_that_is_none_of_its_words_is_refused(name: str) -> None:
    with pytest.raises(RegionwiseError, match=rf"{name} can't be 'no such'; give \w+, \w+"):
        FillOptions(**{name: "no such"})
    for word in choices_of(name):
        FillOptions(**{name: word})


@pytest.mark.parametrize(
    ("name", "value"),
    [("grow", -1), ("grow", "3"), ("grow", float("nan")), ("seed", 1.5), ("seed", -1)],
)
def test_a_number_out_of_its_limits_is_refused(name: str, value: Any) -> None:
    with pytest.raises(RegionwiseError, match=f"{name} can't be"):
        FillOptions(**{name: value})
