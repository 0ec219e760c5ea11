"""The magics: what is typed is parsed here, and handed on."""

from __future__ import annotations

import argparse
import functools
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from greennb.jupyter.options import Budget, Options, budget, parse, parse_statement, parser, variable
from greennb.model.errors import BadInputError, GreennbError

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

F = TypeVar("F", bound=Callable[..., Any])

BASELINE_SECONDS = 10.0
"""How long ``%energy_baseline`` watches, unless told: long against every sensor's refresh, short for a person."""


def _in_words(function: F) -> F:
    """Turn greennb's errors into the notebook's: one sentence, no traceback."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except GreennbError as error:
            raise UsageError(str(error)) from None

    return called  # type: ignore[return-value]


def _documented(prog: str) -> Callable[[F], F]:
    """Add the options of ``prog`` to a magic's docstring, so that ``%%energy?`` shows them."""

    def document(function: F) -> F:
        function.__doc__ = f"{function.__doc__}\n\n{parser(prog).format_help()}"
        return function

    return document


class _Line(argparse.ArgumentParser):
    """A parser for a line magic that neither prints nor exits."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message}. See {self.prog}? for how to use it.")

    def words(self, line: str) -> argparse.Namespace:
        try:
            return self.parse_args(shlex.split(line))
        except ValueError:
            raise BadInputError(f"{self.prog}: a quotation mark is not closed. Close it.") from None


def _line(prog: str) -> _Line:
    return _Line(prog=prog, add_help=False, allow_abbrev=False)


def make_magics(session: Session) -> Magics:
    """The magics of ``session``."""

    @magics_class
    class EnergyMagics(Magics):
        """Joules of cells and statements."""

        @_documented("%%energy")
        @line_cell_magic
        @_in_words
        def energy(self, line: str, cell: str | None = None) -> Any:
            """Measure a cell, or one statement.

            On the first line of a cell, ``%%energy`` measures the cell, which runs as it would without it:
            top-level await, %%time or %%bash on the next line, and the value of the last line all work.
            ``%energy STATEMENT`` measures one statement and gives its value.

            Examples::

                %%energy -n "train" --budget 2kJ
                model.fit(X, y)

                %energy -r auto model.predict(X)
            """
            if cell is None:
                options, code = parse_statement("%energy", line)
                if not code.strip():
                    raise BadInputError("%energy: there is no statement to measure. Write one after the options.")
                return _measured(session, options, code, "statement")
            options = parse("%%energy", line)
            return _measured(session, options, cell, "cell")

        @line_magic
        @_in_words
        def energy_auto(self, line: str) -> None:
            """Measure every cell: %energy_auto on|off [-q].

            ``-q`` records and shows nothing in the notebook; %energy_report tells afterwards.
            """
            line_parser = _line("%energy_auto")
            line_parser.add_argument("state", choices=["on", "off"])
            line_parser.add_argument("-q", "--quiet", action="store_true")
            given = line_parser.words(line)
            session.config.auto, session.config.quiet = given.state == "on", given.quiet

        @line_magic
        @_in_words
        def energy_report(self, line: str) -> Any:
            """What the cells of this session cost: %energy_report [--plot] [--last N]."""
            line_parser = _line("%energy_report")
            line_parser.add_argument("--plot", action="store_true")
            line_parser.add_argument("--last", type=_count, default=None, metavar="N")
            given = line_parser.words(line)
            return _reports().report(session, last=given.last, plot=given.plot)

        @line_magic
        @_in_words
        def energy_plot(self, line: str) -> Any:
            """A bar for each measured cell of this session: %energy_plot [LABEL]."""
            return _reports().plot(session, line.strip().strip("\"'"))

        @line_magic
        @_in_words
        def energy_compare(self, line: str) -> Any:
            """Two measurements side by side: %energy_compare A B, each a label, an execution count or a variable.

            ``%energy_compare --code A B [--budget 30|300J]`` tries two cells that have run, each an execution count, a
            label or a cell's id: they run again by turns, on copies of what they use, until it is safe to say which
            takes fewer joules, after 30 seconds (or 300 joules) at the latest. Nothing of the notebook is changed.
            """
            line_parser = _line("%energy_compare")
            line_parser.add_argument("--code", action="store_true")
            line_parser.add_argument("--budget", type=budget, default=None, metavar="S|J")
            line_parser.add_argument("a")
            line_parser.add_argument("b")
            given = line_parser.words(line)
            if given.code:
                most = given.budget or Budget()
                return _trials().compare_code(session, given.a, given.b, budget_s=most.s, budget_j=most.j)
            if given.budget is not None:
                raise BadInputError("%energy_compare: a budget is for running cells again: give --code too.")
            return _reports().compare(session, given.a, given.b)

        @no_var_expand  # names in quotation marks may have braces
        @line_magic
        @_in_words
        def energy_try(self, line: str) -> None:
            """Run a cell both ways, by turns, and see which takes fewer joules: %energy_try [CODE].

            ``%energy_try [CODE|KEY] [--variant NAME] [--budget 30|300J] [--plan] [-o VAR] [--quiet]``

            CODE is a rule's (GNB210), KEY a finding's ("GNB210 model"); without one it is the finding with the most
            joules at stake that can be tried. First it says what will be run, for how long at most, about how many
            joules that takes, and what would be changed in the cell. Then the cell's work runs on copies of what it
            uses, as it is and as changed. Nothing of the notebook is changed: that is checked afterwards. Interrupt
            the kernel to stop it. Where the change saves, and results are as good, the changed cell is put below
            this one; it is never run.

            ``--plan`` only says what would be run. ``--variant`` picks one of several changes. ``--budget`` is seconds
            (30 unless told), or joules, for which it takes 5 minutes at most. ``-o VAR`` puts
            the trial into the variable VAR: its verdict, ratio and interval, and what they stand on; None where it
            came to no end. ``--quiet`` tells only the page.
            """
            line_parser = _line("%energy_try")
            line_parser.add_argument("name", nargs="*", metavar="CODE")
            line_parser.add_argument("--variant", default=None, metavar="NAME")
            line_parser.add_argument("--budget", type=budget, default=None, metavar="S|J")
            line_parser.add_argument("--plan", action="store_true", dest="plan_only")
            line_parser.add_argument("--output", "-o", type=variable, default="", metavar="VAR")
            line_parser.add_argument("--quiet", "-q", action="store_true")
            given = line_parser.words(line)
            most = given.budget or Budget()
            _trials().answer(
                session, " ".join(given.name), variant=given.variant, budget_s=most.s, budget_j=most.j,
                plan_only=given.plan_only, output=given.output, quiet=given.quiet,
            )  # fmt: skip

        @line_magic
        @_in_words
        def energy_advise(self, line: str) -> None:
            """What would make this notebook cheaper: %energy_advise [--all] [CODE] [--dismiss NAME] [--profile [N]].

            Findings with their evidence, the most joules at stake first. ``--all`` shows those of cells below 1 J or
            1 s too, ``CODE`` (GNB201) the page of one rule. ``--dismiss GNB201``, or with a finding's subject
            ``--dismiss "GNB201 loader"``, says no more of it while this kernel runs.
            ``--profile`` has PyTorch's profiler look at 4 training steps (N: 3 to 5) of the next cell that trains:
            rules then know what its time goes to. That cell's joules include what the profiler costs.
            """
            line_parser = _line("%energy_advise")
            line_parser.add_argument("code", nargs="?", metavar="CODE")
            line_parser.add_argument("--all", action="store_true", dest="all_cells")
            line_parser.add_argument("--dismiss", metavar="NAME")
            line_parser.add_argument("--profile", nargs="?", type=_steps, const=_steps(), metavar="N")
            given = line_parser.words(line)
            _advice().answer(
                session, code=given.code, dismiss=given.dismiss, all_cells=given.all_cells, profile=given.profile
            )

        @line_magic
        @_in_words
        def energy_needs(self, line: str) -> None:
            """Skip the cells that follow where a package is not installed: %energy_needs [PACKAGE ...].

            Packages are named as they are imported (torch, sklearn, tensorflow, jax). Where one is missing it says how
            to install it, and each cell that follows says that it was skipped, up to the next %energy_needs; one
            without a package ends the skipping. Nothing is imported. Cells that install packages or load extensions
            always run.
            """
            sentence = session.needs.need(line.split())
            if sentence:
                print(sentence)  # noqa: T201  # it is the cell's output

        @line_magic
        @_in_words
        def energy_cluster(self, line: str) -> None:
            """Count the joules of a Dask cluster's workers too: %energy_cluster on|off|status|tasks.

            ``on`` measures the machines of the workers of the client in use: from then on what a cell cost there is
            added when it ends, each machine once. Workers need the same greennb. ``tasks`` says how long tasks of
            each kind ran in the latest cell. With the setting cluster=auto it is on wherever a client is in use.
            """
            line_parser = _line("%energy_cluster")
            line_parser.add_argument("state", choices=["on", "off", "status", "tasks"])
            _clusters().answer(session, line_parser.words(line).state)

        @line_magic
        @_in_words
        def energy_baseline(self, line: str) -> Any:
            """Measure what the machine draws while idle: %energy_baseline [SECONDS]. Let nothing else run meanwhile."""
            line_parser = _line("%energy_baseline")
            line_parser.add_argument("seconds", nargs="?", type=_seconds, default=BASELINE_SECONDS)
            return _reports().baseline(session, line_parser.words(line).seconds)

        @line_magic
        @_in_words
        def energy_export(self, line: str) -> None:
            """Write this session's windows to a file: %energy_export PATH [--format json|csv|codecarbon|prometheus]."""
            line_parser = _line("%energy_export")
            line_parser.add_argument("path", type=Path)
            line_parser.add_argument("--format", choices=["json", "csv", "codecarbon", "prometheus"], default=None)
            given = line_parser.words(line)
            _reports().export(session, given.path, given.format)

        @line_magic
        @_in_words
        def energy_statement(self, line: str) -> None:
            """What this kernel's work cost, for a paper or a model card: %energy_statement [PATH].

            ``%energy_statement [PATH] [--format html|md|latex|yaml] [--all] [--zone Z | --intensity G] [--pue P]
            [--title TEXT] [--training-type pre-training|fine-tuning]``

            Shows joules with their interval, how they were measured and on what, grams of CO2e and where the intensity
            comes from, what failed, what was tried, what is not included. The cell that runs is not in it yet. With
            PATH it is written (.html, .md, .tex, .yaml). ``--all`` takes this notebook's earlier kernels in. Grams
            are of the place and PUE in force when the cells ran, unless others are given. See `greennb report --help`.
            """
            line_parser = _line("%energy_statement")
            line_parser.add_argument("path", nargs="?", metavar="PATH")
            line_parser.add_argument("--format", choices=["html", "md", "latex", "yaml"], default=None)
            line_parser.add_argument("--all", action="store_true")
            line_parser.add_argument("--pue", type=float, default=None, metavar="P")
            place = line_parser.add_mutually_exclusive_group()
            place.add_argument("--intensity", type=float, default=None, metavar="G")
            place.add_argument("--zone", default=None, metavar="Z")
            line_parser.add_argument("--title", default="", metavar="TEXT")
            line_parser.add_argument("--training-type", choices=["pre-training", "fine-tuning"], default="")
            _stated().state(session, line_parser.words(line))

        @line_magic
        @_in_words
        def energy_config(self, line: str) -> Any:
            """Show the settings, or change them: %energy_config [KEY=VALUE ...]."""
            line_parser = _line("%energy_config")
            line_parser.add_argument("changes", nargs="*", metavar="KEY=VALUE")
            return _reports().config(session, line_parser.words(line).changes)

    return EnergyMagics(session.shell)


def _reports() -> ModuleType:
    """What the reporting magics stand on; loaded with the first of them, not with ``%load_ext``."""
    from greennb.jupyter import reports

    return reports


def _stated() -> ModuleType:
    from greennb.jupyter import stated

    return stated


def _advice() -> ModuleType:
    from greennb.jupyter import advice

    return advice


def _clusters() -> ModuleType:
    from greennb.jupyter import clusters

    return clusters


def _trials() -> ModuleType:
    from greennb.jupyter import trials

    return trials


def _measured(session: Session, options: Options, code: str, kind: str) -> Any:
    from greennb.jupyter.statement import Statement

    return Statement(session, options, code, kind).run()


def _count(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of cells: give 1 or more")


def _steps(text: str = "4") -> int:
    if text in ("3", "4", "5"):  # longer traces are large, shorter ones uneven
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of steps to profile: give 3 to 5")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give seconds, above 0 and up to 3600")
    return value
