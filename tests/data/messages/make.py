"""Writes the golden messages beside it: at least one of every type, as a kernel makes them from fixed inputs.

``python tests/data/messages/make.py``. pytest checks that the files are what this writes; jest reads them with the
page's guards. A file is one message, called by its type: ``<type>.json`` or ``<type>-<variant>.json``; what a page asks
is ``ask-<question>.json``.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from greennb.model import messages as say  # noqa: E402
from greennb.model import messages_trial as of_trials  # noqa: E402
from greennb.model.finding import Change, Evidence, Finding, Rule, Severity, Suggestion, Trial, Verdict  # noqa: E402
from greennb.model.footprint import CarbonIntensity, Origin  # noqa: E402
from greennb.model.measurement import Measurement, Status  # noqa: E402
from greennb.model.reading import Domain, DomainKind, Fault, Method  # noqa: E402
from greennb.model.total import Total  # noqa: E402
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, energy, measurement  # noqa: E402

EVIL = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
TURNED = "\u202egnitset\u202c \u05d0\u05d1\u05d2 \U0001f469\u200d\U0001f52c\U0001f331 \x1b[31m\x00"
LONG = "long " * 200

HOSTILE = Domain(kind=DomainKind.GPU, host=EVIL, device=f"GPU-{EVIL}", label=f"{EVIL} {TURNED}")
ESTIMATE = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="estimate:cpu", label="AMD EPYC 7B13 (estimate)")
MANY = tuple(Domain(kind=DomainKind.GPU, host="bench", device=f"GPU-{n:08x}", label=f"GPU {n}") for n in range(64))
WORLD = CarbonIntensity(
    g_per_kwh=475.0, low=20.0, high=800.0, zone="world", origin=Origin.WORLD, as_of="2024", provider="a table",
    note="set zone for a better figure",
)  # fmt: skip
LOST = Fault(domain=GPU, t_ns=6_000_000_000, reason="the GPU is lost: it fell off the bus", hint="A reboot helps.")
DENIED = Fault(domain=PACKAGE, t_ns=6_000_000_000, reason="no permission to read it", hint="sudo greennb doctor --fix")
NOWHERE = Fault(domain=None, t_ns=5_000_000_000, reason="no source of joules works here", hint="greennb doctor")
EVIL_FAULT = Fault(domain=HOSTILE, t_ns=6_000_000_000, reason=f"{EVIL} {TURNED}", hint=EVIL)

SETTINGS = say.in_force(measure=True, zone="FRA", pue=1.2, intensity=FRANCE, price=0.25, currency="EUR", advice=True)
BARE = say.in_force(measure=False, zone="", pue=1.0, intensity=None, price=0.0, currency="EUR", advice=False)


def hello(re: str | None = None) -> dict[str, Any]:
    """A machine with a counter, a domain inside another, and an estimate."""
    return say.hello(
        version="0.1.0", host="bench", pid=4242, python="3.11.9", session="a1b2c3d4e5f60718", t_s=5.25, re=re,
        domains=[
            say.domain_in_short(GPU, method=Method.COUNTER, note="", max_w=1400.0, root=True),
            say.domain_in_short(PACKAGE, method=Method.COUNTER, note="whole package", max_w=375.0, root=True),
            say.domain_in_short(CORE, method=Method.COUNTER, note="", max_w=375.0, root=False),
            say.domain_in_short(DRAM, method=Method.INTEGRATED, note="", max_w=40.0, root=True),
            say.domain_in_short(ESTIMATE, method=Method.ESTIMATED, note="TDP from a table", max_w=240.0, root=True),
        ],
        sources=[
            say.source_in_short(name="nvml", used=True, reason="Reads GPU 0 (energy counter).", hint=""),
            say.source_in_short(name="amdgpu", used=False, reason="There is no AMD card.", hint=""),
            say.source_in_short(name="rapl", used=False, reason="No permission.", hint="chmod a+r energy_uj"),
        ],
        faults=[DENIED],
        settings=SETTINGS,
    )  # fmt: skip


def hello_of(domains: list[tuple[Domain, Method]], faults: list[Fault], text: str = "") -> dict[str, Any]:
    """A machine with these ``domains``; ``text`` is in every place that takes one."""
    return say.hello(
        version=f"0.1.0{text}", host=f"bench{text}", pid=1, python=f"3.13.0{text}", session="ffff", t_s=0.5,
        domains=[say.domain_in_short(d, method=m, note=text, max_w=700.0, root=True) for d, m in domains],
        sources=[say.source_in_short(name=f"nvml{text}", used=bool(domains), reason=f"Why.{text}", hint=text)],
        faults=faults, settings=BARE,
    )  # fmt: skip


def cell() -> Measurement:
    """Two seconds of training on a GPU, with idle and own share known."""
    return measurement(
        energy(GPU, 512.0, 25.0, idle_j=120.0, process_j=392.0), energy(CORE, 60.0, 1.5, idle_j=8.0),
        energy(PACKAGE, 80.0, 2.0, idle_j=25.0, process_j=40.5), intensity=FRANCE, pue=1.2, id="w-cell",
        cell_id="8f0e-1", label="train",
    )  # fmt: skip


def estimated() -> Measurement:
    """A cell of which only a model knows."""
    return measurement(
        energy(ESTIMATE, 41.0, 13.0, method=Method.ESTIMATED), intensity=WORLD, id="w-estimated", cell_id="8f0e-2",
        label="", execution_count=4, t0_ns=7_500_000_000, t1_ns=9_000_000_000,
    )  # fmt: skip


def unknown() -> Measurement:
    """A cell that nothing could measure, and that the user interrupted."""
    return measurement(
        faults=(NOWHERE,), id="w-unknown", status=Status.INTERRUPTED, cell_id=None, execution_count=None
    )  # fmt: skip


def hostile() -> Measurement:
    """A cell with code in its label and its sensor's name."""
    return measurement(
        energy(HOSTILE, 1.0, 0.5, coverage=0.5), faults=(EVIL_FAULT,), id="w-hostile", status=Status.ERROR,
        label=f"{EVIL} {TURNED} {LONG}", cell_id=f'"]{EVIL}',
    )  # fmt: skip


