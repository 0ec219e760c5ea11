"""``%energy_needs``: what counts as missing, which cells are skipped, and what is left behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from greennb.jupyter.needs import Needs, is_there
from greennb.model.errors import BadInputError


class Shell(SimpleNamespace):
    """As much of a shell as skipping takes: the list of its transformers."""

    def __init__(self) -> None:
        super().__init__(input_transformers_cleanup=[])

    def transformed(self, source: str) -> str:
        lines = source.splitlines(keepends=True)
        for transform in self.input_transformers_cleanup:
            lines = transform(lines)
        return "".join(lines)


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def needs(shell: Shell, said: list[str]) -> Needs:
    return Needs(shell, said.append)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Make packages that can be imported in this test."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(name: str, source: str) -> None:
        made.append(name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source, encoding="utf-8")

    yield make
    for name in made:
        sys.modules.pop(name, None)


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Keep a package from being found, as tests and containers do it: by a finder that raises."""

    def forbidding(name: str) -> None:
        def find_spec(asked: str, *_more: object) -> None:
            if asked.partition(".")[0] == name:
                raise ModuleNotFoundError(f"No module named {asked!r}", name=asked)

        monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=find_spec), *sys.meta_path])
        monkeypatch.delitem(sys.modules, name, raising=False)

    return forbidding


def test_what_is_missing_is_named_with_the_extra_that_brings_it(needs: Needs, forbid: Callable[[str], None]) -> None:
    forbid("torch")
    assert needs.need(["torch"]) == (
        "PyTorch is not installed here, so the cells that follow are skipped: "
        'install with `pip install "greennb[torch]"` and run this cell again.'
    )


def test_several_are_named_together_and_others_by_their_own_name(needs: Needs, forbid: Callable[[str], None]) -> None:
    for name in ("torch", "keras"):
        forbid(name)
    sentence = needs.need(["torch", "json", "keras.layers", "no_such_package"])
    assert sentence.startswith("PyTorch, Keras and no_such_package are not installed here")
    assert 'pip install "greennb[torch,tensorflow]" no_such_package`' in sentence


def test_nothing_is_imported_to_find_out(needs: Needs, package: Callable[[str, str], None]) -> None:
    package("greennb_heavy", "raise RuntimeError('imported')")
    assert needs.need(["greennb_heavy"]) == ""
    assert "greennb_heavy" not in sys.modules


def test_a_folder_that_uninstalling_left_is_no_framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jax").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    assert not is_there("jax")


def test_a_module_set_to_none_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "greennb_blocked", None)
    assert not is_there("greennb_blocked")


@pytest.mark.parametrize(
    "source",
    ["x = 1\ny = 2\n", "%%energy -o m\nx = 1\n", "%%bash\necho hi\n", "\n\n1 +\n", "await f()\n", "%energy_report\n"],
)
def test_whatever_the_cell_is_it_says_that_it_was_skipped(needs: Needs, shell: Shell, source: str) -> None:
    needs.need(["no_such_package"])
    expected = "print('Skipped: this cell needs no_such_package, which is not installed here.')\n"
    assert shell.transformed(source) == expected
    assert needs.skips(source)


@pytest.mark.parametrize(
    "source",
    [
        "", "\n", "%energy_needs torch\n", "# next part\n%energy_needs\n", "%load_ext greennb\n%energy_auto on\n",
        "%unload_ext greennb\n", "%pip install torch\n", "!pip install torch\n",
        "!{sys.executable} -m pip install torch\n",
    ],
)  # fmt: skip
def test_cells_that_end_the_skipping_or_mend_it_run(needs: Needs, shell: Shell, source: str) -> None:
    needs.need(["no_such_package"])
    assert shell.transformed(source) == source
    assert not needs.skips(source)


def test_the_next_one_ends_the_skipping(needs: Needs, shell: Shell) -> None:
    needs.need(["no_such_package"])
    assert needs.need(["json"]) == ""
    assert shell.transformed("x = 1\n") == "x = 1\n"
    needs.need(["no_such_package"])
    assert needs.need([]) == ""
    assert shell.input_transformers_cleanup == []


def test_asking_twice_leaves_one_transformer_and_closing_none(needs: Needs, shell: Shell) -> None:
    needs.need(["no_such_package"])
    needs.need(["no_such_package"])
    assert len(shell.input_transformers_cleanup) == 1
    needs.close()
    assert shell.input_transformers_cleanup == []


@pytest.mark.parametrize("name", ["scikit-learn", "torch;", "1st", "torch."])
def test_what_is_no_name_is_refused_and_the_skipping_stays_as_it_was(needs: Needs, shell: Shell, name: str) -> None:
    needs.need(["no_such_package"])
    with pytest.raises(BadInputError, match="is no name of a package"):
        needs.need([name])
    assert needs.skips("x = 1")


def _error_of(source: str) -> Exception:
    try:
        exec(source, {})
    except Exception as error:  # noqa: BLE001  # which one is what is tested
        return error
    raise AssertionError("it did not raise")


@pytest.mark.parametrize("why", ["raise OSError('libcudart.so.12: not found')", "import no_such_part"])
def test_a_broken_import_is_said_and_what_follows_is_skipped(
    needs: Needs, said: list[str], package: Callable[[str, str], None], why: str
) -> None:
    package("greennb_broken", why)
    assert needs.need(["greennb_broken"]) == ""
    needs.after(_error_of("import greennb_broken"))
    (sentence,) = said
    assert "greennb_broken is installed here and cannot be imported" in sentence
    assert "pip install greennb_broken" in sentence
    assert needs.skips("x = 1")


def test_other_errors_skip_nothing(needs: Needs, said: list[str], package: Callable[[str, str], None]) -> None:
    package("greennb_fine", "def f():\n    raise ValueError('no')")
    needs.need(["greennb_fine"])
    needs.after(_error_of("1/0"))
    needs.after(_error_of("import greennb_fine; greennb_fine.f()"))
    needs.after(_error_of("import something_else_entirely"))
    needs.after(None)
    assert said == []
    assert not needs.skips("x = 1")
