"""The machine and this process: CPUs, threads, memory, boards, large arrays."""
