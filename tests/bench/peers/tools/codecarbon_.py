"""codecarbon: the offline tracker's tasks, nothing written, nothing sent."""

NAME = "codecarbon"


class Tool:
    """start_task and stop_task."""

    def __init__(self) -> None:
        from codecarbon import OfflineEmissionsTracker

        self._tracker = OfflineEmissionsTracker(
            country_iso_code="FRA", log_level="critical", save_to_file=False, allow_multiple_runs=True
        )
        self._number = 0

    def begin(self):
        """Start a task."""
        self._number += 1
        self._tracker.start_task(str(self._number))

    def end(self):
        """Stop it; it returns the result."""
        self._result = self._tracker.stop_task(str(self._number))

    def value(self):
        """kWh as joules."""
        return {"cpu": self._result.cpu_energy * 3.6e6, "gpu": self._result.gpu_energy * 3.6e6}
