"""Photos and their files: pixels, colours, orientation, metadata, masks."""
