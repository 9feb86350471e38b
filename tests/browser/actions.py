"""What tests do on a page, and what they read off it."""

from __future__ import annotations

import json
import time


def slide(page, selector, position):
    """Move a slider as a pointer does."""
    page.locator(selector).evaluate(
        "(s, at) => { s.value = at; s.dispatchEvent(new Event('input', { bubbles: true })); }", position
    )


def text(page, selector):
    """The text a reader sees."""
    return page.locator(selector).inner_text()


def state(page):
    """What has been changed."""
    return json.loads(page.evaluate("JSON.stringify(whatIf.panel.state)"))


def until(page, script, seconds=10.0):
    """Wait for something to hold. The page's policy forbids the evaluation that Playwright would wait by."""
    end = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < end, f"never: {script}"
        time.sleep(0.02)


def ask_too_much(page):
    """Ask for an effect that the fitted draws do not hold: weights fail."""
    page.fill("#wi-location-mu_theta-n", "2")
    slide(page, "#wi-width-mu_theta", -60)
