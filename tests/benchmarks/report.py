"""What a report costs: ``bayes report`` of the shipped run, whole processes from a shell, and its parts.

One command, not collected by pytest::

    python tests/benchmarks/report.py [REPEATS]

The fit and the tables of sensitivity are on disk before the clock starts. The aim is under 10 s.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from timing import seconds

BAYES = [sys.executable, "-m", "bayes"]
LIMIT = 10.0


def main() -> int:
    """Print the table; return 1 if the report takes longer than its limit."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        subprocess.run([*BAYES, "run", "--quiet", "--out", str(run)], check=True, capture_output=True)
        subprocess.run([*BAYES, "sensitivity", str(run), "--quiet"], check=True, capture_output=True)
        rows = {
            f"bayes report --format {formats}": seconds(
                [*BAYES, "report", str(run), "--quiet", "--format", formats], repeats
            )
            for formats in ("html,pdf", "html", "pdf", "md,tex")
        }
        sizes = {name: (run / name).stat().st_size / 1e6 for name in ("report.html", "report.pdf")}
    for name, value in rows.items():
        print(f"{name:36}{value:8.2f} s   median of {repeats}")
    for name, size in sizes.items():
        print(f"{name:36}{size:8.2f} MB")
    return 0 if rows["bayes report --format html,pdf"] < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
