"""The bar that shows where a notebook is while it runs."""

from __future__ import annotations

import sys
from typing import Any

from greennb.cli.terminal import unicode_in
from greennb.views.format import pad, plain

_LINE_WIDTH = 40


class Bar:
    """A bar on stderr with one step a cell, and the first line of the cell that runs."""

    def __init__(self, cells: int) -> None:
        from tqdm import tqdm

        self._bar: Any = tqdm(
            total=cells,
            unit="cell",
            file=sys.stderr,
            ascii=not unicode_in(sys.stderr),
            dynamic_ncols=True,
            bar_format="{desc} {bar} {n_fmt}/{total_fmt} [{elapsed}]",
            leave=False,
        )

    def started(self, first_line: str) -> None:
        """Show the cell that has begun."""
        self._bar.set_description_str(pad(plain(first_line, _LINE_WIDTH), _LINE_WIDTH))

    def ended(self) -> None:
        """One cell more is done."""
        self._bar.update()

    def tick(self) -> None:
        """Let the clock go on while a cell takes its time."""
        self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


class Silence:
    """The progress of who wants to see none."""

    def __init__(self, cells: int) -> None:
        pass

    def started(self, first_line: str) -> None:
        """Nothing."""

    def ended(self) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
