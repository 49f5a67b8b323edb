"""Finding by itself what is to go: text, scratches, dust and watermarks. No network; a proposal."""
