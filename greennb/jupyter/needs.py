"""``%energy_needs PACKAGE``: cells that need a package which is not there are skipped, and say so.

Whether a package is there is asked of Python's finders, which does not import it: a framework's import takes seconds
and joules that belong to the cell that asks for it. Cells are skipped by an input transformer, which is registered
only while something is missing.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from greennb.model.errors import BadInputError
from greennb.views.format import plain

NAMES = {
    "torch": ("PyTorch", "torch"),
    "sklearn": ("scikit-learn", "sklearn"),
    "tensorflow": ("TensorFlow", "tensorflow"),
    "keras": ("Keras", "tensorflow"),  # Keras 3 comes with TensorFlow
    "jax": ("JAX", "jax"),
}
"""Packages by the name that they are imported by: what people call them, and greennb's extra that brings them."""

_MAGIC = re.compile(r"%energy_needs(?=\s|$)")

_ALWAYS = re.compile(r"(%(un|re)?load_ext|%(pip|conda|mamba|uv)|!.*\b(pip|conda|mamba|uv))(?=\s|$)")
"""First lines of cells that are never skipped: they load and unload extensions, or install what is missing."""


class Needs:
    """What the following cells need, in one shell.

    Args:
        shell: whose cells are skipped.
        say: told in one sentence where a package is there and broken.
    """

    def __init__(self, shell: Any, say: Callable[[str], None]) -> None:
        self._cleanup: list[Any] = shell.input_transformers_cleanup
        self._say = say
        self._needed: tuple[str, ...] = ()
        self._skip: Callable[[list[str]], list[str]] | None = None

    def need(self, packages: list[str]) -> str:
        """From here on cells need ``packages``; those that follow are skipped where one is missing.

        Answers a sentence that says what is missing and how to get it, "" where everything is there.

        Raises:
            BadInputError: one is no name of a package.
        """
        for package in packages:
            if not all(part.isidentifier() for part in package.split(".")):
                raise BadInputError(
                    f'%energy_needs: "{package}" is no name of a package. Give what you import, like torch.'
                )
        self.close()
        importlib.invalidate_caches()  # it may have been installed a moment ago
        self._needed = tuple(dict.fromkeys(package.partition(".")[0] for package in packages))
        missing = [package for package in self._needed if not is_there(package)]
        if not missing:
            return ""
        called = _listed(missing)
        be = "is" if len(missing) == 1 else "are"
        self._skip_from_here(f"{called}, which {be} not installed here")
        return (
            f"{called} {be} not installed here, so the cells that follow are skipped: "
            f"install with `{_installs(missing)}` and run this cell again."
        )

    def skips(self, source: str) -> bool:
        """Whether a cell of this source is skipped now."""
        return self._skip is not None and _is_skipped(source.splitlines())

    def after(self, error: BaseException | None) -> None:
        """A cell has ended with ``error``; where that is a needed package's broken import, skip what follows."""
        if error is None or self._skip is not None:
            return
        broken = next((package for package in self._needed if _is_broken(package, error)), None)
        if broken is None:
            return
        name = _name(broken)
        why = plain(f"{type(error).__name__}: {error}", 200)
        self._skip_from_here(f"{name}, which is installed here and cannot be imported")
        self._say(
            f"{name} is installed here and cannot be imported ({why}), so the cells that follow are skipped: install "
            f"it anew with `{_installs([broken])}`, then restart the kernel."
        )

    def close(self) -> None:
        """Skip nothing any more."""
        if self._skip is not None:
            self._cleanup.remove(self._skip)
        self._skip, self._needed = None, ()

    def _skip_from_here(self, what: str) -> None:
        line = f"print({f'Skipped: this cell needs {what}.'!r})\n"

        def skip(lines: list[str]) -> list[str]:
            return [line] if _is_skipped(lines) else lines

        # A terminal asks the transformers, too, whether what is typed is complete; to those with effects it does not.
        skip.has_side_effects = True  # type: ignore[attr-defined]
        self._skip = skip
        self._cleanup.append(skip)


def is_there(package: str) -> bool:
    """Whether Python's finders know the top-level ``package``, without importing it.

    Of a framework a mere folder is not enough: uninstalling may leave one, which would be imported as an empty package.
    """
    if sys.modules.get(package) is not None:
        return True
    spec = _spec(package)
    return spec is not None and (spec.origin is not None or package not in NAMES)


def _is_skipped(lines: list[str]) -> bool:
    first = next((line.strip() for line in lines if line.strip()), "")
    return bool(first) and not _ALWAYS.match(first) and not any(_MAGIC.match(line) for line in lines)


def _is_broken(package: str, error: BaseException) -> bool:
    """Whether ``error`` kept ``package`` from being imported: it came from its files, or was about its name."""
    if sys.modules.get(package) is not None:
        return False
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == package:
        return True
    folder = _folder(package)
    return folder is not None and any(Path(file).is_relative_to(folder) for file in _files(error))


def _folder(package: str) -> Path | None:
    """Where the files of ``package`` lie; None where that cannot be told."""
    spec = _spec(package)
    places = None if spec is None else spec.submodule_search_locations
    return Path(os.path.abspath(next(iter(places)))) if places else None  # noqa: PTH100  # as tracebacks have it


def _spec(package: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(package)
    except (ImportError, AttributeError, ValueError):  # a finder that forbids it, or a module that is half there
        return None


def _files(error: BaseException) -> Iterator[str]:
    """The files that ``error`` came through."""
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame.f_code.co_filename
        step = step.tb_next


def _name(package: str) -> str:
    """What people call it."""
    return NAMES.get(package, (package, ""))[0]


def _listed(packages: list[str]) -> str:
    names = [_name(package) for package in packages]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _installs(packages: list[str]) -> str:
    """The command that brings them: through greennb's extras, which say which versions it knows."""
    extras = dict.fromkeys(NAMES[package][1] for package in packages if package in NAMES)
    words = [f'"greennb[{",".join(extras)}]"'] if extras else []
    return " ".join(["pip install", *words, *(package for package in packages if package not in NAMES)])
