"""Observers are woken when their framework is there, and one that fails costs itself and one sentence."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from greennb.advisor.names import Names
from greennb.advisor.watch import Watch, guarded


class Looking:
    """An observer that writes down what it is asked, and fails where it is told to."""

    def __init__(self, name: str = "seen", modules: tuple[str, ...] = (), fails: str = "") -> None:
        self.name = name
        self.modules = modules
        self.fails = fails
        self.asked: list[str] = []
        self.failed = None

    def _do(self, step: str) -> None:
        self.asked.append(step)
        if step == self.fails:
            raise ValueError(f"no {step}")

    def install(self, failed) -> None:
        self.failed = failed
        self._do("install")

    def remove(self) -> None:
        self._do("remove")

    def begin(self) -> None:
        self._do("begin")

    def end(self, names: Names) -> object:
        self._do("end")
        return ("seen", names)


@pytest.fixture
def framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a part, importable and not yet imported."""
    name = "greennb_fake_framework"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(
        "import sys\nfrom . import part\nloader = __spec__.loader\nvalue = 1\n"
    )
    (tmp_path / name / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield name
    for known in [it for it in sys.modules if it.startswith(name)]:
        del sys.modules[known]


def watch(*observers: Looking) -> tuple[Watch, list[str]]:
    said: list[str] = []
    return Watch(observers, say=said.append), said


def test_an_observer_without_modules_is_always_on_and_taken_back() -> None:
    looking = Looking()
    w, said = watch(looking)
    before = list(sys.meta_path)
    w.install()
    w.begin()
    assert w.end(Names({}))["seen"][0] == "seen"
    w.remove()
    assert looking.asked == ["install", "begin", "end", "remove"]
    assert sys.meta_path == before
    assert not said


def test_one_waits_for_its_framework_and_sees_the_cell_that_imports_it(framework: str) -> None:
    looking = Looking(modules=(framework,))
    w, _said = watch(looking)
    w.install()
    try:
        w.begin()
        assert looking.asked == []
        module = importlib.import_module(framework)
        assert looking.asked == ["install", "begin"]
        assert "seen" in w.end(Names({}))
        assert module.value == 1
        assert module.loader is module.__loader__ is module.__spec__.loader
        assert type(module.__loader__).__module__ == "_frozen_importlib_external"
    finally:
        w.remove()


def test_one_that_is_there_already_is_woken_at_once() -> None:
    looking = Looking(modules=("json",))
    w, _said = watch(looking)
    w.install()
    w.remove()
    assert looking.asked == ["install", "remove"]


def test_a_framework_whose_import_fails_wakes_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greennb_broken_framework.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    looking = Looking(modules=("greennb_broken_framework",))
    w, said = watch(looking)
    w.install()
    try:
        with pytest.raises(ZeroDivisionError):
            importlib.import_module("greennb_broken_framework")
        assert looking.asked == []
        assert not said
    finally:
        w.remove()


def test_a_module_that_is_not_there_is_not_there_as_before(framework: str) -> None:
    w, _said = watch(Looking(modules=("greennb_no_such_framework",)))
    w.install()
    try:
        with pytest.raises(ModuleNotFoundError, match="greennb_no_such_framework"):
            importlib.import_module("greennb_no_such_framework")
    finally:
        w.remove()


@pytest.mark.parametrize("step", ["install", "begin", "end"])
def test_one_that_fails_is_off_and_says_so_once(step: str) -> None:
    failing, well = Looking("failing", fails=step), Looking("well")
    w, said = watch(failing, well)
    w.install()
    for _ in range(3):
        w.begin()
        assert "well" in w.end(Names({}))
    assert len(said) == 1
    assert "failing" in said[0]
    assert f"no {step}" in said[0]
    assert "remove" in failing.asked
    w.remove()


def test_a_hook_that_fails_later_turns_its_observer_off_at_the_cells_end() -> None:
    looking = Looking()
    w, said = watch(looking)
    w.install()
    w.begin()

    def hook(_x: int) -> None:
        raise RuntimeError("inside the user's call")

    guarded(hook, looking.failed)(1)
    guarded(hook, looking.failed)(2)
    assert not said
    w.end(Names({}))
    assert len(said) == 1
    assert w.observer("seen") is None
    w.remove()


def test_an_interrupt_passes_through_a_hook() -> None:
    def hook() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(hook, lambda _error: None)()


def test_names_are_by_identity_and_ask_nothing_of_the_objects() -> None:
    class Hostile:
        def __eq__(self, _other: object) -> bool:
            raise AssertionError

        def __hash__(self) -> int:
            raise AssertionError

    thing = Hostile()
    names = Names({"_private": thing, "model": thing, "again": thing, "In": [], "n": 3})
    assert names.of(thing) == "model"
    assert names.of(Hostile()) is None
    assert names.of(3) is None, "numbers are everybody's"
    assert names.of(None) is None
