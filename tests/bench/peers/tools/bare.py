"""Two bare reads of each counter: the floor that every tool stands on."""

import os
import time

NAME = "two bare reads"


class Tool:
    """File and driver reads at the edges, nothing else."""

    def __init__(self) -> None:
        import pynvml

        pynvml.nvmlInit()
        self._read_gpu = pynvml.nvmlDeviceGetTotalEnergyConsumption
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        self._fd = os.open("/sys/class/powercap/intel-rapl:0/energy_uj", os.O_RDONLY)

    def _look(self):
        return int(os.pread(self._fd, 32, 0)), self._read_gpu(self._handle)

    def live(self, seconds):
        """Read both ten times a second, as no display could do with less."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.1)
            self._look()

    def begin(self):
        """Read."""
        self._first = self._look()

    def end(self):
        """Read again."""
        self._last = self._look()

    def value(self):
        """The differences, in joules."""
        (a, b), (c, d) = self._first, self._last
        return {"cpu": (c - a) / 1e6, "gpu": (d - b) / 1e3}
