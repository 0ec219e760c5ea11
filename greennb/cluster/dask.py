"""Joules of Dask's workers: a plugin beside each, one meter a host, one question a host when a window closes.

Nothing is sent when a window opens. At its close each host that meters is asked, in one broadcast, what it took between
two instants; the instants are told on that host's own clock (:mod:`greennb.cluster.clocks`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from greennb import __version__
from greennb.cluster.agent import Agent, Answer, Identity
from greennb.cluster.clocks import Question
from greennb.cluster.host import boot_id
from greennb.cluster.merge import Elsewhere, merged
from greennb.model.errors import BadInputError
from greennb.model.reading import DomainKind, Fault

PLUGIN = "greennb-energy"
"""The plugin's name on the workers."""

TIMEOUT_S = 5.0
"""Seconds that workers may take to answer; a window is never held up for longer."""

WORKER_S = 0.002
"""More of them for each worker: a broadcast to 128 took a fifth of that for each (docs/scale.md)."""

ASKED_FOR_CLOCKS = 3
"""Questions to a new worker's clock: the quickest of a few is seldom held up by anything."""

LONGEST_TRIP_NS = 5_000_000_000
"""Until a worker's first answer."""

# Pickled by value, for workers that may have no greennb; it must stand by itself.
_PLUGIN_SOURCE = """
class Energy:
    name = {name!r}
    idempotent = True

    def __init__(self, version):
        self.version = version
        self.agent = None
        self.missing = ""

    def setup(self, worker):
        self.worker = worker
        try:
            import greennb
            if greennb.__version__ != self.version:
                self.missing = "greennb " + greennb.__version__
                return
            import platform
            from dask.utils import key_split
            from greennb.cluster.agent import Agent
            self.split = key_split
            self.agent = Agent(platform.node())
        except ImportError:
            self.missing = "no greennb"
        except Exception as error:
            self.missing = "greennb failed there (" + type(error).__name__ + ": " + str(error)[:200] + ")"

    def teardown(self, worker):
        agent, self.agent = self.agent, None
        if agent is not None:
            agent.close()

    def transition(self, key, start, finish, **kwargs):
        if self.agent is not None and "executing" in (start, finish):
            self.agent.moved(key, start, finish, self.split(key))


def identify(asker, sent_ns, dask_worker):
    plugin = dask_worker.plugins.get({name!r})
    if plugin is None:
        return "not set up"
    if plugin.missing:
        return plugin.missing
    plugin.agent.hear(asker, sent_ns)
    return plugin.agent.identity()
"""


@dataclass(slots=True)
class _Worker:
    """A worker as it is known here: who it is or why it is not asked, and the quickest way there and back."""

    identity: Identity | str
    trip_ns: int = LONGEST_TRIP_NS
    left_ns: int | None = None


