"""Joules of a distributed training: each rank measures where it runs, rank 0 adds up, each device once.

Ranks tell each other through the store with which their process group was made (a key and a value each), not by a
collective operation: it works alike whatever moves the tensors (gloo, NCCL), and a rank that is gone keeps nobody
waiting beyond the time-out.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from greennb import __version__
from greennb.cluster.agent import Answer, Identity
from greennb.cluster.host import boot_id
from greennb.cluster.merge import merged
from greennb.meter.meter import OpenWindow
from greennb.meter.past import Stretch
from greennb.model.errors import BadInputError
from greennb.model.measurement import Measurement
from greennb.model.reading import Fault
from greennb.model.wire import measurement_from_dict, measurement_to_dict

TIMEOUT_S = 10.0
"""Seconds that rank 0 waits for the others, all together, after its own window has closed."""

_counts: Counter[str] = Counter()
"""Windows of each group that this process has closed: the n-th of a rank belongs to the n-th of every other."""


class Ranks:
    """The ranks of a process group, as windows need them.

    Args:
        group: a process group of ``torch.distributed``, or True for the default one.
        timeout_s: seconds that rank 0 waits for the others.

    Raises:
        BadInputError: torch.distributed is not set up, or this process is not in the group.
    """

    def __init__(self, group: Any, timeout_s: float = TIMEOUT_S) -> None:
        torch = sys.modules.get("torch")
        dist = None if torch is None else torch.distributed
        if dist is None or not dist.is_available() or not dist.is_initialized():
            raise BadInputError(
                "group= needs torch.distributed: call torch.distributed.init_process_group() before the window opens."
            )
        group = None if group is True else group
        try:
            self.rank, self.size = int(dist.get_rank(group)), int(dist.get_world_size(group))
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise BadInputError(f"group= is no process group of torch.distributed ({type(error).__name__}).") from None
        if self.rank < 0:
            raise BadInputError("This process is not in the group that it was given.")
        members = dist.get_process_group_ranks(dist.group.WORLD if group is None else group)
        self.timeout_s = timeout_s
        self._name = hashlib.sha256(repr(sorted(members)).encode()).hexdigest()[:12]
        self._store = dist.PrefixStore("greennb", dist.distributed_c10d._get_default_store())

    def settle(self, window: OpenWindow) -> None:
        """Tell rank 0 what a window that has just closed cost here; on rank 0, add what it cost elsewhere.

        Never raises: a rank that does not answer is a Fault.
        """
        number = _counts[self._name]
        _counts[self._name] += 1
        if self.rank != 0:
            self._tell(number, window.result)
            return
        answers: list[Answer] = []
        faults: list[Fault] = []
        end_s = time.monotonic() + self.timeout_s
        for rank in range(1, self.size):
            given = self._heard(number, rank, max(0.01, end_s - time.monotonic()), window)
            if isinstance(given, Answer):
                answers.append(given)
            else:
                faults.append(given)
        measured = [(it.domain.kind, it.domain.device) for it in window.channels]
        found = merged(answers, here=boot_id(), host=window.host, measured=measured)
        window.add(found.energies, (*found.faults, *faults))

    def _key(self, number: int, rank: int) -> str:
        return f"{self._name}/{number}/{rank}"

    def _tell(self, number: int, measurement: Measurement) -> None:
        said = {"version": __version__, "boot_id": boot_id(), "measurement": measurement_to_dict(measurement)}
        try:
            self._store.set(self._key(number, self.rank), json.dumps(said))
        except Exception:  # noqa: BLE001  # rank 0 is gone with the store: nobody is left to tell
            return

    def _heard(self, number: int, rank: int, wait_s: float, window: OpenWindow) -> Answer | Fault:
        key = self._key(number, rank)
        try:
            self._store.wait([key], timedelta(seconds=wait_s))
            said = json.loads(self._store.get(key))
            self._store.delete_key(key)
        except Exception as error:  # noqa: BLE001  # the store's own, which differ from version to version
            late = "time" in str(error).lower() or "wait" in str(error).lower()
            why = f"did not answer within {self.timeout_s:g} s" if late else f"can't be heard ({type(error).__name__})"
            return _fault(f"rank {rank} {why}: its joules are missing", window)
        if said["version"] != __version__:
            return _fault(f"rank {rank} has greennb {said['version']}, and here is {__version__}", window)
        return _answer(said["boot_id"], measurement_from_dict(said["measurement"]))


def _answer(boot: str, measurement: Measurement) -> Answer:
    t1_ns = measurement.window.t1_ns
    identity = Identity(
        host=measurement.host, boot_id=boot, devices=frozenset(it.domain.device for it in measurement.energies),
        version=__version__, metering=True,
    )  # fmt: skip
    stretch = Stretch(
        t0_ns=measurement.window.t0_ns, t1_ns=t1_ns, energies=measurement.energies, faults=measurement.faults
    )
    return Answer(identity=identity, stretch=stretch)


def _fault(reason: str, window: OpenWindow) -> Fault:
    return Fault(domain=None, t_ns=window.t1_ns, reason=reason)
