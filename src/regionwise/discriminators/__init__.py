"""Networks that tell filled pictures from true ones, one a file; `registry` has their names."""
