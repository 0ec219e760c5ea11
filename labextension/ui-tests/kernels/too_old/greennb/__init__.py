"""greennb as it was before the sidebar: it can measure, and has nothing that a page could attach to."""

__version__ = "0.0.9"


def load_ipython_extension(ipython: object) -> None:
    """Registers nothing."""
