"""Run the soak, and write its counts into the README: ``python tests/soak.py``, 30 minutes at the most.

``SOAK_SHARE=0.1`` makes a tenth of everything, and the table says so.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

README = Path(__file__).parents[1] / "README.md"
MARKS = "<!-- counts of: python tests/soak.py -->\n", "<!-- end of counts -->\n"
SECONDS = 1800


def counted(report: Path) -> tuple[Counter[str], Counter[str]]:
    """How many of each thing were made, and how many of its tests failed, by what the tests noted."""
    made, failed = Counter[str](), Counter[str]()
    for case in ElementTree.parse(report).iter("testcase"):
        for note in case.iter("property"):
            made[note.get("name", "")] += int(note.get("value", "0"))
            failed[note.get("name", "")] += case.find("failure") is not None or case.find("error") is not None
    return made, failed


def table(made: Counter[str], failed: Counter[str], seconds: float) -> str:
    """The counts as Markdown."""
    share, machine = os.environ.get("SOAK_SHARE", "1"), f"{platform.system()}, {platform.machine()}"
    told = f"A share of {share} of the whole, " if share != "1" else ""
    rows = [f"| {name} | {made[name]:,} | {failed[name]} |" for name in sorted(made)]
    head = ["| | made | tests failed |", "|---|--:|--:|"]
    ran = f"{told}{seconds / 60:.0f} minutes on {os.cpu_count()} processors ({machine})."
    return "\n".join([*head, *rows, "", f"*{ran[:1].upper()}{ran[1:]}*", ""])


def main() -> int:
    """Run the tests marked ``soak`` and replace the table."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "soak", f"--session-timeout={SECONDS}", "--junitxml", report]
        code = subprocess.run([*command, *sys.argv[1:]], cwd=README.parent).returncode
        suite = next(ElementTree.parse(report).iter("testsuite"))
        counts = table(*counted(report), float(suite.get("time", "0")))
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(f"({MARKS[0]}).*?({MARKS[1]})", lambda found: found[1] + counts + found[2], text,
                             flags=re.DOTALL), encoding="utf-8")  # fmt: skip
    return code


if __name__ == "__main__":
    sys.exit(main())
