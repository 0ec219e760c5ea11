"""The same estimators from scikit-learn-intelex: classes of the same names, imported in the cell, nothing patched.

``patch_sklearn()`` changes scikit-learn for the whole kernel, which no trial may do and no trial could take back.
``from sklearnex.cluster import KMeans`` binds a name of the notebook's, and nothing else. That importing the package
changes nothing that a trial looks at (environment, filters of warnings, settings of scikit-learn, logging) was seen
with scikit-learn-intelex 2026.2, scikit-learn 1.9.1 and NumPy 2.4.6.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, lines_first
from greennb.advisor.trial.mentions import global_names
from greennb.advisor.trial.reach import Reach, module_of
from greennb.advisor.trial.sklearn.variants.scene import rebuilt, wanted_fit
from greennb.advisor.trial.tree import is_name

PACKAGE = "sklearnex"


@dataclass(frozen=True, slots=True)
class Intelex:
    """oneDAL's versions of the estimators that the fit consists of, where the package has them."""

    name: str = "scikit-learn-intelex"
    codes: tuple[str, ...] = ("GNB307",)
    kind: Kind = Kind.ESTIMATOR

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        signals = scene.cell.sklearn
        assert signals is not None
        if not signals.x86:
            raise RefusedError("scikit-learn-intelex is made for x86 processors, and this is none.")
        if signals.intelex or seen.module.startswith((f"{PACKAGE}.", "daal4py.")):
            raise RefusedError("scikit-learn-intelex is in use here already.")
        if importlib.util.find_spec(PACKAGE) is None:
            raise RefusedError("scikit-learn-intelex is not installed: pip install scikit-learn-intelex.")
        code, refused = scene.code, None
        for name, module in _wanted(seen, signals.calls).items():
            try:
                code = _from_there(scene, code, name, module)
            except RefusedError as error:  # of several classes, one that is made elsewhere stays
                refused = refused or error
        if code == scene.code:
            raise refused or RefusedError(f"scikit-learn-intelex has no {seen.estimator}, nor what is fitted within.")
        return code


def offered(module: str) -> frozenset[str]:
    """Names that ``sklearnex.<module>`` offers, read from its source: a plan imports nothing."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        try:
            tree = ast.parse((Path(folder) / module / "__init__.py").read_text("utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(it, ast.Name) and it.id == "__all__" for it in node.targets
            ):
                return frozenset(str(it.value) for it in ast.walk(node.value) if isinstance(it, ast.Constant))
    return frozenset()


def _wanted(seen: EstimatorCall, calls: Sequence[EstimatorCall]) -> dict[str, str]:
    """The classes that the package has, with their modules: the fit's own, or those within a search or a pipeline.

    What is within one of these is its own business.
    """
    around, found = [seen], {}
    for call in [seen, *sorted((it for it in calls if it.fits and it.depth), key=lambda it: it.depth)]:
        if call is not seen and call.inside not in {it.estimator for it in around}:
            continue
        module = _public(call)
        if module and call.estimator in offered(module):
            found[call.estimator] = module
        else:
            around.append(call)
        if call is seen and found:
            break
    return found


def _public(call: EstimatorCall) -> str:
    """ "cluster" for a class of ``sklearn.cluster``'s; "" for a class that is not scikit-learn's own."""
    first, _, rest = call.module.partition(".")
    return rest.partition(".")[0] if first == "sklearn" else ""


def _from_there(scene: Scene, code: str, name: str, module: str) -> str:
    """``code`` in which ``name`` means the class of that name in ``sklearnex.<module>``."""
    cell = Cell(code)
    imported = {it.asname or it.name for node in _imports(cell, name) for it in node.names if it.name == name}
    bound = set(_used(scene, cell, name))
    if _is_made_elsewhere(scene, cell, name):
        code, bound = rebuilt(scene, code, (name,), name, {}), bound | {name}
    elif dotted := [it for it in ast.walk(cell.tree) if isinstance(it, ast.Attribute) and _means(scene, it, name)]:
        code, bound = cell.replaced(*((it, name) for it in dotted)), bound | {name}
    elif not imported and not bound:
        raise RefusedError(f"Where {name} is made can't be seen: make it in this cell.")
    if name in bound:
        _refuse_another(scene, name)
    while imports := _imports(cell := Cell(code), name):
        code = _imported_from_there(cell, imports[0], name, module)
    return lines_first(code, [_line(module, name, it) for it in sorted(bound - imported)])


def _imports(cell: Cell, name: str) -> list[ast.ImportFrom]:
    """Statements that import a name from scikit-learn."""
    every = (it for it in ast.walk(cell.tree) if isinstance(it, ast.ImportFrom))
    return [it for it in every if (it.module or "").startswith("sklearn.") and any(a.name == name for a in it.names)]


def _imported_from_there(cell: Cell, node: ast.ImportFrom, name: str, module: str) -> str:
    """The text with that one name imported from the other package, all else as it was."""
    begin, _end = cell.span(node)
    indent = cell.text[cell.text.rfind("\n", 0, begin) + 1 : begin]
    if indent.strip():
        raise RefusedError(f"{name} is imported in a line with other statements: give the import a line.")
    moved = [_line(module, name, it.asname or name) for it in node.names if it.name == name]
    others = ", ".join(f"{it.name} as {it.asname}" if it.asname else it.name for it in node.names if it.name != name)
    left = [f"from {node.module} import {others}"] if others else []
    return cell.replaced((node, f"\n{indent}".join([*left, *moved])))


def _line(module: str, name: str, bound: str) -> str:
    return f"from {PACKAGE}.{module} import {name}" + (f" as {bound}" if bound != name else "")


def _used(scene: Scene, cell: Cell, name: str) -> set[str]:
    """What the notebook calls scikit-learn's class of that name, where the cell or a function of its reads it."""
    called = {bound for bound, thing in list(scene.namespace.items()) if _is_scikits(thing, name)}
    read = {it.id for it in ast.walk(cell.tree) if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Load)}
    if called and not called <= read:
        functions = Reach.of(scene.namespace, cell.text).functions
        read = read.union(*(global_names(it.__code__) for it in functions if it.__globals__ is scene.namespace))
    return called & read


def _is_made_elsewhere(scene: Scene, cell: Cell, name: str) -> bool:
    """Whether the fit's estimator is one of that class and has its name from another cell."""
    seen = wanted_fit(scene)
    if seen.name is None or seen.estimator != name:
        return False
    return not any(is_name(it, seen.name) and isinstance(it.ctx, ast.Store) for it in ast.walk(cell.tree))


def _means(scene: Scene, node: ast.expr, name: str) -> bool:
    """Whether ``cluster.KMeans`` is scikit-learn's class of that name: only modules are looked into."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    found = scene.namespace.get(node.id) if isinstance(node, ast.Name) else None
    for part in parts:
        if not isinstance(found, ModuleType):
            return False
        found = vars(found).get(part)
    return bool(parts) and _is_scikits(found, name)


def _is_scikits(thing: object, name: str) -> bool:
    """Whether it is scikit-learn's own class of that name."""
    return isinstance(thing, type) and thing.__name__ == name and module_of(thing).startswith("sklearn.")


def _refuse_another(scene: Scene, name: str) -> None:
    """The name is free, or means scikit-learn's class already.

    Raises:
        RefusedError: it means something else.
    """
    if name in scene.namespace and not _is_scikits(scene.namespace[name], name):
        raise RefusedError(f"{name} means something else in this notebook: import it from {PACKAGE} by hand.")
