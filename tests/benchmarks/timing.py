"""Wall time of whole processes, for the benchmarks beside it."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence


def seconds(command: Sequence[str], repeats: int) -> float:
    """Median wall time of a command."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
