"""Loom, a network of this project."""