def ended(*parts: Measurement, source: str = "model.fit(x, y)") -> dict[str, Any]:
    """The last of ``parts``, with the total of all."""
    return say.ended(parts[-1], source=source, session=say.session_total(Total.of(parts), len(parts)))


def findings() -> dict[str, Any]:
    """One finding that waits for its trial, one with its trial and nothing at stake that is known."""
    rule = Rule(
        code="GNB201", name="num_workers is 0", framework="torch", severity=Severity.ACT, since="0.2",
        source="the loader's documentation, https://docs.pytorch.org/docs/stable/data.html",
        wrong_when=("the data set is small", "memory is scarce"),
    )  # fmt: skip
    evidence = (Evidence(name="waiting for data", value=0.62, unit="1"), Evidence(name="loader", value=3.5, unit="s"))
    suggestion = Suggestion(text="Load batches in workers.", code="DataLoader(data, num_workers=4)")
    plain = Finding(rule=rule, cell_id=None, evidence=evidence, suggestion=suggestion)
    first = dataclasses.replace(
        plain, subject="loader", cell_id="8f0e-1", execution_count=4, cells=3, at_stake_s=12.5, at_stake_j=412.0,
        method=Method.ESTIMATED,
    )  # fmt: skip
    trial = Trial(
        baseline=(cell(),), candidate=(cell(),), order="ABBA", ratio=0.71, interval=(0.66, 0.77),
        quality="loss equal within 0.1 %", verdict=Verdict.SAVES, break_even=3.0,
    )  # fmt: skip
    note = dataclasses.replace(rule, code="GNB101", framework="notebook", severity=Severity.NOTE)
    found = [first, dataclasses.replace(plain, rule=note, trial=trial)]
    return say.findings(found, can_try=lambda code: code == "GNB201")


def findings_of_0_3() -> dict[str, Any]:
    """What kernels before trials of findings said: a trial of five fields, and no word on what can be tried."""
    said = findings()
    for it in said["findings"]:
        del it["can_try"]
        if it["trial"] is not None:
            it["trial"] = {key: it["trial"][key] for key in ("verdict", "ratio", "interval", "quality", "break_even")}
    return said


BEFORE = """for x, y in batches:
    optimizer.zero_grad()
    loss_of(model(x), y).backward()
    optimizer.step()"""

