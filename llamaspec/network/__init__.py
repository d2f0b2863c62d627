"""What all architectures share: hyper-parameters, tensors by name, the decoder, the cache, passes."""
