"""PyTorch: steps, batches and calls of models, seen by hooks that are gone or next to free when a loop is hot."""