CHANGE = Change(
    cell_id="8f0e-2", before=BEFORE,
    after="model = model.to(memory_format=torch.channels_last)\n"
    + BEFORE.replace("model(x)", "model(x.to(memory_format=torch.channels_last))"),
)  # fmt: skip


def block(joules: float, seconds: float, method: Method = Method.ESTIMATED) -> Measurement:
    """A block of a trial."""
    at = 7_000_000_000
    part = energy(ESTIMATE if method is Method.ESTIMATED else GPU, joules, 0.1 * joules, method=method)
    return measurement(part, id=f"w-block-{joules:g}", label="", t0_ns=at, t1_ns=at + int(seconds * 1e9))


def tried(**changes: Any) -> Trial:
    """A trial of everything that can be said."""
    whole = Trial(
        baseline=(block(18.0, 0.5), block(18.5, 0.5), block(18.25, 0.5), block(18.0, 0.5)),
        candidate=(block(12.0, 0.375), block(12.5, 0.375), block(12.25, 0.375), block(12.0, 0.375)),
        order="ABBABAAB", ratio=0.67, interval=(0.62, 0.73), verdict=Verdict.SAVES, break_even=340.0,
        quality="Losses differ by 0.02 %, and by 0.9 % with another seed.", quality_good=True, baseline_runs=5,
        candidate_runs=5, unit="step", units=2000.0, baseline_items=(320.0,) * 4, candidate_items=(320.0,) * 4,
        baseline_apart_j=30.5, candidate_apart_j=41.0, baseline_peak_b=512 * 2**20, candidate_peak_b=480 * 2**20,
        spent_s=11.5, spent_j=402.0, temperature_c=(41.0, 47.0), variant="channels_last", change=CHANGE,
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)


def found_and_tried(trial: Trial, **changes: Any) -> Finding:
    """The finding that :func:`tried` is about."""
    finding = Finding(
        rule=Rule(
            code="GNB210", name="convolutions run on another memory format than their kernels like",
            framework="torch", severity=Severity.ACT, since="0.3", source="PyTorch's tutorial on channels_last",
        ),
        subject="model", cell_id="8f0e-2", execution_count=5,
        evidence=(Evidence(name="steps", value=2000.0, unit="1"),),
        suggestion=Suggestion(text="Keep pictures channels last.", code="model.to(memory_format=torch.channels_last)"),
        at_stake_s=200.0, at_stake_j=7200.0, method=Method.ESTIMATED, trial=trial,
    )  # fmt: skip
    return dataclasses.replace(finding, **changes)


def findings_tried() -> dict[str, Any]:
    """Findings whose trials say everything, almost nothing, and what is no number."""
    bare = Trial(
        baseline=(), candidate=(), order="", ratio=None, interval=None, quality="", verdict=Verdict.CANNOT_TELL,
        break_even=None, note="The budget was spent before one round was complete: give it more.",
    )  # fmt: skip
    spoilt = tried(
        ratio=float("nan"), interval=(0.0, float("inf")), break_even=float("inf"), quality_good=False, units=None,
        quality=EVIL, variant=EVIL, note="\ud800 half", baseline_items=(), candidate_items=(), spent_j=float("nan"),
        change=dataclasses.replace(CHANGE, cell_id=None, after=f"{EVIL} {TURNED}"), verdict=Verdict.COSTS_MORE,
    )  # fmt: skip
    return say.findings(
        [found_and_tried(tried()), found_and_tried(bare, subject="net"), found_and_tried(spoilt, subject=EVIL)],
        can_try=lambda _code: True,
    )


def trial(state: str, phase: str = "measuring", words: str = "", **changes: Any) -> dict[str, Any]:
    """How far a trial is."""
    fields: dict[str, Any] = {
        "key": "GNB210 model", "code": "GNB210", "variant": "channels_last", "cell_id": "8f0e-2", "rounds": 3,
        "ratio": 0.81, "interval": (0.7, 0.93), "spent_s": 4.2, "spent_j": 81.0, "budget_s": 30.0,
        "method": Method.ESTIMATED,
    }  # fmt: skip
    return of_trials.trial(state=state, phase=phase, words=words, **{**fields, **changes})


