"""What a cell's source says: recognised in its syntax tree, to confirm what was measured.

IPython's own syntax is taken out first, line by line, so that line numbers stay. A definition counts where it is used:
functions and classes of this cell and of earlier ones are looked into from the place that names them, four deep, and so
are the classes of the objects that it names. No object of the user's is asked for anything but its type.

The kinds of facts (``name`` is the variable that each is about):

* ``item_in_loop``: in a loop, ``.item()``, ``.cpu()``, ``.tolist()``, ``.numpy()`` on something, or ``float(x)`` and
  ``print(x)`` of what a call in that loop has given. Not in a loop around the one with the steps (an epoch's).
* ``zero_grad_false``: ``zero_grad(set_to_none=False)``.
* ``created_on_cpu``: ``torch.zeros(...).to(device)`` or ``.cuda()``, and other factories that take ``device=``.
* ``softmax_matmul``: in one function, a product, its softmax, and a product with that.
* ``backward``: a call of ``.backward(``.
* ``tape_loop``: ``with tf.GradientTape()`` in a loop, not within a ``tf.function``.
* ``tf_function``: a function decorated with ``tf.function``, or given to it.
* ``early_stop``: ``break``, ``return`` or ``raise`` under a comparison with something called val, loss, patience or
  best, or a callback whose name says early stopping.
* ``iterrows``: a loop over ``.iterrows()`` or ``.itertuples()``.
* ``apply_rows``: ``.apply(..., axis=1)``.
* ``rows_plain``: such a loop, or what ``apply`` calls, with nothing in it but arithmetic, indexing and builtins.
* ``append_in_loop``: in a loop, a frame or array replaced by itself and more: ``df = pd.concat([df, row])``.
* ``element_loop``: a loop in pure Python over numbers, one at a time: ``for i in range(len(a))`` with ``a[i]`` in
  arithmetic, or over the numbers themselves; nothing but arithmetic, indexing, ``append`` and builtins in it.
* ``predict_loop``, ``fit_loop``: ``.predict(`` (also ``_proba``), ``.fit(`` in a loop.
* ``download``: ``urlretrieve``, ``urlopen``, ``requests.get``, a ``pd.read_*`` of a URL, ``!wget``, ``!curl``.
* ``pure``: the cell as a whole does nothing but bind names to what known loaders, with known arguments, give again in
  the same way each time they are asked.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
import warnings
from collections.abc import Sequence

from greennb.advisor.names import Names
from greennb.advisor.observe.source import pure as source_pure
from greennb.advisor.observe.source import scope as source_scope
from greennb.advisor.observe.source.facts import RECOGNISERS
from greennb.advisor.observe.source.walk import Parsed, Walk, definitions
from greennb.advisor.signals.source import SourceFact, SourceSignals

LONGEST = 200_000
"""Characters of source; a cell that is longer was not written by hand."""

_KEPT_LONGEST = 20_000
"""Characters of source whose tree is kept for the next look: a tree takes some hundred times the room."""

_LINE_MAGIC = re.compile(r"^(\s*)(?:(%)(\w+)\s*(.*)|[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w., ]+=\s*)[%!].*$")
_PYTHON_MAGICS = frozenset(("time", "timeit", "capture", "prun", "energy", "memit", "mprun", "pyinstrument"))
"""Cell magics whose body is Python; a cell of another says nothing."""

_RUNS_REST = frozenset(("time", "timeit", "prun", "energy", "memit"))
_DOWNLOAD = re.compile(r"^\s*(?:[\w., ]+=\s*)?[!%]\s*(?:sx\s+)?(?:wget|curl)\b")
_DEFINES = re.compile(r"\b(?:def|class|lambda)\b")
_WARNS = re.compile(r"\\|\d(?:and|else|for|if|in|is|not|or)\b")


def source_signals(source: str, names: Names, *, earlier: Sequence[str] = ()) -> SourceSignals | None:
    """What ``source`` says; None where it is no Python, or longer than a person writes.

    ``earlier`` are the sources of the cells that ran before it, oldest first; ``names`` tells which of their classes an
    object is of. Takes some 5 ms for a hundred lines.
    """
    parsed = _parsed(source)
    if parsed is None:
        return None
    walk = Walk(names, [_defining(cell) for cell in reversed(earlier)], RECOGNISERS)
    walk.cell(parsed)
    facts = [*walk.facts, *_shell(source)]
    if source_pure.is_pure(parsed.tree):
        facts.append(SourceFact(kind="pure", line=1, text=parsed.lines[0].strip()[:120]))
    reads, writes = source_scope.reads_and_writes(parsed.tree)
    return SourceSignals(
        digest=_digest(source, parsed.tree),
        facts=tuple(sorted(facts, key=lambda fact: fact.line)),
        reads=reads,
        writes=writes,
        statements=source_scope.working_statements(parsed.tree),
    )


def _defining(source: str) -> Parsed | None:
    """An earlier cell, where it defines something."""
    return _parsed(source) if _defines(source) else None


def _parsed(source: str) -> Parsed | None:
    return _kept(source) if len(source) <= _KEPT_LONGEST else _parse(source)


@functools.lru_cache(maxsize=512)
def _kept(source: str) -> Parsed | None:
    return _parse(source)


@functools.lru_cache(maxsize=1024)
def _defines(source: str) -> bool:
    """Whether it may; looked at once, not for each cell after it: most do not, and need not be parsed for others."""
    return _DEFINES.search(source) is not None


def _parse(source: str) -> Parsed | None:
    if len(source) > LONGEST:
        return None
    for text in (source, without_magics(source)):
        if text is not None and (tree := _tree(text)) is not None:
            return Parsed(tree, tuple(text.split("\n")), dict(definitions(tree)))
    return None


def _tree(text: str) -> ast.Module | None:
    try:
        if _WARNS.search(text) is None:
            return ast.parse(text)
        with warnings.catch_warnings():  # the user has seen them when the cell was compiled
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_magics(source: str) -> str | None:
    """``source`` with blank or plain lines for IPython's; None where a cell magic has a body of another language."""
    kept: list[str] = []
    body = False
    for line in source.split("\n"):
        if line.startswith("%%") and not body:
            if (line[2:].split() or [""])[0] not in _PYTHON_MAGICS:
                return None
            kept.append("")
            continue
        body = body or bool(line.strip())
        kept.append(_plain(line))
    return "\n".join(kept)


def _plain(line: str) -> str:
    assigned = _ASSIGNED_MAGIC.match(line)
    if assigned:
        return f"{assigned[1]}None"
    magic = _LINE_MAGIC.match(line)
    if magic is None:
        return line
    indent, percent, name, rest = magic.groups()
    if percent and name in _RUNS_REST and rest and not rest.startswith("-"):
        return f"{indent}{rest}"
    return f"{indent}pass" if indent else ""


def _shell(source: str) -> list[SourceFact]:
    return [
        SourceFact(kind="download", line=number, text=line.strip()[:120], first=number, last=number)
        for number, line in enumerate(source.split("\n"), start=1)
        if _DOWNLOAD.match(line)
    ]


def _digest(source: str, tree: ast.Module) -> str:
    """Equal for cells that differ in comments and spaces only; what a magic does is in its text."""
    magics = [line.strip() for line in source.split("\n") if line.lstrip()[:1] in ("%", "!")]
    try:
        whole = "\n".join([ast.dump(tree), *magics])
    except RecursionError:
        whole = source
    return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
