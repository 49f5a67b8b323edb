"""Frozen networks whose features losses and metrics compare, and their weights."""
