"""`python -m regionwise` is the command `regionwise`."""

from regionwise.cli import main

if __name__ == "__main__":
    main()
