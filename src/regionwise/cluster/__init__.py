"""Work on many machines, by engines that exist; knows nothing of photos."""
