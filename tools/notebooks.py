"""Makes the students' notebooks from the solved ones: ``python tools/notebooks.py [--check] [NOTEBOOK ...]``.

The source of each is ``notebooks/solutions/NN-name.ipynb``, a source notebook as nbgrader reads it. The students'
``notebooks/NN-name.ipynb`` is the same with one line where a solution stood. Both are written clean: no outputs, no
execution counts, no metadata but what Jupyter and nbgrader need. ``--check`` writes nothing, names what differs, and
ends with 1 if anything does; a pytest does the same. With names only those notebooks are made.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "...  # your code here"

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("nbgrader", "tags")
"""What is kept of a cell's metadata; the rest is how somebody's editor left it."""


class MarkError(Exception):
    """The lines that mark a solution do not pair up."""


def clean(notebook: Any) -> Any:
    """A copy without outputs, counts, or the metadata that editing and running leave."""
    made = copy.deepcopy(notebook)
    made.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    made.nbformat_minor = 5
    for cell in made.cells:
        kept = {name: cell.metadata[name] for name in CELL_METADATA if cell.metadata.get(name)}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return made


def unsolved(notebook: Any) -> Any:
    """The students' version of a solved notebook: cell ids stay, solutions go.

    Raises:
        MarkError: the marks of a cell do not pair up.
    """
    made = clean(notebook)
    for cell in made.cells:
        try:
            cell.source = without_solution(cell.source)
        except MarkError as error:
            raise MarkError(f"cell {cell.get('id')}: {error}") from None
    return made


def without_solution(source: str) -> str:
    """``source`` with one line in the place of each solution, indented as its first mark is."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        mark = line.strip()
        if mark == BEGIN and not inside:
            inside = True
            lines.append(line[: line.index("#")] + STUB)
        elif mark == END and inside:
            inside = False
        elif mark in (BEGIN, END):
            raise MarkError(f"{mark} stands where the other mark should")
        elif not inside:
            lines.append(line)
    if inside:
        raise MarkError(f"{BEGIN} has no {END}")
    return "\n".join(lines)


def text(notebook: Any) -> str:
    """A notebook as it lies on the disk."""
    return str(nbformat.writes(notebook)) + "\n"


def files(names: Sequence[str] = (), folder: Path = FOLDER) -> dict[Path, str]:
    """Each file by its path, with the text that it should have; ``names`` ("03-scikit-learn") picks some.

    Raises:
        MarkError: a notebook's marks do not pair up; it names the notebook and the cell.
    """
    made = {}
    for path in sorted((folder / "solutions").glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        solved = nbformat.read(path, as_version=4)
        try:
            made[folder / path.name] = text(unsolved(solved))
        except MarkError as error:
            raise MarkError(f"{path.name}, {error}") from None
        made[path] = text(clean(solved))
    return made


def orphans(folder: Path = FOLDER) -> list[Path]:
    """Students' notebooks that have no solved one."""
    return [path for path in sorted(folder.glob("*.ipynb")) if not (folder / "solutions" / path.name).exists()]


def drifted(made: dict[Path, str]) -> list[Path]:
    """The files that are not as they should be."""
    return [path for path, wanted in made.items() if not path.exists() or path.read_text(encoding="utf-8") != wanted]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks, or say which differ."""
    parser = argparse.ArgumentParser(description="Make the students' notebooks from notebooks/solutions.")
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="03-scikit-learn, or its path; all without one")
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 if a file differs")
    given = parser.parse_args(arguments)
    names = [Path(name).stem for name in given.names]
    try:
        made = files(names)
    except MarkError as error:
        print(error, file=sys.stderr)
        return 1
    unknown = sorted(set(names) - {path.stem for path in made})
    if unknown:
        print(f"notebooks/solutions has no {', '.join(unknown)}.", file=sys.stderr)
        return 1
    different = drifted(made)
    wrong = [
        f"{path.relative_to(ROOT)} is not as tools/notebooks.py writes it: run make notebooks" for path in different
    ]
    wrong += [f"{path.relative_to(ROOT)} has no solved notebook" for path in ([] if names else orphans())]
    if given.check:
        print("\n".join(wrong) or f"{len(made)} notebooks are as they should be.")
        return 1 if wrong else 0
    for path in different:
        path.write_text(made[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
