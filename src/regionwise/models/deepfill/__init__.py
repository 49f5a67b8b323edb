"""What both versions of DeepFill share; their networks are `deepfillv1` and `deepfillv2`."""
