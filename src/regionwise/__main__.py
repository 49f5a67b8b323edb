"""`python -m regionwise` is the command line."""

import sys

from regionwise.cli import main

if __name__ == "__main__":
    sys.exit(main())
