"""Weights in and out: safetensors, and the authors' formats."""
