"""Findings: each once, ordered by the joules at stake, for the cells as they ran last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from greennb.advisor.advise import Advisor
from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.record import from_dict, to_dict
from greennb.advisor.signals.torch import BatchSeen, Forwards, LoaderSeen, ModelSeen, OptimizerSeen, TorchSignals
from greennb.model.errors import BadInputError
from greennb.model.finding import Finding, Rule, Severity
from greennb.model.measurement import Measurement
from greennb.model.reading import Method
from tests.rig.measurements import energy, measurement


class FakeRule:
    """Fires where the cell's source has its word, with the share that follows the word."""

    def __init__(self, code: str, word: str) -> None:
        self.RULE = Rule(
            code=code, name=word, framework="notebook", severity=Severity.NOTE, since="0.2", source="a test"
        )
        self.word = word

    def check(self, cell: CellContext) -> Iterator[Found]:
        for line in cell.source.splitlines():
            name, _, rest = line.partition(" ")
            if name == self.word:
                share, _, subject = rest.partition(" ")
                yield Found(
                    evidence=(evidence("share", float(share)),), text="Do.", code="x = 1", share=float(share),
                    subject=subject,
                )  # fmt: skip


class Failing(FakeRule):
    def check(self, cell: CellContext) -> Iterator[Found]:
        raise RuntimeError("a bad rule")


class Notebook:
    """Cells run one after the other under an advisor, by a clock of its own."""

    def __init__(self, *rules: FakeRule) -> None:
        self.said: list[str] = []
        self._now_s = 100.0
        self.advisor = Advisor([], namespace={}, say=self.said.append, rules=rules, clock=lambda: self._now_s)

    def move(self, seconds: float) -> None:
        self._now_s += seconds

    def run(self, source: str, *, s: float = 10.0, joules: float | None = None, cell_id: str | None = None) -> None:
        self.advisor.begin()
        self.move(s)
        measured = None if joules is None else measurement(energy(joules=joules))
        measure: Callable[[], Measurement] | None = None if measured is None else lambda: measured
        self.advisor.end(source=source, cell_id=cell_id, measure=measure)

    def found(self, **which: bool) -> list[str]:
        return [it.key for it in self.advisor.findings(**which)]


A, B = FakeRule("AB1", "slow"), FakeRule("AB2", "wide")


def test_the_dearest_comes_first() -> None:
    notebook = Notebook(A, B)
    notebook.run("slow 0.5 x", joules=100)
    notebook.run("wide 0.9 y", joules=1000)
    assert notebook.found() == ["AB2 y", "AB1 x"]
    first = notebook.advisor.findings()[0]
    assert first.at_stake_j == pytest.approx(900)
    assert first.at_stake_s == pytest.approx(9)
    assert first.method is Method.COUNTER


def test_the_same_rule_on_the_same_subject_is_one_finding_at_its_dearest_cell() -> None:
    notebook = Notebook(A)
    notebook.run("slow 0.5 model", joules=100, cell_id="a")
    notebook.run("slow 0.5 model", s=20, joules=300, cell_id="b")
    (one,) = notebook.advisor.findings()
    assert one.cells == 2
    assert one.cell_id == "b"
    assert one.at_stake_j == pytest.approx(200)
    assert one.at_stake_s == pytest.approx(15)


def test_another_subject_is_another_finding() -> None:
    notebook = Notebook(A)
    notebook.run("slow 0.5 one\nslow 0.5 two", joules=100)
    assert sorted(notebook.found()) == ["AB1 one", "AB1 two"]


def test_a_cell_that_ran_again_counts_as_it_ran_last() -> None:
    notebook = Notebook(A)
    notebook.run("slow 0.5 model", joules=100, cell_id="a")
    notebook.run("mended", joules=50, cell_id="a")
    assert notebook.found() == []


def test_cells_that_were_not_measured_are_ordered_by_their_seconds_and_have_no_joules() -> None:
    notebook = Notebook(A, B)
    notebook.run("slow 0.5 x", s=10, joules=100)
    notebook.run("wide 1.0 y", s=10)
    assert notebook.found() == ["AB2 y", "AB1 x"]
    first = notebook.advisor.findings()[0]
    assert first.at_stake_j is None
    assert first.method is None


