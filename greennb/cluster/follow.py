"""Follows the cluster that a notebook uses: asked for by the user, or whichever Dask client is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greennb.cluster.dask import Dask, live_client
from greennb.meter.meter import OpenWindow
from greennb.model.errors import BadInputError
from greennb.model.reading import Fault

NO_CLIENT = (
    "There is no Dask client here: make one first, as client = distributed.Client(...), then %energy_cluster on."
)


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
        self.last: OpenWindow | None = None

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

    def tasks(self) -> Mapping[str, float]:
        """Seconds of tasks by prefix in the latest window.

        Raises:
            BadInputError: nothing is followed, or no window has closed yet.
        """
        if self._dask is None or self.last is None:
            raise BadInputError("No cell has run on the cluster yet: %energy_cluster on, then run one.")
        return self._dask.tasks(self.last.t0_ns, self.last.t1_ns)

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
            self.last = window
            measured = [(it.domain.kind, it.domain.device) for it in window.channels]
            found = self._dask.between(window.t0_ns, window.t1_ns, measured)
            window.add(found.energies, found.faults)

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
