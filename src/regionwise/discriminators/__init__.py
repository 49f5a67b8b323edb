"""The adversaries of generators."""
