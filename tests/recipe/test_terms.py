"""A term's keys are its function's keyword arguments: what CONTRIBUTING.md says of a new loss."""

import inspect
import subprocess
import sys
from typing import get_args

import pytest

from regionwise.recipe import losses
from regionwise.recipe.named import import_named

TERMS = [term for term in get_args(get_args(losses.AnyTerm)[0]) if hasattr(term, "function")]
BESIDES = {
    losses.PixelTerm: ["answer", "truth", "mask", "hole_share"],
    losses.PictureTerm: ["answer", "truth", "mask"],
    losses.FeatureTerm: ["answer", "truth", "weights"],
    losses.DiscriminatorTerm: ["fake", "real"],
    losses.FlowTerm: ["truth", "photo", "flow", "mask"],
}


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.__name__)
def test_the_keys_of_a_term_are_its_functions_arguments(term):
    parameters = list(inspect.signature(import_named(term.function)).parameters)
    kind = next(kind for kind in BESIDES if issubclass(term, kind))
    assert [name for name in BESIDES[kind] if name in parameters] == BESIDES[kind]
    common = {*losses.Term.model_fields, "features"}
    own = [key for key in term.model_fields if key not in common]
    left = set(parameters) - set(BESIDES[kind])
    assert set(own) <= left
    # What a recipe can't say has a default.
    for name in left - set(own):
        parameter = inspect.signature(import_named(term.function)).parameters[name]
        assert parameter.default is not inspect.Parameter.empty, name


def test_every_loss_but_those_that_networks_compute_names_a_function():
    names = {term.model_fields["name"].annotation for term in get_args(get_args(losses.AnyTerm)[0])}
    with_function = {term.model_fields["name"].annotation for term in TERMS}
    assert {get_args(name)[0] for name in names - with_function} == {"adversarial", "network"}


def test_the_tables_of_names_import_without_torch():
    modules = "regionwise.discriminators.registry, regionwise.losses.adversarial.registry"
    code = f"import sys, regionwise.recipe, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
