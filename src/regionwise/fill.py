"""The home of `regionwise.fill` as `regionwise/__init__.py` knows it.

The code lies in `regionwise.filling`: importing a submodule named like the function would put the
module in the function's place. Nothing else may import this module.
"""

from regionwise.filling import fill

__all__ = ["fill"]
