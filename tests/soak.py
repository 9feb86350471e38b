"""Run the soak, and write its counts into the README: ``python tests/soak.py``, 30 minutes at the most.

``SOAK_SHARE=0.1`` makes a tenth of everything, and the table says so. Where the whole does not fit, its parts are run
one after another, ``pytest -m soak -n 1 tests/doors --junitxml doors.xml``, and ``python tests/soak.py doors.xml
kills.xml …`` adds them up: of a test that was run again the later report counts, and the time of both.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

README = Path(__file__).parents[1] / "README.md"
MARKS = "<!-- counts of: python tests/soak.py -->\n", "<!-- end of counts -->\n"
SECONDS = 1800


def table(reports: Sequence[Path]) -> str:
    """How many of each thing were made, and how many of its tests failed, by what the tests noted; as Markdown."""
    trees = [ElementTree.parse(report) for report in reports]
    cases = {(case.get("classname"), case.get("name")): case for tree in trees for case in tree.iter("testcase")}
    made, failed = Counter[str](), Counter[str]()
    for case in cases.values():
        for note in case.iter("property"):
            made[note.get("name", "")] += int(note.get("value", "0"))
            failed[note.get("name", "")] += case.find("failure") is not None or case.find("error") is not None
    seconds = sum(float(suite.get("time", "0")) for tree in trees for suite in tree.iter("testsuite"))
    rows = [f"| {name} | {made[name]:,} | {failed[name]} |" for name in sorted(made)]
    share, machine = os.environ.get("SOAK_SHARE", "1"), f"{platform.system()}, {platform.machine()}"
    told = [f"a share of {share} of the whole"] * (share != "1")
    told += [f"the sum of {len(reports)} parts"] * (len(reports) > 1)
    ran = ", ".join([*told, f"{seconds / 60:.0f} minutes on {os.cpu_count()} processors ({machine})"])
    head = ["| | made | tests failed |", "|---|--:|--:|"]
    return "\n".join([*head, *rows, "", f"*{ran[:1].upper()}{ran[1:]}.*", ""])


def main(words: Sequence[str]) -> int:
    """Run the tests marked ``soak``, or take the reports of their parts, and replace the table."""
    with tempfile.TemporaryDirectory() as folder:
        reports, code = [Path(word) for word in words if word.endswith(".xml")], 0
        if not reports:
            reports = [Path(folder) / "report.xml"]
            command = [sys.executable, "-m", "pytest", "-m", "soak", "--dist", "load", f"--session-timeout={SECONDS}",
                       "-o", f"faulthandler_timeout={SECONDS + 60}"]  # fmt: skip
            code = subprocess.run([*command, "--junitxml", reports[0], *words], cwd=README.parent).returncode
        counts = table(reports)
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(f"({MARKS[0]}).*?({MARKS[1]})", lambda found: found[1] + counts + found[2], text,
                             flags=re.DOTALL), encoding="utf-8")  # fmt: skip
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
