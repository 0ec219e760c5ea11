"""Keras 3 on any backend, and TensorFlow's own loops."""
