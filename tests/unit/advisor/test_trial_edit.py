"""Changes of a cell's text: what is asked for, and not one character more."""

from __future__ import annotations

from typing import Any

import pytest

from greennb.advisor.observe.source.signals import without_magics
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.edit import Cell, apply_to_source, checked, diff, with_import


def scene(source: str, **namespace: Any) -> Scene:
    cell = CellContext(number=0, cell_id="a", execution_count=1, source=source, duration_s=1.0)
    return Scene(cell=cell, code=without_magics(source) or "", namespace=namespace)


# What is found


def test_places_are_characters_behind_any_script() -> None:
    """Trees count bytes; the text that comes back is what was typed."""
    cell = Cell('x = "größe 電力"; net = Net(größe, "電")\n')
    assert [cell.source(it) for it in cell.every_call()] == ['Net(größe, "電")']


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = 1\ry = 2"])
def test_what_is_no_python_is_refused(text: str) -> None:
    """In words, not by a traceback."""
    with pytest.raises(RefusedError):
        Cell(text)


def test_calls_are_found_under_any_alias() -> None:
    """By module, by name and by another name, in the order of the text; a user's own of another name is not."""
    cell = Cell(
        "from torch.optim import Adam as A\nimport torch.optim as o\n"
        "a = A(p)\nb = o.Adam(q)\nc = Adam2(r)\nd = get()(s)\nfrom torch.optim import Adam\ne = Adam(t)"
    )
    assert [cell.source(it) for it in cell.calls("Adam")] == ["A(p)", "o.Adam(q)", "Adam(t)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("opt = Adam(p)\nopt = SGD(q)", "SGD(q)"),
        ("opt: Any = wrap(Adam(p))", "Adam(p)"),
        ("def f():\n    opt, n = Adam(p), 1", "Adam(p)"),
        ("opt.groups = Adam(p)\nseen[opt] = SGD(q)", None),
        ("opt = load(p)", None),
    ],
)
def test_the_maker_of_a_name(text: str, expected: str | None) -> None:
    """The call whose value the name is bound to; a part of the object, or a place under it, is another thing."""
    cell = Cell(text)
    found = cell.maker("opt", "Adam", "SGD")
    assert expected == (None if found is None else cell.source(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n    for i in x: pass\nfor a in b: m(a)", "for a in b: m(a)"),
        ("m = Net()\nwith y:\n    for a in b: m(a)", "with y:\n    for a in b: m(a)"),
        ("for a in b: m(a)\nm = m.cpu()", "for a in b: m(a)"),
        ("m = Net()\nfor a in b: m(a)\nm = m.cpu()", "for a in b: m(a)"),
        ("m = Net()\nm.top = Linear()\nout = m(x)", "out = m(x)"),
        ("import a\nfit(m)\nfit(m)", "fit(m)"),
    ],
)
def test_where_the_work_is(text: str, expected: str) -> None:
    """The first loop after the name is bound; what is done with the object behind it doesn't hide it."""
    cell = Cell(text)
    assert expected == cell.source(cell.work(("m",)))


@pytest.mark.parametrize("text", ["fit()", "for a in b: f(a)\nm = Net()"])
def test_no_work_is_refused(text: str) -> None:
    """The object is nowhere in the cell, or comes after all of its loops."""
    with pytest.raises(RefusedError, match="top level"):
        Cell(text).work(("m",))


def test_the_innermost_statement() -> None:
    """Of the statements around a call the nearest one."""
    cell = Cell("for a in b:\n    if a:\n        x = f(a)")
    assert cell.source(cell.statement_of(cell.calls("f")[0])) == "x = f(a)"
    with pytest.raises(RefusedError):
        cell.statement_of(Cell("f(a)").calls("f")[0])


# Calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Adam()", "Adam(fused=True)"),
        ("Adam(\n)", "Adam(fused=True\n)"),
        ("Adam(p)", "Adam(p, fused=True)"),
        ("Adam(p,)", "Adam(p, fused=True)"),
        ("Adam( p )", "Adam( p, fused=True )"),
        ("Adam((p))", "Adam((p), fused=True)"),
        ("Adam(p, *a, **k)", "Adam(p, *a, **k, fused=True)"),
        ("Adam(p, fused=False, lr=1)  # slow", "Adam(p, fused=True, lr=1)  # slow"),
        ("Adam(f(g(p)), lr=h(1))", "Adam(f(g(p)), lr=h(1), fused=True)"),
        ('x = "größe"; o = Adam(größe)', 'x = "größe"; o = Adam(größe, fused=True)'),
        ("Adam(p,\n     lr=1)", "Adam(p,\n     lr=1, fused=True)"),
        ("Adam(\n    p,\n    lr=1\n)", "Adam(\n    p,\n    lr=1,\n    fused=True,\n)"),
        ("Adam(\n    p,\n    lr=1,\n)", "Adam(\n    p,\n    lr=1,\n    fused=True,\n)"),
        ("Adam(\n\tp,\n\tlr=1,\n)", "Adam(\n\tp,\n\tlr=1,\n\tfused=True,\n)"),
        ("Adam(\n    p,\n    lr=1  # high, is it?\n)", "Adam(\n    p,\n    lr=1,  # high, is it?\n    fused=True,\n)"),
        ("Adam(\n    p,  # all\n    # lr=1,\n)", "Adam(\n    p,  # all\n    fused=True,\n    # lr=1,\n)"),
        ("Adam(p, lr=1\n)", "Adam(p, lr=1,\n    fused=True,\n)"),
        ("Adam(\n    f(\n        p\n    )\n)", "Adam(\n    f(\n        p\n    ),\n    fused=True,\n)"),
        ("Adam(p, text='''a\nb''')", "Adam(p, text='''a\nb''', fused=True)"),
    ],
)
def test_a_keyword_is_set(text: str, expected: str) -> None:
    """In the way in which the call is typed; comments and line breaks stay."""
    cell = Cell(text)
    assert expected == cell.with_keyword(cell.calls("Adam")[0], fused="True")


def test_several_keywords_are_set_at_once() -> None:
    """Those that are there in their place, the others behind."""
    cell = Cell("DataLoader(d, num_workers=0, shuffle=True)")
    expected = "DataLoader(d, num_workers=2, shuffle=True, persistent_workers=True)"
    assert expected == cell.with_keyword(cell.calls("DataLoader")[0], num_workers="2", persistent_workers="True")


def test_a_bare_generator_is_refused() -> None:
    """A second argument would need parentheses around it."""
    cell = Cell("Adam(p for p in q)")
    with pytest.raises(RefusedError, match="by hand"):
        cell.with_keyword(cell.calls("Adam")[0], fused="True")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Loader(d, 32, True)", "Loader(d, 64, True, pin=True)"),
        ("Loader(d, batch=32)", "Loader(d, batch=64, pin=True)"),
        ("Loader(d)", "Loader(d, batch=64, pin=True)"),
        ("Loader(d, 32)(x)", "Loader(d, 64, pin=True)(x)"),
        ("Loader(*a, k)", "Loader(*a, k, batch=64, pin=True)"),
    ],
)
def test_an_argument_is_set_where_it_stands(text: str, expected: str) -> None:
    """By its place, or by its name; never twice."""
    cell = Cell(text)
    assert expected == cell.with_argument(cell.calls("Loader")[0], {"batch": 1}, batch="64", pin="True")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SGD(p, foreach=False)", "SGD(p)"),
        ("SGD(foreach=False)", "SGD()"),
        ("SGD(p, foreach=False, lr=f(1, 2))", "SGD(p, lr=f(1, 2))"),
        ("SGD(p, lr=1)", "SGD(p, lr=1)"),
        ("SGD(p, **k, foreach=(a, b)[0])", "SGD(p, **k)"),
        ("SGD(p, foreach=False)(x)", "SGD(p)(x)"),
        ("SGD(\n    p,  # all\n    foreach=False,  # why?\n    lr=1,\n)", "SGD(\n    p,  # all\n    lr=1,\n)"),
        ("SGD(\n    p,\n    foreach=False\n)", "SGD(\n    p,\n)"),
        ("SGD(p, foreach=False,\n    lr=1)", "SGD(p,\n    lr=1)"),
        ("SGD(p,\n    foreach=False)", "SGD(p)"),
        ("SGD(p,  # all\n    foreach=False)", "SGD(p,  # all\n    )"),
    ],
)
def test_a_keyword_is_taken_out(text: str, expected: str) -> None:
    """With its comma, and nothing else: the other arguments stay as they were typed."""
    cell = Cell(text)
    assert expected == cell.without_keyword(cell.calls("SGD")[0], "foreach")


