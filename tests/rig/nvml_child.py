"""Run by ``NvmlSession``: greennb's NVML source in a process that sees the rig's boards, one JSON command a line."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from greennb.meter.meter import Meter, OpenWindow
from greennb.model.reading import Fault
from greennb.model.wire import measurement_to_dict
from greennb.sources import nvml
from greennb.sources.base import Probe, Source


class _Child:
    def __init__(self) -> None:
        self.source: Source | None = None
        self.meter: Meter | None = None
        self.window: OpenWindow | None = None

    def modules(self) -> bool:
        return "pynvml" in sys.modules

    def probe(self) -> dict[str, Any]:
        result: Probe = nvml.probe("rig")
        self.source = result.source
        channels = () if result.source is None else result.source.channels
        return {
            "reason": result.reason,
            "hint": result.hint,
            "faults": [_fault(fault) for fault in result.faults],
            "channels": [
                {
                    "device": channel.domain.device,
                    "label": channel.domain.label,
                    "method": channel.method,
                    "note": channel.note,
                    "max_power_w": channel.max_power_w,
                    "wrap_uj": channel.wrap_uj,
                    "resolution_uj": channel.resolution_uj,
                }
                for channel in channels
            ],
        }

    def sample(self) -> dict[str, Any]:
        assert self.source is not None
        before_ns = time.monotonic_ns()
        samples = self.source.sample()
        return {
            "samples": [_fault(each) if isinstance(each, Fault) else each for each in samples],
            "t0_ns": before_ns,
            "t1_ns": time.monotonic_ns(),
        }

    def measure(self) -> dict[str, Any]:
        """Make a meter of what probing found, and measure an empty window; it answers what probing said too."""
        probed = self.probe()
        result = nvml.probe("rig")
        self.source = result.source
        self.meter = Meter([] if result.source is None else [result.source], faults=result.faults)
        self.open()
        return probed | {"measurement": self.shut()}

    def open(self) -> dict[str, Any]:
        """Open a window; how long that took."""
        assert self.meter is not None
        before_ns = time.monotonic_ns()
        self.window = self.meter.open("rig")
        return {"took_s": (time.monotonic_ns() - before_ns) / 1e9}

    def shut(self) -> dict[str, Any]:
        """Close the window; its measurement."""
        assert self.window is not None
        self.window.close()
        return measurement_to_dict(self.window.result)

    def window_of(self, seconds: float) -> dict[str, Any]:
        """The measurement of a window of this length."""
        self.open()
        time.sleep(seconds)
        return self.shut()

    def fork(self, hook: bool) -> dict[str, Any]:
        """A sample taken in a forked child, with or without the source being told of the fork."""
        assert self.source is not None
        receive, send = os.pipe()
        if os.fork() == 0:
            if hook:
                self.source.after_fork()
            os.write(send, json.dumps(self.sample()).encode())
            os._exit(0)
        os.close(send)
        os.wait()
        with os.fdopen(receive, "rb") as pipe:
            answer: dict[str, Any] = json.loads(pipe.read())
        return answer

    def gauge(self) -> list[dict[str, Any]]:
        """Each board's gauge, and the bytes on it that this process holds."""
        assert isinstance(self.source, nvml.NvmlSource)
        pids = frozenset({os.getpid()})
        places = range(len(self.source.channels))
        return [{**self.source.gauge(at)._asdict(), "held_b": self.source.held_b(at, pids)} for at in places]

    def board(self) -> list[dict[str, Any]]:
        """Each board's power and clocks with their limits, and its compute capability."""
        assert isinstance(self.source, nvml.NvmlSource)
        return [self.source.board(at)._asdict() for at in range(len(self.source.channels))]

    def shut_down_by_others(self) -> None:
        import pynvml

        pynvml.nvmlShutdown()

    def is_shut_down(self) -> bool:
        """Whether NVML holds nothing for this process any more."""
        import pynvml

        try:
            pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError_Uninitialized:
            return True
        return False

    def close(self) -> None:
        assert self.source is not None
        self.source.close()


def _fault(fault: Fault) -> dict[str, Any]:
    device = None if fault.domain is None else fault.domain.device
    return {"device": device, "reason": fault.reason, "hint": fault.hint}


def main() -> None:
    child = _Child()
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(child, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