@pytest.mark.parametrize(("s", "joules", "told"), [(0.9, 50, False), (2, 0.9, False), (2, 1.1, True), (2, None, True)])
def test_nothing_is_said_on_a_small_cell_unless_asked(s: float, joules: float | None, told: bool) -> None:
    notebook = Notebook(A)
    notebook.run("slow 0.5 x", s=s, joules=joules)
    assert notebook.found() == (["AB1 x"] if told else [])
    assert notebook.found(all_cells=True) == ["AB1 x"]
    assert notebook.advisor.worth_it(0) is told


def test_what_was_dismissed_is_not_said_unless_asked() -> None:
    notebook = Notebook(A, B)
    notebook.run("slow 0.5 x\nslow 0.4 y\nwide 0.3 z", joules=100)
    notebook.advisor.dismiss("AB1 x")
    notebook.advisor.dismiss("AB2")
    assert notebook.found() == ["AB1 y"]
    assert notebook.found(all_cells=True) == ["AB1 x", "AB1 y", "AB2 z"]


def test_a_rule_that_fails_is_off_and_says_so_once() -> None:
    notebook = Notebook(Failing("AB9", "bad"), A)
    for _ in range(3):
        notebook.run("slow 0.5 x", joules=10)
        assert notebook.found() == ["AB1 x"]
    assert len(notebook.said) == 1
    assert "AB9" in notebook.said[0]


def test_a_cell_within_another_is_the_outer_ones() -> None:
    notebook = Notebook(A)
    advisor = notebook.advisor
    advisor.begin()
    advisor.begin()
    assert advisor.end(source="slow 0.5 inner") is None
    notebook.move(5.0)
    assert advisor.end(source="slow 0.5 outer") is not None
    assert notebook.found() == ["AB1 outer"]


def test_a_rule_sees_the_past_and_the_pause_before_the_cell() -> None:
    seen: list[CellContext] = []

    class Looks(FakeRule):
        def check(self, cell: CellContext) -> Iterator[Found]:
            seen.append(cell)
            return iter(())

    notebook = Notebook(Looks("AB3", "look"))
    notebook.run("a")
    notebook.move(7.0)
    notebook.run("b")
    notebook.found()
    last = seen[-1]
    assert [it.source for it in last.past] == ["a"]
    assert last.idle_before_s == pytest.approx(7.0)


def test_the_share_of_a_broken_rule_is_held_between_nothing_and_all() -> None:
    notebook = Notebook(A)
    notebook.run("slow 7 x", joules=100)
    assert notebook.advisor.findings()[0].at_stake_j == pytest.approx(100)


def test_no_finding_says_a_saving() -> None:
    assert not any("sav" in name for name in Finding.__dataclass_fields__)


def test_signals_are_the_same_after_a_trip_through_json() -> None:
    model = ModelSeen(id=1, name="net", kind="Net", layers={"Linear": 2}, dtypes=("float32",), device="cpu")
    batch = BatchSeen(shape=(8, 4), dtype="float32", device="cpu")
    torch = TorchSignals(
        version="2.13.0", models=(model,),
        forwards=(Forwards(model=1, training=True, grad=True, batch=batch),),
        optimizers=(OptimizerSeen(kind="Adam", steps=100, step_s=0.01),),
        loaders=(LoaderSeen(name="loader", dataset="TensorDataset", batches=10),),
    )  # fmt: skip
    before = CellContext(number=0, cell_id="a", execution_count=1, source="x = 1", duration_s=1.5, torch=torch)
    cell = CellContext(
        number=1, cell_id=None, execution_count=None, source="y", duration_s=2.0, past=(before,),
        measurement=measurement(energy(joules=30)),
    )  # fmt: skip
    again = from_dict(json.loads(json.dumps(to_dict(cell))))
    assert again.past == (before,)
    assert again.measurement is not None
    assert again.measurement.total_j == pytest.approx(30)
    assert again.duration_s == 2.0


def test_a_recording_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    data = {"number": 0, "cell_id": None, "execution_count": None, "source": "", "duration_s": 1, "unheard_of": 3}
    assert from_dict(data).duration_s == 1.0


def test_what_is_no_recording_is_refused_in_words() -> None:
    with pytest.raises(BadInputError, match="no recorded cell"):
        from_dict({"number": 0})