def test_several_keywords_are_taken_out() -> None:
    cell = Cell("SGD(p, a=1, b=2, c=3)")
    assert cell.without_keyword(cell.calls("SGD")[0], "c", "a", "z") == "SGD(p, b=2)"


def test_nodes_are_replaced_from_behind() -> None:
    """Each in its place, whatever the others' length."""
    cell = Cell("a = 1; bb = 2")
    first, second = (it.value for it in cell.tree.body)  # type: ignore[attr-defined]
    assert cell.replaced((first, "1000"), (second, "x")) == "a = 1000; bb = x"


# Lines


def test_lines_before_a_statement() -> None:
    """As far in as it is, above its decorators, under its comment."""
    cell = Cell("# why\n@once\ndef f():\n\tif x:\n\t\treturn 1\n")
    assert cell.before(cell.tree.body[0], ["a", "b"]) == "# why\na\nb\n@once\ndef f():\n\tif x:\n\t\treturn 1\n"
    inner = cell.tree.body[0].body[0].body[0]  # type: ignore[attr-defined]
    assert cell.before(inner, ["a"]) == "# why\n@once\ndef f():\n\tif x:\n\t\ta\n\t\treturn 1\n"


@pytest.mark.parametrize("text", ["a = 1; b = 2", "for b in a: b()", "'''x\ny'''; b()"])
def test_a_line_shared_by_statements_is_refused(text: str) -> None:
    """There is no place before the second one."""
    cell = Cell(text)
    last = cell.tree.body[-1]
    with pytest.raises(RefusedError, match="one line"):
        cell.before(getattr(last, "body", [last])[0], ["x"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""Doc."""\nimport a\nfrom b import c\nd()', '"""Doc."""\nimport a\nfrom b import c\nx\nd()'),
        ("import a\n", "import a\nx"),
        ("d()", "x\nd()"),
    ],
)
def test_lines_at_the_top(text: str, expected: str) -> None:
    """Under docstring and imports."""
    assert expected == Cell(text).at_top(["x"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for a in b:\n\n    f(a)  # go\nend()", "with x:\n    for a in b:\n\n        f(a)  # go\nend()"),
        ("for a in b:\n\tf(a)", "with x:\n\tfor a in b:\n\t\tf(a)"),
        ("y = f(\n  1,\n)", "with x:\n    y = f(\n      1,\n    )"),
        ("for a in b: f(a)", "with x:\n    for a in b: f(a)"),
    ],
)
def test_lines_are_moved_under_a_header(text: str, expected: str) -> None:
    """One step in, in the cell's own kind of step; blank lines stay blank."""
    cell = Cell(text)
    assert expected == cell.wrapped(cell.tree.body[0], cell.tree.body[0], "with x:")


@pytest.mark.parametrize(
    "text",
    [
        "for a in b:\n    f('''x\n  y''')",
        "for a in b:\n    f(f'''x\n  {a}''')",
        "y = f(1); g()",
        "y = f(\n  1); g()",
    ],
)
def test_what_would_change_by_being_moved_is_refused(text: str) -> None:
    """A text over several lines would get longer, and a neighbour on the line would come along."""
    cell = Cell(text)
    with pytest.raises(RefusedError):
        cell.wrapped(cell.tree.body[0], cell.tree.body[0], "with x:")


def test_what_comes_out_is_python() -> None:
    """A change that breaks the cell is refused; a cell that awaits is none that is broken."""
    assert checked("await f()") == "await f()"
    with pytest.raises(RefusedError, match="by hand"):
        checked("f(")


# Imports


@pytest.mark.parametrize(
    ("code", "namespace", "expected"),
    [
        ("f()", {}, "import torch\nf()"),
        ("f()", {"torch": 1}, "f()"),
        ("import torch\nf()", {}, "import torch\nf()"),
        ("import torch as t\nf()", {"t": 1}, "import torch\nimport torch as t\nf()"),
        ("def f():\n    import torch", {}, "import torch\ndef f():\n    import torch"),
        (
            '"""Doc."""\nfrom __future__ import annotations\nf()',
            {},
            '"""Doc."""\nfrom __future__ import annotations\nimport torch\nf()',
        ),
        ("# why\nf()", {}, "# why\nimport torch\nf()"),
        ("", {}, "\nimport torch"),
    ],
)
def test_an_import_that_is_missing(code: str, namespace: dict[str, Any], expected: str) -> None:
    """First in the cell, where neither the notebook nor the cell has its name."""
    assert expected == with_import(scene(code, **namespace), code, "import torch")


# Back into the cell


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%%energy\nfor a in b: f(a)", "%%energy\nx\nfor a in b: f(a)"),
        ("%%energy --lines\n\nfor a in b: f(a)", "%%energy --lines\n\nx\nfor a in b: f(a)"),
        ("%matplotlib inline\nfor a in b: f(a)", "%matplotlib inline\nx\nfor a in b: f(a)"),
        ("!pip install a\n\nfor a in b: f(a)\n!ls", "!pip install a\n\nx\nfor a in b: f(a)\n!ls"),
        ("%time y = g()\nfor a in b: f(a)", "%time y = g()\nx\nfor a in b: f(a)"),
        ("files = !ls\nfor a in b:\n    !ls {a}", "files = !ls\nx\nfor a in b:\n    !ls {a}"),
    ],
)
def test_magics_stay_where_they_were(source: str, expected: str) -> None:
    """What is put in is put between them; a line that IPython reads is the user's, letter by letter."""
    it = scene(source)
    cell = Cell(it.code)
    assert expected == apply_to_source(it, cell.before(cell.work(), ["x"]))


