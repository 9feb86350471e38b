"""What tests do on a page, and what they read off it."""

from __future__ import annotations

import json
import time

from axe_playwright_python.sync_playwright import Axe

CONTRAST = """selector => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const seen = new Map(), grounds = new Map([[null, [255, 255, 255]]]);
  const rgba = colour => { if (!seen.has(colour)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
      const d = canvas.getImageData(0, 0, 1, 1).data; seen.set(colour, [d[0], d[1], d[2], d[3] / 255]); }
    return seen.get(colour); };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const behind = node => { if (!grounds.has(node))
      grounds.set(node, over(rgba(getComputedStyle(node).backgroundColor), behind(node.parentElement)));
    return grounds.get(node); };
  const light = rgb => { const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const node of document.querySelectorAll(selector)) {
    const own = [...node.childNodes].some(c => c.nodeType === 3 && c.textContent.trim());
    const field = node.matches('input[type=number], select');
    if (!(own || field) || !node.getClientRects().length) continue;
    if (node.closest('noscript, .wi-voice, desc, title, style, script')) continue;
    const style = getComputedStyle(node);
    const colour = node instanceof SVGElement ? style.fill : style.color;
    const back = behind(node instanceof SVGElement ? node.closest('svg') : node);
    const [a, b] = [light(over(rgba(colour), back)), light(back)].sort((x, y) => y - x);
    const name = `${node.tagName}.${node.getAttribute('class')}: ${node.textContent.slice(0, 40)}`;
    found.push([(a + 0.05) / (b + 0.05), name]);
  }
  return found; }"""
"""Contrast of every text that shows, of what a selector finds, with what is behind it, as WCAG 2.2 defines it."""

PANEL, PAGE = "#what-if *", "body *"

BRIEF = """() => {
  document.querySelectorAll('details').forEach(details => { details.open = true; });
  document.querySelectorAll('svg > :not(title, desc)').forEach(mark => mark.remove());
  document.querySelectorAll('tbody tr:nth-child(n+3)').forEach(row => row.remove()); }"""
"""Leave of pictures their words and of each table two rows: what is left out is more of the same."""

AA, AAA = 4.5, 7  # WCAG 2.2, success criteria 1.4.3 and 1.4.6, text of any size


TAGS = ["best-practice", *(f"wcag{version}{level}" for version in ("2", "21", "22") for level in ("a", "aa", "aaa"))]
OURS = {f"color-contrast{level}": {"enabled": False} for level in ("", "-enhanced")}
"""What axe-core checks, and what it leaves to :data:`CONTRAST`, which is as strict and takes a tenth of its time."""


def slide(page, selector, position):
    """Move a slider as a pointer does."""
    page.locator(selector).evaluate(
        "(s, at) => { s.value = at; s.dispatchEvent(new Event('input', { bubbles: true })); }", position
    )


def shown_as(page, *, width, height=800, **media):
    """Show a page in a window of another size and in other colours, and wait until it is painted anew."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce", **media)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))")


def text(page, selector):
    """The text a reader sees."""
    return page.locator(selector).inner_text()


def state(page):
    """What has been changed."""
    return json.loads(page.evaluate("JSON.stringify(whatIf.panel.state)"))


def until(page, script, seconds=30.0):
    """Wait for something to hold. The page's policy forbids the evaluation that Playwright would wait by."""
    end = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < end, f"never: {script}"
        time.sleep(0.02)


def ask_too_much(page):
    """Ask for an effect that the fitted draws do not hold: weights fail."""
    page.fill("#wi-location-mu_theta-n", "2")
    slide(page, "#wi-width-mu_theta", -60)


def violations(page):
    """What axe-core finds against WCAG 2.2, A to AAA, and its own best practice, but for contrast: place and help."""
    page.evaluate(BRIEF)
    found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": TAGS, "rules": OURS}).response
    return [(one["help"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]