NOTHING_YET: dict[str, Any] = {"rounds": 0, "ratio": None, "interval": None, "spent_j": None, "method": None}


ENDS = (
    "It ends as soon as the answer is safe, after 30.0 s at the latest; at the cell's mean power, as estimated, that "
    "is at most ~1.1 kJ."
)


def plan(**changes: Any) -> dict[str, Any]:
    """What a trial would run."""
    fields: dict[str, Any] = {
        "key": "GNB210 model", "code": "GNB210", "variant": "channels_last", "kind": "numeric",
        "variants": ["channels_last", "channels_last and bf16"], "cell_id": "8f0e-2", "execution_count": 5,
        "words": [
            "This runs cell [5] on copies of what it uses, as it is and with channels_last, by turns.",
            ENDS,
            "Nothing of the notebook is changed by it: that is checked afterwards.",
        ],
        "budget_s": 30.0, "expected_j": 1080.0, "method": Method.ESTIMATED, "change": CHANGE, "re": "q-plan",
        "run": '%energy_try --quiet --variant "channels_last" --budget 30 "GNB210 model"',
    }  # fmt: skip
    return of_trials.plan(**{**fields, **changes})


def gpu_waste(label: str, code: str) -> dict[str, Any]:
    """Memory held on a GPU for five minutes."""
    return say.waste_item(
        kind="gpu", domain=GPU, label=label, seconds=312.0, why="This notebook holds 9.0 GiB on it and runs nothing.",
        code=code, watts=71.5, method=Method.COUNTER, joules=22_308.0, mem_b=9 * 2**30,
    )  # fmt: skip


def cpu_waste() -> dict[str, Any]:
    """CPUs kept busy by who knows whom."""
    return say.waste_item(
        kind="cpu", domain=None, label="CPU", seconds=130.0, why="Threads of this kernel are busy.", code="", cpus=3.97
    )


def samples() -> dict[str, Any]:
    """Three looks at five domains, one of which was not readable in between and one not at all."""
    return say.samples(
        t_s=[10.0, 10.5004, 11.0009],
        w=[[350.125, None, 352.0], [41.5, 42.0, 43.25], [30.0, 31.0, 31.5], [None, None, None], [40.0, 62.5, 61.0]],
        low_w=[None, None, None, None, 30.5], high_w=[None, None, None, None, 98.0],
        gauges=[
            say.gauge(GPU, util=0.97, mem_b=60 * 2**30, mem_total_b=80 * 2**30, temp_c=64),
            say.gauge(None, util=0.25, mem_b=12 * 2**30, mem_total_b=64 * 2**30),
        ],
        faults=[dataclasses.replace(LOST, domain=DRAM)],
    )  # fmt: skip


def history(cells: list[dict[str, Any]], t_s: list[float], w: list[list[float | None]]) -> dict[str, Any]:
    """What a page gets after a reload."""
    total = cells[-1]["session"] if cells else say.session_total(Total.of([]), 0)
    return say.history(cells=cells, session=total, t_s=t_s, w=w, re="q-3")


def asked(question: str, **fields: Any) -> dict[str, Any]:
    """What a page asks."""
    return {"v": say.VERSION, "ask": question, "id": f"q-{question}", **fields}


