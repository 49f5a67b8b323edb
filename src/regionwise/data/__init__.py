"""Photos and drawn holes, as training batches."""
