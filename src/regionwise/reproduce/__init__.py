"""A paper's table from one command: its rows trained under one budget and measured alike."""
