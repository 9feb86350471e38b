"""Reports in Word: text stays text, headings, tables and links are Word's own."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from docx import Document
from docx.oxml.ns import qn

from bayes.report.word import render_word
from tests.report.conftest import EVIL, small_report


@pytest.fixture(scope="module")
def evil():
    """The document of a report whose labels would be markup elsewhere."""
    return Document(io.BytesIO(render_word(small_report(EVIL))))


def texts(document) -> str:
    return "\n".join(node.text or "" for node in document.element.body.iter(qn("w:t")))


def test_a_label_is_text_in_word(evil):
    assert texts(evil).count(EVIL) >= 8


def test_what_xml_cannot_hold_is_replaced():
    found = texts(Document(io.BytesIO(render_word(small_report("a\x07b\ufffe")))))
    assert "a\ufffdb\ufffd" in found


def test_headings_tables_and_captions_are_words_own(evil):
    styles = [p.style.name for p in evil.paragraphs]
    assert styles[0] == "Title"
    assert {"Heading 1", "Heading 2", "Caption", "List Bullet"} <= set(styles)
    (table,) = evil.tables
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
    fields = [f.get(qn("w:instr")) for f in evil.element.body.iter(qn("w:fldSimple"))]
    assert fields == ["SEQ Table \\* ARABIC", "SEQ Figure \\* ARABIC"]


@pytest.mark.parametrize(("depth", "text"), [(1, "5 (1 to 9)"), (2, "5\n1 to 9")])
def test_an_interval_stays_apart_from_its_number(depth, text):
    report = small_report()
    report = replace(report, sections=(replace(report.sections[0], depth=depth),))
    (table,) = Document(io.BytesIO(render_word(report))).tables
    assert table.rows[3].cells[1].text == text


def test_links_lead_somewhere(evil):
    body = evil.element.body
    marks = {mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))}
    links = list(body.iter(qn("w:hyperlink")))
    inner = {link.get(qn("w:anchor")) for link in links} - {None}
    outer = {evil.part.rels[link.get(qn("r:id"))].target_ref for link in links if link.get(qn("r:id"))}
    assert inner
    assert inner <= marks
    assert outer == {"https://example.org/a?b=1&c=2", "https://example.org/x_y#z"}


def test_a_picture_has_its_caption_as_text_alternative(evil):
    (picture,) = evil.inline_shapes
    assert picture._inline.docPr.get("descr") == f"First sentence of {EVIL}. Second."
    assert round(picture.width.mm) == 89


def test_a_forced_report_says_so_on_every_page():
    (section,) = Document(io.BytesIO(render_word(small_report(passed=False, forced=True)))).sections
    assert "DIAGNOSTICS FAILED" in section.header.paragraphs[0].text


def test_equal_reports_are_equal_files():
    assert render_word(small_report()) == render_word(small_report())
