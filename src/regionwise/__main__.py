"""`regionwise` and `python -m regionwise`: the command line."""

import sys


def run() -> int:
    """Start the command line, so that Ctrl-C while it is still being imported is a line too."""
    try:
        from regionwise.cli import main

        return main()
    except KeyboardInterrupt:
        print("regionwise: stopped; no half file is left", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(run())
