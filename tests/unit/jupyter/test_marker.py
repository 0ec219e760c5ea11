"""The marker line: taken away without a trace where the hooks do the work, left where the magic must see it."""

from __future__ import annotations

import pytest

from greennb.jupyter.marker import find, first_line, strip


def stripped(cell: str) -> str:
    return "".join(strip(cell.splitlines(keepends=True)))


@pytest.mark.parametrize(
    ("cell", "becomes"),
    [
        ("%%energy\nx = 1\n", "\nx = 1\n"),
        ("%%energy -n train --net\nx = 1\n", "\nx = 1\n"),
        ("\n\n%%energy\nx = 1\n", "\n\nx = 1\n"),
        ("%%energy\n%%time\nx = 1\n", "%%time\nx = 1\n"),
        ("%%energy\n\n%%bash\nls\n", "%%bash\nls\n"),
        ("%%time\n%%energy\nx = 1\n", "%%time\nx = 1\n"),
        ("%%energy", "\n"),
        # not ours to touch
        ("x = 1\n%%energy\n", "x = 1\n%%energy\n"),
        ("%%writefile a.py\n%%energy\n", "%%writefile a.py\n%%energy\n"),
        ("%%energy?\n", "%%energy?\n"),
        ("%%energyplus\nx\n", "%%energyplus\nx\n"),
        # the magic repeats, or says what is wrong
        ("%%energy -r 3\nx\n", "%%energy -r 3\nx\n"),
        ("%%energy --nonsense\nx\n", "%%energy --nonsense\nx\n"),
        ("%%energy --budget x\nx\n", "%%energy --budget x\nx\n"),
    ],
)
def test_strip(cell: str, becomes: str) -> None:
    assert stripped(cell) == becomes


def test_line_numbers_of_the_code_stay_right() -> None:
    """A traceback names the line that the user sees."""
    cell = "%%energy\na\nb\n"
    assert stripped(cell).splitlines().index("b") == cell.splitlines().index("b")


def test_options_reach_the_hooks() -> None:
    marker = find(["%%energy -n 'my run' --budget 2kJ -o out --per 1000 --unit predictions --no-carbon\n", "x\n"])
    assert marker is not None
    assert marker.options.name == "my run"
    assert marker.options.budget_j == 2000
    assert marker.options.output == "out"
    assert (marker.options.per, marker.options.unit, marker.options.carbon) == (1000, "predictions", False)


def test_first_line_skips_the_marker() -> None:
    assert first_line("%%energy -q\n\nmodel.fit(X)\n") == "model.fit(X)"
    assert first_line("%%energy") == ""
