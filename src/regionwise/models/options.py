"""What a network's options may be."""

from __future__ import annotations

from collections.abc import Iterable

from regionwise.errors import ModelError


def check_option(network: str, name: str, value: object, allowed: Iterable[object]) -> None:
    """See that an option has one of the allowed values.

    Raises:
        ModelError: naming the network, the option, and what there is.
    """
    choices = list(allowed)
    if value not in choices:
        there = ", ".join(map(str, choices))
        raise ModelError(f"{network}: {name}={value!r} is not one of {there}")
