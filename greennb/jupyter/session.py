"""The composition root in a notebook: one session a kernel. Whatever it registers it takes back."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greennb.jupyter.bridge import Bridge
from greennb.jupyter.cells import CellRun, Cells, repeats, status_of
from greennb.jupyter.coach import Coach
from greennb.jupyter.marker import strip
from greennb.jupyter.settings import GreenNB
from greennb.model.errors import GreennbError
from greennb.model.wire import MIME_TYPE
from greennb.runtime import Runtime, runtime

if TYPE_CHECKING:
    from greennb.cluster.follow import Follow
    from greennb.jupyter.budget import BudgetWatch
    from greennb.jupyter.needs import Needs
    from greennb.jupyter.trials import Trying
    from greennb.meter.meter import OpenWindow
    from greennb.model.finding import Trial


class Session:
    """greennb in one shell.

    Attributes:
        recording: every cell gets its bundle in the output, whatever the user shows or hides: for ``greennb run``.
        advising: whether cells are watched for advice while it records, whatever the settings say.
    """

    _running: Session | None = None

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.config = GreenNB(parent=shell)
        self.recording = self.advising = False
        self._said: dict[str, None] = {}  # in its order
        self._to_say: list[str] = []
        self._undo: list[Callable[[], None]] = []
        self.runtime = self._configured()
        self.cells = Cells(
            self.runtime,
            auto=lambda: self.config.auto or self.recording or bool(self.bridge.measuring),
            whole=lambda: self.recording or bool(self.bridge.measuring),
            name=self._cell_name,
            finished=self._finished,
            failed=self._failed,
            skipped=self._skips,
        )
        self._budgets: dict[int, BudgetWatch] = {}
        self.coach = Coach(
            shell,
            meter=lambda: self.runtime.meter,
            on=lambda: self.advises,
            say=self.say,
            ended=self.advice_changed,
        )
        self.bridge = Bridge(self)
        self._trying: Trying | None = None
        self._needs: Needs | None = None
        self._making = threading.Lock()  # a page's thread and the notebook's may both want it
        self._cluster: Follow | None = None

    @property
    def trying(self) -> Trying:
        """The session's trials; made, and loaded, when somebody first wants to know of them."""
        with self._making:
            if self._trying is None:
                from greennb.jupyter.trials import Trying

                self._trying = Trying(self)
            return self._trying

    @property
    def needs(self) -> Needs:
        """What the notebook's cells need to run; made, and loaded, with the first ``%energy_needs``."""
        if self._needs is None:
            from greennb.jupyter.needs import Needs

            self._needs = Needs(self.shell, self.say)
            self._undo.append(self._needs.close)
        return self._needs

    @property
    def cluster(self) -> Follow:
        """The cluster that the notebook uses; made, and loaded, when somebody first wants to know of it."""
        if self._cluster is None:
            from greennb.cluster.follow import Follow

            self._cluster = Follow(self.runtime.host, auto=lambda: self.runtime.settings.cluster == "auto")
        return self._cluster

    def _elsewhere(self, window: OpenWindow) -> None:
        """Add to a window what other machines took in it. Where Dask was never loaded there are none."""
        auto = self.runtime.settings.cluster == "auto" and "distributed" in sys.modules
        if auto or self._cluster is not None:
            self.cluster.settle(window)

    def _leave_cluster(self) -> None:
        self.runtime.elsewhere = None
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.end()

    def _skips(self, source: str) -> bool:
        return self._needs is not None and self._needs.skips(source)

    def stop_trial(self, key: str | None, asked: object) -> bool:
        """As :meth:`Trying.stop`. A page that waits for a cell may stop a trial before there was any."""
        return self.trying.stop(key, asked)

    def can_try(self, code: str) -> bool:
        """Whether some variant answers a rule; from any thread. Findings are told without it where that fails."""
        try:
            return self.trying.can_try(code)
        except Exception as error:  # noqa: BLE001
            why = f"{type(error).__name__}: {error}"
            self._to_say.append(f"nothing can be tried in this kernel ({why}). Please report it.")
            return False

    @property
    def tried(self) -> tuple[tuple[str, Trial], ...]:
        """The trials that came to an end, with the keys of what they were about."""
        return () if self._trying is None else self._trying.done

    @property
    def busy(self) -> bool:
        """Whether a cell or a trial runs: the page's trials run in no cell."""
        return self.cells.busy or (self._trying is not None and self._trying.running)

    def _cell_name(self, file: str) -> str | None:
        """What IPython calls the cell whose code was compiled under this file name: "In[3]"."""
        named = self.shell.compile.format_code_name(file)
        return None if named is None else str(named[1])

    @classmethod
    def running(cls, shell: Any) -> bool:
        """Whether a session is loaded into ``shell``."""
        return cls._running is not None and cls._running.shell is shell

    @classmethod
    def start(cls, shell: Any) -> Session:
        """The session of ``shell``, loaded into it if it is not yet."""
        if cls._running is not None and cls.running(shell):
            return cls._running
        session = cls(shell)
        try:
            session._register()
        except BaseException:
            session._take_back()
            raise
        cls._running = session
        return session

    @classmethod
    def stop(cls, shell: Any) -> None:
        """Take the session out of ``shell``, if it is there. One that records stays: it was the runner's wish."""
        if cls._running is None or cls._running.shell is not shell or cls._running.recording:
            return
        session, cls._running = cls._running, None
        session._take_back()

    def _take_back(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _configured(self) -> Runtime:
        settings = self.config.to_settings(os.environ, self.say)
        shared = runtime(settings)
        shared.reconfigure(settings)  # it may be there already, made by plain Python code
        self.config.auto, self.config.quiet = settings.auto, settings.quiet
        # Problems come from the ledger's thread, whose output no front end would put below the right cell.
        shared.on_problem = self._to_say.append
        shared.notebook = os.environ.get("JPY_SESSION_NAME", "")
        shared.elsewhere = self._elsewhere
        return shared

    def _register(self) -> None:
        from greennb.jupyter.complete import complete
        from greennb.jupyter.displays import register
        from greennb.jupyter.magics import make_magics

        shell = self.shell
        before, after, cleanup = self._before, self._after, shell.input_transformers_cleanup
        shell.events.register("pre_run_cell", before)
        self._undo.append(lambda: shell.events.unregister("pre_run_cell", before))
        shell.events.register("post_run_cell", after)
        self._undo.append(lambda: shell.events.unregister("post_run_cell", after))
        cleanup.append(strip)
        self._undo.append(lambda: cleanup.remove(strip))
        self._undo.append(self.coach.close)
        self._undo.append(self._leave_cluster)
        self._undo.append(register(shell))
        magics = make_magics(self)
        shell.register_magics(magics)
        self._undo.append(lambda: _unregister(shell, magics))
        self.bridge.register()
        self._undo.append(self.bridge.close)
        tell = self._auto_changed
        self.config.observe(tell, names="auto")
        self._undo.append(lambda: self.config.unobserve(tell, names="auto"))
        for command in ("%%energy", *(f"%{name}" for name in magics.magics["line"])):
            shell.set_hook("complete_command", complete, str_key=command)

    @property
    def advises(self) -> bool:
        """Whether cells are watched for what would make them cheaper."""
        return self.advising if self.recording else self.runtime.settings.advice

    def advice_changed(self) -> None:
        """There may be something new to say."""
        self.bridge.advice_changed()

    def _before(self, info: Any) -> None:
        if not self.cells.busy and not self._skips(str(getattr(info, "raw_cell", "") or "")):
            self.coach.begin(info)  # first, so that it is not counted as the cell's
        self.cells.before(info, getattr(self.shell, "execution_count", None))
        run = self.cells.current
        if run is None or run.info is not info:
            return
        self.bridge.began(run)
        if run.options.budget_j is not None:
            from greennb.jupyter.budget import BudgetWatch

            self._budgets[id(run)] = BudgetWatch(self.runtime.meter, run.window, run.options.budget_j, self.say)

    def _after(self, result: Any) -> None:
        ran = self.cells.busy
        self.cells.after(result)
        self._look_at_imports(result)
        if ran and not self.cells.busy:
            self.coach.end(status_of(result), getattr(result, "execution_count", None))
        self.bridge.idle_since_ns = time.monotonic_ns()

    def _look_at_imports(self, result: Any) -> None:
        """A package that the notebook needs may be there and broken."""
        try:
            if self._needs is not None:
                self._needs.after(getattr(result, "error_in_exec", None))
        except Exception as error:  # noqa: BLE001  # a failure of ours never reaches the cell
            self._failed(error)

    def _finished(self, run: CellRun) -> None:
        try:
            if not self.cells.busy:
                self.coach.end(run.window.status, run.window.execution_count, run)
            self.show(run)
        finally:
            self.bridge.ended(run)

    def _auto_changed(self, _change: Any) -> None:
        self.bridge.settings_changed()

    def configure(self, **changes: str | float | bool) -> None:
        """Go on with changed settings, and tell the pages.

        Raises:
            BadInputError: a name that is no setting, a value that it cannot take, or a zone that no table knows.
        """
        settings = self.runtime.settings.changed(**changes)
        if settings.zone != self.runtime.settings.zone and settings.zone:
            from greennb.carbon.intensity import static_intensity

            static_intensity(settings.zone)  # a zone that nobody knows is refused now rather than at the next cell
        self.runtime.reconfigure(settings)
        if "auto" in changes:
            self.config.auto = settings.auto
        if "quiet" in changes:
            self.config.quiet = settings.quiet
        self.bridge.settings_changed()

    def show(self, run: CellRun) -> None:
        """Put what a cell cost into its output, into the variable asked for, or nowhere."""
        while self._to_say:
            self.say(self._to_say.pop())
        watch = self._budgets.pop(id(run), None)
        if watch is not None:
            watch.close()
        options = run.options
        if options.output:
            self.shell.user_ns[options.output] = run.measurement
        for_others = run.auto and (not self.config.auto or repeats(run.source))  # the runner's wish, or the panel's
        quiet = options.quiet or (run.auto and self.config.quiet) or for_others
        if quiet and not self.recording:
            return
        self.publish(self.bundle(run, quiet))

    def bundle(self, run: CellRun, quiet: bool) -> dict[str, Any]:
        """What goes into a cell's output."""
        if quiet:
            return {MIME_TYPE: run.measurement.to_dict()}
        from greennb.views import mime  # with the first card, not with %load_ext

        return mime.bundle(
            run.measurement,
            quiet=run.auto,
            net=run.options.net,
            carbon=run.options.carbon,
            budget_j=run.options.budget_j,
            per=run.options.per,
            unit=run.options.unit,
            price=self.runtime.settings.price,
            currency=self.runtime.settings.currency,
            advice="" if self.cells.busy else self.coach.line(),
        )

    def publish(self, bundle: dict[str, Any]) -> None:
        """Show a bundle in the output of the running cell; in a terminal its plain text."""
        self.shell.display_pub.publish(data=bundle, metadata={})

    @property
    def said(self) -> list[str]:
        """What the user has been told up to now, and what waits for the next cell to be told."""
        return list(dict.fromkeys([*self._said, *self._to_say]))

    def say(self, text: str) -> None:
        """Tell the user something, once, without failing anything."""
        if text not in self._said:
            self._said[text] = None
            sys.stderr.write(f"greennb: {text}\n")

    def _failed(self, error: Exception) -> None:
        if isinstance(error, GreennbError):
            self.say(str(error))
            return
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        self.say(
            f"this cell could not be measured ({type(error).__name__}: {error}, {where.name} line {where.lineno}); "
            "the cell itself is not affected. Please report it."
        )


def _unregister(shell: Any, magics: Any) -> None:
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
