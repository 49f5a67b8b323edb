"""What can go wrong, as one clear line each.

Everything that a user can get wrong raises a child of `RegionwiseError`. The command line prints
its message as one line and exits with code 2; Python callers may catch it.
A message says what was wrong, where, and the mend.
"""


class RegionwiseError(Exception):
    """Something the user can mend, said in one line."""


class PhotoError(RegionwiseError):
    """A photo can't be read: missing, truncated, not a picture, or too large."""


class MaskError(RegionwiseError):
    """A mask can't be used: unreadable, of another size than the photo, or missing."""


class ModelError(RegionwiseError):
    """A model is unknown, or what it needs is not installed."""


class OutputError(RegionwiseError):
    """A result can't be written: the file exists, the folder is read-only, the disk is full."""


class CheckpointError(RegionwiseError):
    """A file of weights is broken or belongs to another network."""


class RecipeError(RegionwiseError):
    """A recipe has a wrong key or value."""


class DataError(RegionwiseError):
    """Training or evaluation data is missing or unusable."""


class RegionwiseWarning(UserWarning):
    """Something the user should know of, though the work goes on: an empty mask, a huge hole."""


class TrainingAlarm(RegionwiseError):  # noqa: N818 - it is none in how the program is used
    """A training goes wrong: NaN, exploding gradients, a discriminator that has won."""
