"""Observers: what is seen of a framework while a cell runs. None imports one, changes the user's things, or raises."""
