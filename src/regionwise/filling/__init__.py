"""From a photo and its hole to the filled photo."""
