"""The advisor: what would make this notebook cheaper, with evidence from what ran in it.

``observe/`` watches the frameworks in use and gives ``signals/``: frozen facts on one cell. ``rules/`` are pure
functions of those; ``catalogue`` has them all; ``advise`` runs them and orders what they found by the energy at stake.
"""
