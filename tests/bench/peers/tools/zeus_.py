"""zeus: ZeusMonitor's windows, without the synchronisation of a framework that is not there."""

NAME = "zeus"


class Tool:
    """begin_window and end_window."""

    def __init__(self) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor = ZeusMonitor()

    def begin(self):
        """Begin."""
        self._monitor.begin_window("w", sync_execution=False)

    def end(self):
        """End; it returns the result."""
        self._result = self._monitor.end_window("w", sync_execution=False)

    def value(self):
        """Joules of GPU 0 and CPU 0."""
        cpu, gpu = self._result.cpu_energy, self._result.gpu_energy
        return {"cpu": cpu.get(0) if cpu else None, "gpu": gpu.get(0) if gpu else None}
