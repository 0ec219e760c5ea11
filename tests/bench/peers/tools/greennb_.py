"""greennb, as ``greennb.measure`` does it: a window of the process's meter."""

NAME = "greennb"


class Tool:
    """A window, and its result."""

    def __init__(self) -> None:
        import greennb.runtime
        from greennb.settings import Settings

        self._meter = greennb.runtime.Runtime(Settings(ledger="off", carbon=False)).meter

    def begin(self):
        """Open."""
        self._window = self._meter.open()

    def end(self):
        """Close."""
        self._window.close()

    def value(self):
        """The joules by kind, and whether a Fault was said."""
        result = self._window.result
        joules = {energy.domain.kind.value: energy.gross_j for energy in result.energies}
        return {"cpu": joules.get("cpu_package"), "gpu": joules.get("gpu"), "said": bool(result.faults)}

    def live(self, seconds):
        """Look ten times a second, as a live display does."""
        import time

        class Viewer:
            period_s = 0.1

            def take(self, look):
                """Take it."""

        viewer = Viewer()
        self._meter.sampler.watch(viewer)
        time.sleep(seconds)
        self._meter.sampler.release(viewer)
