"""pyRAPL: Measurement's begin and end; it reads CPUs only."""

NAME = "pyRAPL"


class Tool:
    """begin and end."""

    def __init__(self) -> None:
        import pyRAPL

        pyRAPL.setup(devices=[pyRAPL.Device.PKG])
        self._make = pyRAPL.Measurement

    def begin(self):
        """Begin."""
        self._measurement = self._make("w")
        self._measurement.begin()

    def end(self):
        """End."""
        self._measurement.end()

    def value(self):
        """Microjoules of socket 0 as joules."""
        pkg = self._measurement.result.pkg
        return {"cpu": pkg[0] / 1e6 if pkg else None, "gpu": None}
