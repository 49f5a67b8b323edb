"""Methods without a network, as pure functions of arrays."""