@dataclass(slots=True)
class Dask:
    """The workers of one client.

    Attributes:
        client: a ``distributed.Client``.
        host: what the notebook's own machine is called.
    """

    client: Any
    host: str
    timeout_s: float = TIMEOUT_S
    _asker: str = field(default_factory=lambda: os.urandom(8).hex())
    _workers: dict[str, _Worker] = field(default_factory=dict)
    _source: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        """Set the plugin up on all workers, also those that are still to come.

        Raises:
            BadInputError: the client is closed, or its scheduler does not answer.
        """
        source: dict[str, Any] = {"__name__": "__main__"}  # what is pickled by value
        exec(_PLUGIN_SOURCE.format(name=PLUGIN), source)
        base = sys.modules["distributed"].WorkerPlugin
        energy = type("Energy", (source["Energy"], base), {"__module__": "__main__"})
        self._source = source
        try:
            self._sync(self.client._register_worker_plugin, energy(__version__), PLUGIN, False)
            self._meet(self._present())
        except Exception as error:
            raise BadInputError(f"The Dask cluster can't be measured: {_said(error)}.") from error

    def end(self) -> None:
        """Take the plugin back, as far as the cluster is there."""
        if self.client.status == "running":
            self.client.unregister_worker_plugin(PLUGIN)

    @property
    def words(self) -> tuple[str, ...]:
        """What is measured, and what is not with the command that mends it."""
        known = [it.identity for it in self._workers.values() if isinstance(it.identity, Identity)]
        hosts = {it.boot_id: it.host for it in known}
        here = " (this machine among them)" if boot_id() in hosts else ""
        workers = "1 worker" if len(known) == 1 else f"{len(known)} workers"
        on = "1 host" if len(hosts) == 1 else f"{len(hosts)} hosts"
        told = [f"{workers} on {on}{here}: {', '.join(sorted(hosts.values()))}."]
        return (*told, *self._missing())

    def between(self, t0_ns: int, t1_ns: int, measured: Iterable[tuple[DomainKind, str]]) -> Elsewhere:
        """What the workers' hosts took between two instants of this process's monotonic clock.

        Never raises: what can't be known is a Fault. ``measured`` are the devices counted on this machine already.
        """
        try:
            answers, faults = self._asked(t0_ns, t1_ns)
        except Exception as error:  # noqa: BLE001  # a cluster that is gone must not fail the cell
            return Elsewhere(faults=(_fault(f"the Dask workers' joules are missing: {_said(error)}", t1_ns),))
        found = merged(answers, here=boot_id(), host=self.host, measured=measured)
        return replace(found, faults=(*found.faults, *faults))

    def tasks(self, t0_ns: int, t1_ns: int) -> Mapping[str, Mapping[str, float]]:
        """Seconds of tasks between two instants: by machine (its boot id), then by prefix. Asks every worker."""
        boots = {
            at: it.identity.boot_id
            for at, it in self._workers.items()
            if isinstance(it.identity, Identity) and it.left_ns is None
        }
        answers = self._run(task_seconds, self._question(boots, t0_ns, t1_ns), workers=list(boots))
        total: dict[str, dict[str, float]] = {}
        for address, found in answers.items():
            if isinstance(found, Mapping):
                here = total.setdefault(boots[address], {})
                for prefix, seconds in found.items():
                    here[prefix] = here.get(prefix, 0.0) + seconds
        return total

    def _asked(self, t0_ns: int, t1_ns: int) -> tuple[list[Answer], list[Fault]]:
        if self.client.status != "running":
            raise RuntimeError(f"the client is {self.client.status}")
        present = self._present()
        for address, worker in self._workers.items():
            if address not in present and worker.left_ns is None:
                worker.left_ns = time.monotonic_ns()
        self._meet(present)
        self._meet(self._headless(present), again=True)
        answers: dict[str, Answer] = {}
        for _try in range(2):  # once more, where the worker that metered a host is gone and another takes its place
            leaders = self._leaders(present, answers)
            if not leaders:
                break
            sent_ns = time.monotonic_ns()
            found = self._run(answer, self._question(leaders, t0_ns, t1_ns), workers=leaders)
            received_ns = time.monotonic_ns()
            for address, given in found.items():
                worker = self._workers[address]
                if isinstance(given, Answer):
                    answers[address] = given
                    self._met(worker, given.identity, received_ns - sent_ns)
                else:
                    worker.left_ns = received_ns
            if len(answers) == len(leaders):
                break
            self._meet(present, again=True)
        return list(answers.values()), self._gone(t0_ns, t1_ns, answers)

    def _headless(self, present: Iterable[str]) -> list[str]:
        """Workers of hosts on which nobody is known to meter: who did is gone, and another has taken over."""
        known = {at: self._workers[at].identity for at in present if at in self._workers}
        identities = {at: it for at, it in known.items() if isinstance(it, Identity)}
        metered = {(it.boot_id, it.devices) for it in identities.values() if it.metering}
        return [at for at, it in identities.items() if (it.boot_id, it.devices) not in metered]

    def _leaders(self, present: Iterable[str], answers: Mapping[str, Answer]) -> list[str]:
        """The workers that meter, of hosts that have not answered yet."""
        done = {given.identity.boot_id for given in answers.values()}
        found: dict[tuple[str, frozenset[str]], str] = {}
        for address in present:
            worker = self._workers.get(address)
            if worker is None or worker.left_ns is not None or not isinstance(worker.identity, Identity):
                continue
            identity = worker.identity
            if identity.metering and identity.boot_id not in done:
                found.setdefault((identity.boot_id, identity.devices), address)
        return list(found.values())

    def _present(self) -> list[str]:
        """Addresses of the workers that the scheduler has now."""
        info = self._sync(self.client.scheduler.identity, n_workers=-1)
        return list(info["workers"])

    def _meet(self, present: Iterable[str], *, again: bool = False) -> None:
        """Learn who the workers are that are not known yet, and what their clocks say; all of them ``again``."""
        new = [it for it in present if again or it not in self._workers or self._workers[it].identity == "not set up"]
        for _try in range(ASKED_FOR_CLOCKS if new else 0):
            sent_ns = time.monotonic_ns()
            found = self._run(self._source["identify"], self._asker, sent_ns, workers=new)
            received_ns = time.monotonic_ns()
            for address, given in found.items():
                worker = self._workers.setdefault(address, _Worker("not set up"))
                if isinstance(given, Identity):
                    self._met(worker, given, received_ns - sent_ns)
                    worker.left_ns = None
                elif isinstance(given, str):
                    worker.identity = given
                else:
                    worker.left_ns = received_ns

    @staticmethod
    def _met(worker: _Worker, identity: Identity, trip_ns: int) -> None:
        worker.identity = identity
        worker.trip_ns = min(worker.trip_ns, trip_ns)

    def _question(self, addresses: Iterable[str], t0_ns: int, t1_ns: int) -> tuple[str, Question]:
        """The same for all of them, so that it does not grow with their number."""
        trip_ns = max((self._workers[address].trip_ns for address in addresses), default=0)
        return self._asker, Question(t0_ns=t0_ns, t1_ns=t1_ns, sent_ns=time.monotonic_ns(), trip_ns=trip_ns)

    def _gone(self, t0_ns: int, t1_ns: int, answers: Mapping[str, Answer]) -> list[Fault]:
        """What is missing because a worker was not there to answer, or can't measure."""
        answered = {given.identity.boot_id for given in answers.values()}
        lost = {
            it.identity.host
            for it in self._workers.values()
            if it.left_ns is not None and it.left_ns >= t0_ns and isinstance(it.identity, Identity)
            and it.identity.metering and it.identity.boot_id not in answered and it.identity.boot_id != boot_id()
        }  # fmt: skip
        faults = [_fault(f"{host}: the worker that metered it is gone, and its joules with it", t1_ns) for host in lost]
        return [*faults, *(_fault(text, t1_ns) for text in self._missing())]

    def _missing(self) -> list[str]:
        """Workers without greennb, or with another one, and the command."""
        there = [it.identity for it in self._workers.values() if it.left_ns is None]
        without = [it for it in there if isinstance(it, str) and it != "not set up"]
        if not without:
            return []
        kinds = ", ".join(sorted(set(without)))
        told = f"{len(without)} of {len(there)} Dask workers are not measured ({kinds})"
        return [f"{told}: install greennb {__version__} where they run, and start them again"]

    def _run(self, function: Any, *args: Any, workers: list[str]) -> dict[str, Any]:
        """Run on these workers; what one raises stands in its place."""
        if not workers:
            return {}
        patience_s = self.timeout_s + WORKER_S * len(workers)
        return dict(
            self.client.sync(
                self.client._run, function, *args, workers=workers, on_error="return", callback_timeout=patience_s
            )
        )

    def _sync(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self.client.sync(function, *args, callback_timeout=self.timeout_s, **kwargs)


def answer(asked: tuple[str, Question], *, dask_worker: Any) -> Answer:
    """Run on a worker: what its host took between two instants of the asker's clock."""
    agent: Agent = dask_worker.plugins[PLUGIN].agent
    return agent.answer(*asked)


def task_seconds(asked: tuple[str, Question], *, dask_worker: Any) -> Mapping[str, float]:
    """Run on a worker: seconds of its tasks by prefix between two instants of the asker's clock."""
    agent: Agent = dask_worker.plugins[PLUGIN].agent
    return agent.task_seconds(*asked)


def live_client() -> Any | None:
    """The Dask client that this process uses, None where it has none; Dask is never loaded for that."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def _fault(reason: str, t_ns: int) -> Fault:
    return Fault(domain=None, t_ns=t_ns, reason=reason)


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    kind = type(error).__name__
    if kind == "TimeoutError":
        return "they did not answer in time"
    return text[:200] or kind
