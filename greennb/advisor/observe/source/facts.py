"""The recognisers: each is shown nodes of one type in their place and gives the kinds of facts that it sees.

What the kinds mean is said in :mod:`greennb.advisor.observe.source.signals`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greennb.advisor.observe.source import elements as source_elements
from greennb.advisor.observe.source.walk import Loop, Place, Recogniser, Walk, attribute, is_tf_function, root

Seen = Iterator[tuple[str, str]]

_READ_BACK = ("item", "cpu", "tolist", "numpy")
_FACTORIES = frozenset(
    ("zeros", "ones", "full", "empty", "rand", "randn", "randint", "randperm", "arange", "linspace", "eye", "normal")
)
"""Factories of torch that take ``device`` and would make the tensor there; ``torch.tensor`` copies either way."""

_JOINS = frozenset(("concat", "concatenate", "append", "vstack", "hstack"))
_PRODUCTS = frozenset(("matmul", "bmm", "baddbmm", "einsum"))
_EARLY = re.compile(r"early_?stop", re.IGNORECASE)
_QUALITY = frozenset(("val", "valid", "validation", "loss", "patience", "best", "wait", "plateau", "stop", "improved"))
_PLAIN_NUMBERS = frozenset(("item", "float", "int", "len", "str", "round", "time", "perf_counter", "format", "join"))


def item_in_loop(node: ast.Call, place: Place, walk: Walk) -> Seen:
    """Something read back from the device, once a step."""
    called = node.func
    names: list[str] = []
    if not place.loops:
        return
    if isinstance(called, ast.Attribute) and called.attr in _READ_BACK and not node.args:
        if attribute(called.value) not in _READ_BACK:  # the outermost of a chain
            names = [root(called.value)]
    elif isinstance(called, ast.Name) and called.id in ("float", "print"):
        names = [it for it in _bare(node.args) if _computed(it, place.loops[-1])]
    for name in filter(None, names):
        if not walk.once(_around_steps, place.loops[-1]):
            yield "item_in_loop", name


def zero_grad_false(node: ast.Call, _place: Place, _walk: Walk) -> Seen:
    """Gradients filled with zeros instead of dropped."""
    if attribute(node) == "zero_grad":
        given = [*node.args, *(it.value for it in node.keywords if it.arg == "set_to_none")]
        if any(isinstance(it, ast.Constant) and it.value is False for it in given):
            yield "zero_grad_false", root(node.func)


def created_on_cpu(node: ast.Call, place: Place, _walk: Walk) -> Seen:
    """A tensor made on the CPU and moved at once."""
    called = node.func
    if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Call):
        return
    made = called.value
    if attribute(made) not in _FACTORIES or root(made) != "torch" or any(it.arg == "device" for it in made.keywords):
        return
    if called.attr == "cuda" or (called.attr == "to" and any(map(_is_device, [*node.args, *_values(node)]))):
        yield "created_on_cpu", place.target


def softmax_matmul(node: Any, place: Place, _walk: Walk) -> Seen:
    """Attention written out: a product, its softmax, a product with that."""
    if not any("softmax" in line for line in place.lines):
        return
    products: set[str] = set()
    weights: set[str] = set()
    for statement in _statements(node.body):
        value = getattr(statement, "value", None)
        if value is None:
            continue
        for each in ast.walk(value):
            if any(_holds_softmax(operand, products) or _touches(operand, weights) for operand in _operands(each)):
                yield "softmax_matmul", next(iter(sorted(weights)), "")
                return
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        bound = {name for target in targets for name in _stored(target)}
        if _holds_softmax(value, products) or (_touches(value, weights) and not _holds_product(value)):
            weights |= bound
        elif _holds_product(value) or _touches(value, products):
            products |= bound


def backward(node: ast.Call, _place: Place, _walk: Walk) -> Seen:
    """A backward pass."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "backward":
        yield "backward", root(node.args[0]) if node.args and root(node.func) == "accelerator" else root(node.func)


