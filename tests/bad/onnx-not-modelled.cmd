run model.onnx
