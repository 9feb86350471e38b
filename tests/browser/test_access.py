"""The panel for everybody: keyboard, screen reader, narrow screens, dark mode, print, contrast."""

from __future__ import annotations

import pytest

from tests.browser.actions import AA, CONTRAST, PANEL, ask_too_much, shown_as, slide, state, text, until


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_contrast_of_every_text(page, scheme, width):
    """As it opens, changed, and greyed out with a notice."""
    shown_as(page, width=width, color_scheme=scheme)
    page.locator("details").evaluate("d => { d.open = true; }")
    found = page.evaluate(CONTRAST, PANEL)
    ask_too_much(page)
    page.fill("#wi-discount_rate-n", "-4")
    assert page.locator(".wi-reason").is_visible()
    found += page.evaluate(CONTRAST, PANEL)
    assert len(found) > 200
    worst = min(found)
    assert worst[0] >= AA, worst


def test_dark_mode_is_dark(page):
    backs = []
    for scheme in ("light", "dark"):
        shown_as(page, width=1280, color_scheme=scheme)
        backs.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backs[0] == "rgb(255, 255, 255)"
    assert max(map(int, backs[1].removeprefix("rgb(").removesuffix(")").split(","))) < 60


@pytest.mark.parametrize("width", [360, 320, 768])
def test_no_sideways_scrolling(page, width):
    shown_as(page, width=width, height=740)
    page.locator("details").evaluate("d => { d.open = true; }")
    page.select_option("#wi-scenario", "everyone")
    ask_too_much(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = page.locator("#what-if *").evaluate_all(
        "(nodes, width) => nodes.filter(n => n.getClientRects().length && !n.closest('.wi-voice, svg')"
        " && n.getBoundingClientRect().right > width + 0.5).map(n => n.className)",
        width,
    )
    assert beyond == []


def test_the_answer_stays_in_view_on_a_narrow_screen(open_page, address):
    page = open_page(address, viewport={"width": 360, "height": 740})
    page.locator("#wi-location-mu_coverage").scroll_into_view_if_needed()
    slide(page, "#wi-location-mu_coverage", -30)
    bar = page.locator(".wi-bar")
    assert bar.is_visible()
    assert bar.bounding_box()["y"] >= 0
    assert text(page, ".wi-bar").startswith(
        f"Offences avoided, year 10: {page.locator('.wi-number').first.text_content()} "
    )


def test_everything_is_reached_and_worked_by_keyboard(page):
    page.locator("#what-if-title").click()
    seen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.id || document.activeElement.className || "
                             "document.activeElement.tagName")  # fmt: skip
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if name == "BODY":
            break
        assert outline != "none", name
        seen.append(name)
        if name == "wi-places":
            before = state(page)
            page.keyboard.press("ArrowRight")
            assert state(page)["data"]["places"] > 10000
            assert before["data"] == {}
        if name == "wi-demand_cap":
            page.keyboard.press("Space")
            assert state(page)["data"]["demand_cap"] == 0
        if name == "SUMMARY":
            page.keyboard.press("Enter")
    wanted = page.locator(".what-if :is(input, select, button):not([hidden])").evaluate_all(
        "nodes => nodes.map(n => n.id || n.className)"
    )
    assert set(wanted) <= set(seen)
    page.locator(".wi-reset").focus()
    page.keyboard.press("Enter")
    assert state(page)["data"] == {}


def test_every_control_has_a_name(page):
    unnamed = page.locator(".what-if :is(input, select)").evaluate_all(
        "nodes => nodes.filter(n => !n.labels.length && !n.getAttribute('aria-label')).map(n => n.id)"
    )
    assert unnamed == []
    assert page.locator("#what-if [id]").evaluate_all("n => n.length === new Set(n.map(x => x.id)).size")


def test_the_answer_is_announced_once_it_rests(page):
    voice = page.locator(".wi-voice")
    assert voice.get_attribute("aria-live") == "polite"
    assert voice.text_content() == ""
    during = page.locator("#wi-places").evaluate(
        """slider => [5, 10, 15, 20].map(at => { slider.value = at; slider.dispatchEvent(new Event('input'));
           return document.querySelector('.wi-voice').textContent; })"""
    )
    assert during == ["", "", "", ""]
    until(page, "document.querySelector('.wi-voice').textContent.includes('offences avoided, year 10')")
    assert voice.text_content() == page.locator(".wi-sentence").text_content()


def test_the_picture_has_words(page):
    slide(page, "#wi-places", 60)
    words = page.locator(".wi-picture desc").text_content()
    for side in ("shown", "base"):
        assert page.locator(f'[data-row="0"] .wi-{side} .wi-range').inner_text() in words
    assert page.locator(".wi-picture").get_attribute("role") == "img"
    assert page.locator(".wi-picture g.wi-shown circle:not(.wi-median)").count() == 50


def test_print_shows_the_state_in_a_sentence_and_no_controls(page):
    page.fill("#wi-places-n", "20000")
    slide(page, "#wi-location-mu_theta", 10)
    assert page.locator(".wi-sentence").is_hidden()
    page.emulate_media(media="print")
    assert page.locator(".wi-controls").is_hidden()
    assert page.locator(".wi-buttons").is_hidden()
    said = text(page, ".wi-sentence")
    assert "places 20,000 (not 10,000)" in said
    assert "the prior of “Mean effect of prescribed heroin” Normal(mu 0.21, sigma 0.699)" in said
    shown = page.locator('[data-row="0"] .wi-shown')
    assert f"offences avoided, year 10: {shown.locator('.wi-number').inner_text()} offences" in said
    assert shown.locator(".wi-range").inner_text() in said
    assert page.pdf()[:5] == b"%PDF-"


def test_it_says_what_to_do_without_scripts(browser, address):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(address)
    assert "need JavaScript" in plain.locator("#what-if").inner_text()
    context.close()
