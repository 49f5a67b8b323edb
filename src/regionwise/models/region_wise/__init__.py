"""The Region-wise papers' generator: its card, its network, its reader of the authors' weights."""