def messages() -> dict[str, dict[str, Any]]:
    """Every golden message by the name of its file."""
    return {
        "hello": hello(),
        "hello-answer": hello(re="q-1"),
        "hello-nothing": hello_of([], [NOWHERE]),
        "hello-hostile": hello_of([(HOSTILE, Method.INTEGRATED)], [EVIL_FAULT], f" {EVIL} {TURNED}"),
        "hello-64": hello_of([(domain, Method.COUNTER) for domain in MANY], []),
        "samples": samples(),
        "samples-empty": say.samples(t_s=[], w=[], low_w=[], high_w=[], gauges=[], faults=[]),
        "samples-hostile": say.samples(
            t_s=[1.0], w=[[0.0]], low_w=[None], high_w=[None], faults=[EVIL_FAULT],
            gauges=[say.gauge(HOSTILE, util=0.0), say.gauge(None)],
        ),
        "samples-64": say.samples(
            t_s=[20.0, 20.1], w=[[10.5 * n, 160.0 * n] for n in range(64)], low_w=[None] * 64, high_w=[None] * 64,
            gauges=[say.gauge(domain, util=n / 64, mem_b=n * 2**30, mem_total_b=80 * 2**30, temp_c=30 + n / 2)
                    for n, domain in enumerate(MANY)],
            faults=[],
        ),
        "began": say.began(window="w-cell", cell_id="8f0e-1", t_s=5.0, label="train", count=3),
        "began-hostile": say.began(window="w-evil", cell_id=f'"]{EVIL}', t_s=5.0, label=f"{EVIL} {LONG}", count=None),
        "ended": ended(cell()),
        "ended-estimated": ended(cell(), estimated(), source="x = 1"),
        "ended-unknown": ended(unknown(), source=""),
        "ended-hostile": ended(hostile(), source=f"{EVIL} {TURNED} {LONG}"),
        "waste": say.waste([gpu_waste("NVIDIA H200", "import torch\ntorch.cuda.empty_cache()"), cpu_waste()]),
        "waste-over": say.waste([]),
        "waste-hostile": say.waste([gpu_waste(f"{EVIL} {TURNED}", f'print("{EVIL}")')]),
        "findings": findings(),
        "findings-none": say.findings([]),
        "findings-tried": findings_tried(),
        "findings-old": findings_of_0_3(),
        "trial-begun": trial("running", "copying", **NOTHING_YET, spent_s=0.0),
        "trial-running": trial("running"),
        "trial-done": trial("done", "checking", rounds=5, ratio=0.67, interval=(0.62, 0.73), spent_s=11.5, spent_j=402),
        "trial-refused": trial("refused", "copying", "The cell writes files: try it on a cell that does not.",
                               **NOTHING_YET),
        "trial-stopped": trial("stopped", words="Stopped: nothing of the notebook was changed."),
        "trial-void": trial("void", "checking", "The trial is void: it has changed the weights of model."),
        "trial-failed": trial("failed", words=f"{EVIL} {TURNED}", cell_id=None, key=EVIL, variant=EVIL,
                              ratio=float("nan"), interval=(float("-inf"), 1.0)),
        "plan": plan(),
        "plan-hostile": plan(
            words=[f"{EVIL} {TURNED}"], key=EVIL, variant=EVIL, variants=[EVIL], cell_id=None, execution_count=None,
            expected_j=None, method=None, run=EVIL,
            change=dataclasses.replace(CHANGE, cell_id=None, before=EVIL, after=TURNED),
        ),
        "stopping": of_trials.stopping(running=True, re="q-stop"),
        "stopping-none": of_trials.stopping(running=False, re="q-stop"),
        "settings": say.settings(SETTINGS),
        "settings-answer": say.settings(BARE, re="q-4"),
        "bye": say.bye("greennb was unloaded from this kernel."),
        "watching": say.watching(hz=2.0, re="q-2"),
        "watching-hidden": say.watching(hz=0.0, re="q-5"),
        "history": history(
            [ended(cell()), ended(cell(), estimated(), source="x = 1")], [3.0, 4.0, 5.0], [[350.0, None, 351.5]] * 5
        ),
        "history-empty": history([], [], []),
        "refused": say.refused("hz must be a number of samples a second, 0 for none.", re="q-6"),
        "refused-hostile": say.refused(f"{EVIL} {TURNED}", re=EVIL),
        "ask-hello": asked("hello"),
        "ask-watch": asked("watch", stream="c0ffee", hz=2),
        "ask-history": asked("history", span_s=3600),
        "ask-set": asked("set", measure=True, zone="FRA", pue=1.2, intensity=0, dismissed=["GNB201 loader", "GNB304"]),
        "ask-plan": asked("plan", key="GNB210 model", variant="channels_last", budget_s=30),
        "ask-stop": asked("stop", key="GNB210 model"),
    }  # fmt: skip


def document(message: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(message, indent=1, allow_nan=False) + "\n"


def main() -> None:
    """Write every file, and take away those that are no longer made."""
    made = messages()
    for old in HERE.glob("*.json"):
        if old.stem not in made:
            old.unlink()
    for name, message in made.items():
        (HERE / f"{name}.json").write_text(document(message), encoding="utf-8")


if __name__ == "__main__":
    main()