def test_an_import_goes_below_the_first_line() -> None:
    """A cell magic is one only in the first line."""
    it = scene("%%energy\nf()")
    assert apply_to_source(it, with_import(it, it.code, "import torch")) == "%%energy\nimport torch\nf()"


def test_lines_changed_on_both_sides_of_a_magic() -> None:
    """The magic between them stays between them."""
    it = scene("a = f(1)\n%matplotlib inline\nb = f(2)")
    assert apply_to_source(it, "a = g(1)\n\nb = g(2)") == "a = g(1)\n%matplotlib inline\nb = g(2)"


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("%time f(1)", "f(2)"),
        ("for a in b:\n    %time f(a)", "with x:\n    for a in b:\n        f(a)"),
        ("for a in b:\n    !ls", "with x:\n    for a in b:\n        pass"),
        ("files = !ls", "files = 3"),
    ],
)
def test_a_change_within_a_magic_is_refused(source: str, changed: str) -> None:
    """The line can't be typed anew by somebody who does not know the magic."""
    with pytest.raises(RefusedError, match="magic"):
        apply_to_source(scene(source), changed)


def test_a_diff_without_its_head() -> None:
    """Two lines around what changes; nothing where nothing does."""
    assert diff("a\nb\nc\nd\ne", "a\nb\nc\nx\nd\ne") == " b\n c\n+x\n d\n e"
    assert diff("-- a", "-- b") == "--- a\n+-- b"
    assert diff("a", "a") == ""
