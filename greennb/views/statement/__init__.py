"""An energy statement as HTML, Markdown, LaTeX and a model card's YAML.

What it says is in :mod:`.sections` and :mod:`.paragraph`; the others only write that down.
"""
