"""What the live what-if costs in a browser: opening it, and an update after each kind of change.

One command, not collected by pytest::

    python -m tests.benchmarks.whatif [REPEATS]

Milliseconds from the input event of a control to the finished page content, median and worst, for the shipped run of
4,000 draws. Layout and painting by the browser come on top.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import bayes
from bayes.heroin.live import live_of
from bayes.report.whatif import panel
from tests.browser.chromium import find_or_install
from tests.standalone import standalone

MOVES = {
    "a prior that evidence bears on": "#wi-location-mu_theta",
    "another, with the first changed": "#wi-width-offences_per_user_year",
    "places": "#wi-places",
    "years to full scale": "#wi-years_to_full",
    "year read": "#wi-year",
    "a prior that no evidence bears on": "#wi-location-fidelity",
    "discount rate": "#wi-discount_rate",
    "threshold": "#wi-threshold",
}
TIMES = """([selector, repeats]) => {
  const slider = document.querySelector(selector), times = [];
  for (let i = 0; i < repeats; i += 1) {
    slider.value = (i % 2 ? -1 : 1) * (3 + i);
    const start = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}"""


def page_of_shipped_study(folder: Path) -> Path:
    """The panel of the shipped study alone on a page."""
    study = bayes.load_study()
    fit = bayes.sample(bayes.build_model(study))
    futures = bayes.project(fit, study)
    path = folder / "what-if.html"
    path.write_text(standalone(panel(live_of(fit, study), fit, futures, bayes.check(fit, futures))), encoding="utf-8")
    return path


def main() -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as play:
        path = page_of_shipped_study(Path(scratch))
        unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = play.chromium.launch(executable_path=find_or_install(play.chromium.executable_path), args=unboxed)
        page = browser.new_page()
        page.goto(path.as_uri())
        opened = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        print(f"{path.stat().st_size / 1e6:.2f} MB; ready to use after {opened:.0f} ms")
        print(f"{'change':36} median  worst, ms")
        for name, selector in MOVES.items():
            times = page.evaluate(TIMES, [selector, repeats])
            print(f"{name:36} {times[len(times) // 2]:6.1f} {times[-1]:6.1f}")
        browser.close()


if __name__ == "__main__":
    main()
