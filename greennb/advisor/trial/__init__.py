"""Trials: the same work done two ways, interleaved, in joules, until the verdict is safe or the budget is spent."""