def tape_loop(node: ast.With, place: Place, _walk: Walk) -> Seen:
    """Gradients taken eagerly, step by step."""
    if place.loops and not place.traced and any(attribute(it.context_expr) == "GradientTape" for it in node.items):
        name = next((root(it.optional_vars) for it in node.items if it.optional_vars is not None), "")
        yield "tape_loop", name


def tf_function(node: Any, _place: Place, _walk: Walk) -> Seen:
    """A function that TensorFlow traces."""
    if isinstance(node, ast.Call):
        if is_tf_function(node.func) and node.args:
            yield "tf_function", root(node.args[0])
    elif any(map(is_tf_function, node.decorator_list)):
        yield "tf_function", node.name


def early_stop(node: ast.If, place: Place, _walk: Walk) -> Seen:
    """A loop left when it gets no better."""
    leaves = [each for it in (*node.body, *node.orelse) for each in ast.walk(it)]
    if place.loops and any(isinstance(it, ast.Break | ast.Return | ast.Raise) for it in leaves):
        words = {word for name in _names([node.test], attributes=True) for word in name.lower().split("_")}
        if words & _QUALITY or any(_EARLY.search(name) for name in _names([node.test], attributes=True)):
            yield "early_stop", next(iter(_names([node.test])), "")


def early_stop_callback(node: ast.Call, place: Place, _walk: Walk) -> Seen:
    """A callback that ends training."""
    if attribute(node).startswith("EarlyStop"):
        yield "early_stop", place.target


def iterrows(node: Any, _place: Place, _walk: Walk) -> Seen:
    """Rows of a frame, one Python object each."""
    is_loop = isinstance(node, ast.For | ast.AsyncFor)
    for each in ast.walk(node.iter if is_loop else node.generators[0].iter):
        if isinstance(each, ast.Call) and attribute(each) in ("iterrows", "itertuples"):
            yield "iterrows", root(each.func)
            if attribute(each) == "iterrows" and is_loop and source_elements.is_plain_body(node.body):
                yield "rows_plain", root(each.func)


