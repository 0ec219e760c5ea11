"""Rules on Keras and TensorFlow, one a file; each module's docstring is its page."""
