"""A Python kernel in whose environment greennb is not installed: the checkout is not on its path."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]

sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() not in (CHECKOUT, Path(__file__).parent)]

from ipykernel import kernelapp  # noqa: E402  # the path comes first

if __name__ == "__main__":
    kernelapp.launch_new_instance()
