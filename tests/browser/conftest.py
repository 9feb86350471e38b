"""A real browser, and the page with the what-if in it."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.browser.chromium import NoBrowser, find_or_install

VIEWPORT = {"width": 1280, "height": 900}
PUT_BACK = """() => new Promise((done) => {
  const whole = () => document.body.outerHTML;
  document.querySelector(".wi-reset").click();
  Object.values(whatIf.panel.later).forEach(clearTimeout);
  history.replaceState(null, "", location.pathname);
  document.querySelectorAll("details").forEach((details) => { details.open = false; });
  document.querySelector(".wi-voice").textContent = "";
  document.activeElement.blur();
  scrollTo(0, 0);
  requestAnimationFrame(() => requestAnimationFrame(() => done(whole() === (window.asOpened ??= whole()))));
})"""
"""Undo what a reader did to a page; whether every element is then as it was the first time."""


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for all tests of a worker."""
    from playwright.sync_api import Error, sync_playwright

    asyncio._set_running_loop(None)  # another library's loop that waits in this thread is none that runs
    with sync_playwright() as play:
        try:
            path = find_or_install(play.chromium.executable_path)
        except NoBrowser as error:
            pytest.fail(str(error), pytrace=False)
        unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = play.chromium.launch(executable_path=path, args=unboxed)
        yield found
        with suppress(Error):  # it may have ended before the tests of other rooms did
            found.close()


@pytest.fixture(scope="session")
def verdict(shipped_fit, shipped_futures):
    import bayes

    return bayes.check(shipped_fit, shipped_futures)


@pytest.fixture(scope="session")
def live(shipped_fit, shipped_study):
    """What the panel of the shipped study is made from."""
    from bayes.heroin.live import live_of

    return live_of(shipped_fit, shipped_study)


@pytest.fixture(scope="session")
def what_if(live, shipped_fit, shipped_futures, verdict):
    """The panel of the shipped study."""
    from bayes.report.whatif import panel

    return panel(live, shipped_fit, shipped_futures, verdict)


@pytest.fixture(scope="session")
def address(what_if, tmp_path_factory):
    """Where the panel stands alone on a page."""
    from tests.standalone import standalone

    path = tmp_path_factory.mktemp("page") / "what-if.html"
    path.write_text(standalone(what_if), encoding="utf-8")
    return path.as_uri()


def _opened(browser, faults, address, ready="window.whatIf", **options):
    """A page in a context of its own; what it writes to the console, its errors and its requests are faults."""
    page = browser.new_context(**{"viewport": VIEWPORT, **options}).new_page()
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: _note_request(request, faults))
    page.goto(address)
    page.wait_for_function(ready)
    return page


@pytest.fixture
def open_page(browser):
    """Open an address; faults of the page are those of the test."""
    contexts, faults = [], []

    def opened(address, **options):
        page = _opened(browser, faults, address, **options)
        contexts.append(page.context)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def _note_request(request, faults):
    if not request.url.startswith(("file:", "data:", "blob:")):
        faults.append(f"request: {request.url}")


@pytest.fixture(scope="session")
def as_it_opens(browser):
    """The page of an address as it opens: opened once, then put back, or loaded again where that does not succeed."""
    from playwright.sync_api import Error

    pages, faults = {}, []

    def found(address):
        if address not in pages:
            pages[address] = _opened(browser, faults, address)
            pages[address].evaluate(PUT_BACK)
        page = pages[address]
        page.set_viewport_size(VIEWPORT)
        page.emulate_media(media="null", color_scheme="light", reduced_motion="no-preference")
        if not page.evaluate(PUT_BACK):
            page.reload()
            page.wait_for_function("window.whatIf")
            page.evaluate(PUT_BACK)
        return page, faults

    yield found
    for page in pages.values():
        with suppress(Error, RuntimeError):  # as above
            page.context.close()


@pytest.fixture
def page(as_it_opens, address):
    """The panel as it opens."""
    found, faults = as_it_opens(address)
    yield found
    assert not faults


@pytest.fixture(scope="module")
def numbers(browser, address):
    """One page for comparisons of numbers, which change nothing on it."""
    found = browser.new_page()
    found.goto(address)
    found.wait_for_function("window.whatIf")
    yield found
    found.close()


@pytest.fixture(scope="session")
def hostile(live, shipped_fit, shipped_futures, verdict):
    """The panel of a question whose texts try to become markup."""
    from bayes.report.whatif import panel

    text = "</script><script>window.hacked=1</script><img src=x onerror=alert(1)>"
    labels = {name: f"{live.words.label(name)} {text}" for name in (*live.outcomes.scenarios, *live.outcomes.names,
              *live.outcomes.data, *live.priors)}  # fmt: skip
    priors = {n: replace(p, meaning=f"{p.meaning} {text}", unit=text) for n, p in live.priors.items()}
    words = replace(live.words, labels=labels, units={"offences_avoided": text})
    return panel(
        replace(live, words=words, priors=priors, study=None, data=True), shipped_fit, shipped_futures, verdict
    )
