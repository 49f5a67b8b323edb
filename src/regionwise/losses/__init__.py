"""Training losses, one idea a file, a pure function first."""
