"""The networks, one system a file, all with the contract `model(image, mask)` → `Prediction`."""
