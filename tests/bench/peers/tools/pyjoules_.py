"""pyJoules: EnergyMeter's start and stop on package 0 and GPU 0."""

NAME = "pyJoules"


class Tool:
    """start and stop."""

    def __init__(self) -> None:
        from pyJoules.device.nvidia_device import NvidiaGPUDevice, NvidiaGPUDomain
        from pyJoules.device.rapl_device import RaplDevice, RaplPackageDomain
        from pyJoules.energy_meter import EnergyMeter

        cpu, gpu = RaplDevice(), NvidiaGPUDevice()
        cpu.configure([RaplPackageDomain(0)])
        gpu.configure([NvidiaGPUDomain(0)])
        self._meter = EnergyMeter([cpu, gpu])

    def begin(self):
        """Start."""
        self._meter.start(tag="w")

    def end(self):
        """Stop."""
        self._meter.stop()

    def value(self):
        """Microjoules and millijoules as joules."""
        energy = self._meter.get_trace()[0].energy
        return {"cpu": energy["package_0"] / 1e6, "gpu": energy["nvidia_gpu_0"] / 1e3}
