"""Follows the cluster that a notebook uses: asked for by the user, or whichever Dask client is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greennb.cluster.dask import Dask, live_client
from greennb.cluster.merge import Elsewhere
from greennb.meter.meter import OpenWindow
from greennb.model.errors import BadInputError
from greennb.model.reading import Fault

NO_CLIENT = (
    "There is no Dask client here: make one first, as client = distributed.Client(...), then %energy_cluster on."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """Tasks whose keys begin alike: the seconds that they ran, all workers together, and their share of the joules."""

    prefix: str
    seconds: float
    joules: float | None


class Follow:
    """The cluster of one process, if it has one.

    Args:
        host: what this machine is called.
        auto: whether a client that is in use is followed without being asked.
    """

    def __init__(self, host: str, auto: Callable[[], bool]) -> None:
        self._host = host
        self._auto = auto
        self._dask: Dask | None = None
        self._wanted = False
        self._last: tuple[OpenWindow, Elsewhere] | None = None

    @property
    def on(self) -> bool:
        """Whether a cluster is followed."""
        return self._dask is not None

    def begin(self) -> tuple[str, ...]:
        """Measure the workers of the client in use from now on; what is measured, in sentences.

        Raises:
            BadInputError: there is no client, or its cluster does not answer.
        """
        client = live_client()
        if client is None:
            raise BadInputError(NO_CLIENT)
        self._wanted = True
        self._follow(client)
        return self.words

    def end(self) -> None:
        """Measure them no more."""
        self._wanted = False
        dask, self._dask = self._dask, None
        if dask is not None:
            dask.end()

    @property
    def words(self) -> tuple[str, ...]:
        """What is measured, and what is not with the command that mends it."""
        return () if self._dask is None else self._dask.words

    def tasks(self) -> tuple[TaskKind, ...]:
        """What the tasks of each kind took in the latest window, the longest first.

        A host's joules are shared out by the time that its tasks ran: a model, which knows nothing of how hard each
        task worked. Where a host's joules are not known, neither are its tasks'.

        Raises:
            BadInputError: nothing is followed, or no window has closed yet.
        """
        if self._dask is None or self._last is None:
            raise BadInputError("No cell has run on the cluster yet: %energy_cluster on, then run one.")
        window, found = self._last
        hosts_j: dict[str, float] = {}
        for energy in window.result.roots:
            hosts_j[energy.domain.host] = hosts_j.get(energy.domain.host, 0.0) + energy.gross_j
        kinds: dict[str, tuple[float, float | None]] = {}
        for boot, seconds in self._dask.tasks(window.t0_ns, window.t1_ns).items():
            host_j, all_s = hosts_j.get(found.hosts.get(boot, "")), sum(seconds.values())
            for prefix, own_s in seconds.items():
                so_far_s, so_far_j = kinds.get(prefix, (0.0, 0.0))
                known = None if host_j is None or so_far_j is None else so_far_j + host_j * own_s / all_s
                kinds[prefix] = (so_far_s + own_s, known)
        made = [TaskKind(prefix=name, seconds=total_s, joules=total_j) for name, (total_s, total_j) in kinds.items()]
        return tuple(sorted(made, key=lambda it: -it.seconds))

    def settle(self, window: OpenWindow) -> None:
        """Add to a window that has just closed what the cluster took in it. Never raises."""
        if self._dask is None and not self._wanted and not self._auto():
            return
        try:
            fault = self._turned()
        except BadInputError as error:
            fault = str(error)
        if fault:
            window.add((), (Fault(domain=None, t_ns=window.t1_ns, reason=fault),))
        elif self._dask is not None:
            measured = [(it.domain.kind, it.domain.device) for it in window.channels]
            found = self._dask.between(window.t0_ns, window.t1_ns, measured)
            window.add(found.energies, found.faults)
            self._last = (window, found)

    def _turned(self) -> str:
        """Turn to the client that is in use now; why the window has no joules of its workers, "" where it may."""
        client = live_client()
        if client is None:
            was, self._dask = self._dask, None
            return "" if was is None else "the Dask client is closed, so that the joules of its workers are not known"
        if self._dask is not None and self._dask.client is client:
            return ""
        self._follow(client)
        return "the Dask workers are measured from the next cell on: their client is new"

    def _follow(self, client: Any) -> None:
        dask = Dask(client=client, host=self._host)
        dask.begin()
        self._dask = dask
