"""The papers' layers, one idea a file. Each can be put into any network."""
