"""Rules on PyTorch, one a file; each module's docstring is its page."""
