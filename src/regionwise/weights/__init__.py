"""The bundled weights, each NAME.onnx with its card NAME.json."""
