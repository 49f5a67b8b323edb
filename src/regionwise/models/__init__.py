"""The networks, one a folder, all with the contract `model(image, mask)` → `Prediction`."""
