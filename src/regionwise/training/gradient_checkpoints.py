"""Memory for time: what a block computed is thrown away, and computed again for its gradient."""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_blocks(network: nn.Module) -> int:
    """Checkpoint the blocks of a network: members of its lists that have parts of their own.

    Those with batch norms are left as they are: a second run would count a batch twice.

    Returns:
        How many blocks there are.
    """
    count = 0
    for parent in network.modules():
        if not isinstance(parent, nn.ModuleList | nn.Sequential) or len(parent) < 2:
            continue
        for block in parent:
            if list(block.children()) and not any(
                isinstance(part, nn.modules.batchnorm._BatchNorm) for part in block.modules()
            ):
                block.forward = partial(checkpoint, block.forward, use_reentrant=False)
                count += 1
    return count
