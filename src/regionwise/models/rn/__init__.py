"""Region Normalization: its card, its network, its reader of the authors' weights."""
