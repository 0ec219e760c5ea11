"""A large published model only infers here, many times: a smaller one may do

**Seen.** A model that was loaded from a published checkpoint, of at least 100 million parameters, was called
at least 1000 times for at least 60 s in this cell, without training.

**Why.** The energy of a call grows about with the parameters that it goes through. Many published models have
smaller or distilled siblings that were made to answer the same questions.

**Change.** Take the next smaller checkpoint of the family and run the same evaluation; keep it if the metric
does.

**Not where.** The large model is what is being evaluated, or the metric needs it. There is no code: which
checkpoint serves is yours to judge.

**Check.** Some hundred labelled examples through both: metric and joules per example side by side.

**Sources.** Sanh et al., DistilBERT, [arXiv 1910.01108](https://arxiv.org/abs/1910.01108); Luccioni et al.,
the cost of inference by model and task, [arXiv 2311.16863](https://arxiv.org/abs/2311.16863).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import inferred, loop_s
from greennb.advisor.rules.torch._shared import share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB230",
    name="A large checkpoint infers many times: try a smaller one",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="arXiv 1910.01108 (DistilBERT), arXiv 2311.16863 (energy of inference by model)",
    wrong_when=("the large model itself is what is evaluated", "the metric needs it"),
)

PARAMETERS = 100_000_000
"""Smaller than this is what one would change to. Our choice: BERT base has 110 million."""

CALLS = 1000
"""Calls below which nothing is said. Our choice: choosing another model is work."""

SECONDS = 60.0
"""Seconds of inference below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A large published model that only inferred, many times."""
    for forwards, model in inferred(cell, seconds=SECONDS):
        if model.pretrained and model.parameters >= PARAMETERS and forwards.calls_estimated >= CALLS:
            yield Found(
                evidence=(
                    evidence("parameters", model.parameters),
                    evidence("calls", forwards.calls_estimated, "calls"),
                    evidence("median call with its loop", forwards.call_s * 1e3, "ms"),
                    evidence("seconds of the loop", loop_s(cell, forwards), "s"),
                ),
                text=f"{subject(model)} ({model.kind}) was called {forwards.calls_estimated} times and not trained. "
                "Try the next smaller or a distilled checkpoint of its family on some hundred labelled examples.",
                code="",
                share=share(cell, loop_s(cell, forwards)),
                subject=subject(model),
            )
