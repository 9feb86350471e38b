"""What each command costs, in seconds and in fits, in one run on one machine.

One command, not collected by pytest::

    python tests/benchmarks/commands.py [REPEATS]

Medians of whole processes from a shell, with warm caches. A fit is ``bayes fit --refit``: import, model, sampling,
checks, file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from timing import seconds

BAYES = [sys.executable, "-m", "bayes"]


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as scratch:
        run = str(Path(scratch) / "run")
        subprocess.run([*BAYES, "run", "--quiet", "--out", run], check=True, capture_output=True)
        subprocess.run([*BAYES, "sensitivity", run, "--quiet"], check=True, capture_output=True)
        fit = seconds([*BAYES, "fit", "--refit", "--quiet", "--out", str(Path(scratch) / "fit")], repeats)
        rows = {
            "bayes fit --refit": fit,
            "bayes run --refit": seconds([*BAYES, "run", "--refit", "--quiet", "--out", run + "2"], repeats),
            "bayes run, fit on disk": seconds([*BAYES, "run", "--quiet", "--out", run + "3"], repeats),
            "bayes sensitivity, all": seconds([*BAYES, "sensitivity", run, "--quiet"], repeats),
            "bayes figures, all, pdf": seconds([*BAYES, "figures", run, "--quiet", "--format", "pdf"], repeats),
            "bayes --help": seconds([*BAYES, "--help"], repeats),
            "bayes priors list": seconds([*BAYES, "priors", "list"], repeats),
            "import bayes": seconds([sys.executable, "-c", "import bayes"], repeats),
            "python itself": seconds([sys.executable, "-c", "pass"], repeats),
        }
    print(f"{'command':28}{'seconds':>10}{'fits':>8}   medians of {repeats}")
    for name, value in rows.items():
        print(f"{name:28}{value:10.2f}{value / fit:8.2f}")


if __name__ == "__main__":
    main()
