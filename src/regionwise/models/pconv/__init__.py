"""The PConv U-Net: its card, its network, its reader of the authors' weights."""