def apply_rows(node: ast.Call, place: Place, walk: Walk) -> Seen:
    """A Python function called for each row."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("apply", "progress_apply"):
        return
    axis = [*node.args[1:2], *(it.value for it in node.keywords if it.arg == "axis")]
    if not any(isinstance(it, ast.Constant) and it.value in (1, "columns") for it in axis):
        return
    name = root(node.func)
    yield "apply_rows", name
    given = node.args[0] if node.args else None
    if isinstance(given, ast.Lambda):
        if source_elements.is_plain_value(given.body):
            yield "rows_plain", name
    elif isinstance(given, ast.Name):
        written = walk.definition(given.id, given, place)
        if written is not None:
            function, where = written
            if isinstance(function, ast.FunctionDef) and source_elements.is_plain_body(function.body):
                yield "rows_plain", name
                walk.add("rows_plain", name, function, where)


def append_in_loop(node: ast.Assign, place: Place, _walk: Walk) -> Seen:
    """A frame or array copied whole for each row that it gets."""
    if not place.loops or not place.target or not isinstance(node.value, ast.Call):
        return
    call = node.value
    onto_itself = isinstance(call.func, ast.Attribute) and root(call.func.value) == place.target
    module = root(call.func) in ("pd", "pandas", "np", "numpy")
    if attribute(call) in _JOINS and (onto_itself or (module and place.target in _names(call.args))):
        yield "append_in_loop", place.target


def predict_loop(node: ast.Call, place: Place, _walk: Walk) -> Seen:
    """A model asked again and again."""
    if place.loops and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("predict", "predict_proba"):
            yield "predict_loop", root(node.func)
        elif node.func.attr == "fit":
            yield "fit_loop", root(node.func)


def download(node: ast.Call, place: Place, _walk: Walk) -> Seen:
    """Something fetched from elsewhere."""
    called = attribute(node)
    fetches = called in ("urlretrieve", "urlopen") or (called == "get" and root(node.func) == "requests")
    from_url = called.startswith("read_") and any(_is_url(it) for it in node.args[:1])
    if fetches or from_url:
        yield "download", place.target


def element_loop(node: ast.For, place: Place, walk: Walk) -> Seen:
    """Numbers worked on one at a time, in the interpreter; the outermost such loop."""
    if any(isinstance(it, ast.For) and walk.once(source_elements.over, it, walk) is not None for it in place.loops):
        return
    name = walk.once(source_elements.over, node, walk)
    if name is not None:
        yield "element_loop", name


_CALLS: Sequence[Recogniser] = (
    item_in_loop, zero_grad_false, created_on_cpu, backward, tf_function, early_stop_callback, apply_rows, predict_loop,
    download,
)  # fmt: skip
RECOGNISERS: Mapping[type[ast.AST], Sequence[Recogniser]] = {
    ast.Call: _CALLS,
    ast.Module: (softmax_matmul,),
    ast.FunctionDef: (softmax_matmul, tf_function),
    ast.AsyncFunctionDef: (softmax_matmul, tf_function),
    ast.With: (tape_loop,),
    ast.If: (early_stop,),
    ast.Assign: (append_in_loop,),
    ast.For: (iterrows, element_loop),
    ast.ListComp: (iterrows,),
    ast.SetComp: (iterrows,),
    ast.DictComp: (iterrows,),
    ast.GeneratorExp: (iterrows,),
}
"""Which nodes each is shown."""


def _names(nodes: Sequence[ast.AST], *, attributes: bool = False) -> list[str]:
    """Names in ``nodes``, in their order; with the names of attributes, where asked for."""
    every = [each for node in nodes for each in ast.walk(node)]
    plain = [it.id for it in every if isinstance(it, ast.Name)]
    return [*plain, *(it.attr for it in every if isinstance(it, ast.Attribute))] if attributes else plain


def _bare(nodes: Sequence[ast.AST]) -> list[str]:
    """Names that stand by themselves, or in braces of an f-string."""
    parts = [it.value for node in nodes for it in getattr(node, "values", ()) if isinstance(it, ast.FormattedValue)]
    return [it.id for it in [*nodes, *parts] if isinstance(it, ast.Name)]


def _stored(node: ast.AST) -> list[str]:
    return [it.id for it in ast.walk(node) if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Store)]


def _values(node: ast.Call) -> list[ast.expr]:
    return [it.value for it in node.keywords if it.arg == "device"]


def _is_device(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value.startswith(("cuda", "mps"))
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return bool(re.search(r"dev|cuda|gpu", name, re.IGNORECASE))


def _is_url(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "://" in node.value[:8]


def _around_steps(loop: Loop) -> bool:
    """Whether a loop is one over epochs: a loop in it makes the steps."""
    inner = [it for it in ast.walk(loop) if isinstance(it, ast.For | ast.AsyncFor | ast.While) and it is not loop]
    return any(attribute(it) in ("backward", "step") for each in inner for it in ast.walk(each))


def _computed(name: str, loop: Loop) -> bool:
    """Whether ``name`` is bound in the loop to what a call gives, and that is no plain number or text."""
    values = [
        it.value
        for it in ast.walk(loop)
        if isinstance(it, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in it.targets)
    ]
    return bool(values) and all(_is_result(it) for it in values)


def _is_result(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_result(value.left) or _is_result(value.right)
    if isinstance(value, ast.Attribute):
        return isinstance(value.value, ast.Call) and _is_result(value.value)
    return isinstance(value, ast.Call) and attribute(value) not in _PLAIN_NUMBERS


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a function in order, also within its blocks, without those of functions in it."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, field, ()))


def _operands(node: ast.AST) -> Sequence[ast.AST]:
    """What a product is of; nothing for what is no product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return (node.left, node.right)
    if isinstance(node, ast.Call) and attribute(node) in _PRODUCTS:
        return (*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else []))
    return ()


def _holds_product(node: ast.AST) -> bool:
    return any(_operands(it) for it in ast.walk(node))


def _holds_softmax(node: ast.AST, products: set[str]) -> bool:
    """Whether a softmax of a product is in it."""
    calls = [it for it in ast.walk(node) if isinstance(it, ast.Call) and attribute(it) == "softmax"]
    return any(_holds_product(it) or _touches(it, products) for it in calls)


def _touches(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(it, ast.Name) and it.id in names for it in ast.walk(node))
