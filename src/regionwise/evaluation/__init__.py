"""Metrics, and tables of them by hole ratio."""
