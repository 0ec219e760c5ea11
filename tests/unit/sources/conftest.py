"""Virtual boards for the tests of the NVML source."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.rig import nvml
from tests.rig.nvml import Gpu, NvmlRig, NvmlSession


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub library, built once."""
    if not nvml.can_build():
        pytest.skip("no gcc: the NVML stub cannot be built, and the NVML source is not tested")
    return nvml.build(tmp_path_factory.mktemp("nvml"))


Start = Callable[..., tuple[NvmlRig, NvmlSession]]


@pytest.fixture
def start(nvml_library: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a process that sees the given boards, with the given environment variables."""
    sessions: list[NvmlSession] = []

    def begin(
        gpus: Sequence[Gpu] = (Gpu(),), environ: dict[str, str] | None = None, **settings: str | int
    ) -> tuple[NvmlRig, NvmlSession]:
        rig = NvmlRig(tmp_path, nvml_library, gpus, **settings)
        sessions.append(NvmlSession(rig.environ(**(environ or {}))))
        return rig, sessions[-1]

    yield begin
    for session in sessions:
        session.close()
