"""Every writer on a report made by hand: text stays text, links stay links, numbers stay numbers."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pypandoc
import pytest
from pypdf import PdfReader

import bayes
from bayes import figures
from bayes.errors import UsageError
from bayes.heroin.quantities import NAMES
from bayes.heroin.words import WORDS, named
from bayes.numbers import per_cent
from bayes.report.chapters.answer import _unmet
from bayes.report.chapters.checklist import judged
from bayes.report.chapters.evidence import _owed
from bayes.report.contract import Bullets, Cell, Column, Prose, Section, Table, TableBlock
from bayes.report.glossary import forms
from bayes.report.html import content_policy, render_html
from bayes.report.latex import escape_latex, render_latex
from bayes.report.markdown import render_markdown
from bayes.report.pdf import render_pdf
from bayes.report.pictures import prefixed, without_styles
from bayes.report.prose import index_of, plain, runs, safe_address
from tests.report.conftest import EVIL, small_report


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.texts.append(data)


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_a_label_is_text_in_html():
    page = Page(render_html(small_report(EVIL)))
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert [a.get("type") for a in scripts] == [None, "application/json"]  # the page's own, and the claims
    assert "".join(page.texts).count(EVIL) >= 8
    handlers = [k for _, attributes in page.tags for k in attributes if k.startswith("on") or k == "style"]
    assert handlers == []


def test_only_web_addresses_become_links():
    page = Page(render_html(small_report(EVIL)))
    found = {a["href"] for tag, a in page.tags if tag == "a" and a.get("href")}
    assert {h for h in found if not h.startswith("#")} == {"https://example.org/a?b=1&c=2", "https://example.org/x_y#z"}
    assert safe_address('https://example.org/"onload=') == ""


def test_the_policy_admits_this_style_and_nothing_from_elsewhere():
    text = render_html(small_report())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert style is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in policy.group(1).replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{digest}'"
    (tools,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    own = base64.b64encode(hashlib.sha256(tools.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{own}'"
    assert "unsafe" not in policy.group(1)
    assert "sha256-" in content_policy("", "1").split("script-src")[1]


def test_the_first_use_of_a_word_leads_to_the_glossary():
    """Once, in text and not in claims; with its meaning; and only where there is a glossary."""
    report = small_report("priors of a label")
    terms = forms({"prior|priors": "Before.", "label|labels": "Words <b>."})
    told = Table("glossary", "Words", (Column("Word"), Column("Meaning")), ((Cell("Prior"), Cell("Before.")),))
    block = Prose("Of two **priors** {label} has one prior, and a label.")
    section = Section("words", "Words", 1, (block, Prose("A prior and labels."), TableBlock("glossary")))
    whole = replace(report, sections=(section,), tables={**report.tables, "glossary": told}, terms=terms)
    found = runs(block.text, whole, index_of(whole))
    linked = [(run.text, run.target, run.title) for run in found if run.kind == "term"]
    assert linked == [("priors", "#t-glossary", "Before."), ("label", "#t-glossary", "Words <b>.")]
    assert "".join(run.text for run in found) == "Of two priors priors of a label has one prior, and a label."
    assert not any(run.kind == "term" for run in runs("A prior and labels.", whole, index_of(whole)))
    assert index_of(replace(report, terms=terms)).terms == {}
    page = Page(render_html(whole))
    assert [a["data-tip"] for tag, a in page.tags if a.get("class") == "term"] == ["Before.", "Words <b>."]
    assert bare("Of two priors priors of a label") in bare(pdf_text(render_pdf(whole)))


def test_a_label_is_text_in_pdf():
    data = render_pdf(small_report(EVIL))
    text = bare(pdf_text(data))
    assert text.count(bare(EVIL)) >= 8
    assert b"/JavaScript" not in data


def test_equal_reports_are_equal_files():
    assert render_pdf(small_report()) == render_pdf(small_report())
    assert render_html(small_report()) == render_html(small_report())


def test_pdf_links_are_live():
    reader = PdfReader(io.BytesIO(render_pdf(small_report())))
    marks = [a.get_object() for page in reader.pages for a in page.get("/Annots", [])]
    outside = {m["/A"]["/URI"] for m in marks if "/A" in m and "/URI" in m["/A"]}
    assert outside == {"https://example.org/a?b=1&c=2", "https://example.org/x_y#z"}
    assert sum("/Dest" in m or m.get("/A", {}).get("/S") == "/GoTo" for m in marks) >= 4


def test_a_forced_report_says_so_on_every_page():
    many = tuple(Prose("word " * 900) for _ in range(4))
    report = small_report(passed=False, forced=True)
    report = replace(report, sections=(*report.sections, Section("more", "More", 2, many)))
    pages = PdfReader(io.BytesIO(render_pdf(report))).pages
    assert len(pages) > 2
    assert all("DIAGNOSTICS FAILED" in page.extract_text() for page in pages)
    assert 'class="failed" role="alert"' in render_html(report)
    for text in (render_markdown(report), render_latex(report)):
        assert "DIAGNOSTICS FAILED" in text


def test_latex_is_structured_and_escaped():
    text = render_latex(small_report(EVIL))
    body = text.split(r"\begin{document}")[1]
    assert r"\input" not in body
    assert r"\textless{}script\textgreater{}" in body
    for pair in ("document", "table", "tabular"):
        assert text.count(rf"\begin{{{pair}}}") == text.count(rf"\end{{{pair}}}") > 0
    assert all(text.count(rule) == 1 for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    assert r"\num{12000}" in body  # 12,345 with an error of 900
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if mark == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert text.isascii() or max(map(ord, text)) < 0x180


@pytest.mark.parametrize("character", [chr(c) for c in range(33, 127)])
def test_every_printable_character_survives_latex(character):
    """What LaTeX would read as a command is never left bare."""
    written = escape_latex(character)
    assert written == character or (written.startswith("\\") and character in '\\{}$&#%_^~<>|"`') or (
        written == f"{{{character}}}" and character in "[]*")  # fmt: skip


def test_markdown_tables_have_equal_columns():
    text = render_markdown(small_report(EVIL))
    assert "<script>" not in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 5
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
    assert "12k" in text


def test_a_claim_that_does_not_exist_is_an_error():
    report = small_report()
    wrong = replace(report, sections=(Section("start", "Start", 1, (Prose("{m}"),)),))
    with pytest.raises(UsageError, match="claim"):
        render_html(wrong)
    with pytest.raises(UsageError, match="refers"):
        runs("{@nowhere}", report, index_of(report))


def test_references_count_as_they_appear():
    report = small_report()
    index = index_of(report)
    assert plain("{@start}, {@things}, {@picture}", report, index) == "Section S1, table 1, figure 1"
    assert plain("See {@gone}. {@things}", report, index) == "See a figure that section S1 lacks. Table 1"


def test_claims_carry_unit_and_source():
    page = Page(render_html(small_report()))
    spans = [a for tag, a in page.tags if tag == "span" and a.get("data-claim") == "n"]
    assert spans
    assert all(a["data-tip"] == "offences; a.csv" for a in spans)


def test_headings_are_in_order_and_landmarks_exist():
    page = Page(render_html(small_report()))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    tags = [tag for tag, _ in page.tags]
    assert {"header", "nav", "main", "footer"} <= set(tags)
    assert ("a", {"class": "skip", "href": "#main"}) in page.tags
    assert all(a.get("scope") in ("col", "row") for tag, a in page.tags if tag == "th")
    assert tags.count("caption") == tags.count("table") == 1
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    anchors = {a["href"][1:] for tag, a in page.tags if tag == "a" and (a.get("href") or "").startswith("#")}
    assert anchors <= set(ids)


def test_figures_have_text_alternatives():
    text = render_html(small_report("a < b"))
    assert '<title id="f-picture-title">First sentence of a &lt; b</title>' in text
    assert '<desc id="f-picture-desc">Second.</desc>' in text
    assert 'role="img" aria-labelledby="f-picture-title f-picture-desc"' in text


def test_svg_for_a_strict_policy():
    svg = '<g id="a" style="fill: #fff; stroke: none"><use xlink:href="#b" style="opacity: 0.5"/></g>'
    assert without_styles(svg) == '<g id="a" fill="#fff" stroke="none"><use xlink:href="#b" opacity="0.5"/></g>'
    assert prefixed(without_styles(svg), "x").count("x-") == 2


# --- words chosen by numbers, and one name and one number of digits everywhere ---------------------


def test_what_limits_a_programme_is_said_with_its_probability():
    """The sentence says the probability and leaves the judgement to the reader: it is true whichever is likelier."""
    text = WORDS.sentences["projection.after"]
    assert "is the limit with probability {outcome.demand_binds.chance}" in text
    assert "rises at first, because patients treated already are subtracted" in text
    assert "so that" not in text


def test_every_variable_has_a_name_of_its_own(shipped_study):
    assert len(set(NAMES.values())) == len(NAMES)
    assert named("mu_theta: sceptical").endswith("heroin: sceptical")
    assert {named(name) for name in shipped_study.priors} & {"mu theta", "tau gamma", "mu coverage"} == set()


@pytest.mark.parametrize("share", [0.3712, 0.4037, 0.1951, 0.0049, -0.004])
def test_text_and_figure_give_a_share_of_variance_the_same_digits(share):
    row = {"input": "a", "measure": "shapley", "estimate": share, "lower": share - 0.03, "upper": share + 0.03,
           "prob": 0.95, "kind": "confidence", "se": 0.02}  # fmt: skip
    drawn = [text.get_text() for text in figures.shapley(pd.DataFrame([row])).axes[0].texts]
    assert per_cent(share).replace("\u202f", "") in drawn


def test_the_tornado_says_that_its_bars_are_declared_alternatives():
    rows = pd.DataFrame({"change": ["a: sceptical", "a: optimistic"], "group": ["sceptical", "optimistic"],
                         "quantity": "y", "unit": "offences", "d_median": [1.0, -2.0]})  # fmt: skip
    caption = figures.tornado(figures.tornado.table(rows)).caption
    assert "an input takes its sceptical or its optimistic alternative, as declared" in caption
    assert "may raise or lower the answer" in caption
    assert "lower or upper end" not in caption
    plain_ends = pd.DataFrame({"input": ["a"], "lower_change": [-1.0], "upper_change": [2.0], "unit": ["offences"]})
    assert "moves to its lower or upper end" in figures.tornado(plain_ends).caption


def test_a_tornado_with_a_bar_alone_says_why():
    rows = pd.DataFrame({"change": ["a: sceptical", "a: optimistic", "b: optimistic"],
                         "group": ["sceptical", "optimistic", "optimistic"], "quantity": "y", "unit": "offences",
                         "d_median": [1.0, -2.0, 3.0]})  # fmt: skip
    alone = "a bar alone: no other is declared"
    assert alone in figures.tornado(figures.tornado.table(rows)).caption
    assert alone not in figures.tornado(figures.tornado.table(rows.head(2))).caption


@pytest.mark.parametrize(
    ("judged", "press", "said"),
    [
        ("30 %", "40 %", "owes {weak.judgements.share} of its precision to the {weak.judgements.rows} rows"),
        ("–", "40 %", "owes {weak.press_figures.share} of its precision to the {weak.press_figures.rows} rows"),
        ("–", "–", "owes to the {weak.judgements.rows} rows whose value or standard error is our judgement and to the"),
    ],
)
def test_a_share_that_cannot_be_told_is_not_a_dash_in_a_sentence(judged, press, said):
    shares = {"weak.judgements.share": judged, "weak.press_figures.share": press}
    claims = []
    kinds = {"judgements": (judged, 3), "press figures": (press, 2), "unverified": ("0 %", 0)}
    text = _owed(kinds, "mean effect", WORDS.labels, claims)
    words = {claim.name: claim.text for claim in claims}
    text = re.sub(r"\{(weak\.\w+\.words)\}", lambda found: words[found[1]], text)
    assert said in text
    assert "None of the rows that nobody has verified enters." in text
    assert all((f"{{{key}}}" in text) == (value != "–") for key, value in shares.items() if key.endswith("share"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("worst 1.0042 (tau_theta), required < 1.01", "(spread of the effect between settings)"),
        ("worst 1.02 (tau_theta[Geneva, 2]), required < 1.01", "(spread of the effect between settings[Geneva, 2])"),
        (
            "worst of 60: 2.2 from exact (sd of tau_theta: PEPSA)",
            "(sd of spread of the effect between settings: P",
        ),
        ("worst 1.02 (mystery), required < 1.01", "worst 1.02 (mystery), required < 1.01"),
        ("infinite or undefined: tau_theta (12 draws)", "tau_theta (12 draws)"),
    ],
)
def test_a_check_names_its_worst_quantity_in_words(text, said):
    assert said in WORDS.worded(text)


@pytest.mark.parametrize("label", ["[U+5317] a", "*a", "北京 Привет", "a--b ,, '' ?` ``"])
def test_no_label_is_read_as_an_option_or_a_ligature(label):
    """After the end of a row LaTeX reads [ and * as options of it, across line ends and rules."""
    body = render_latex(small_report(label)).split(r"\begin{document}")[1]
    assert not re.search(r"\\\\\s*(\\\w+rule\s*)*[\[*]", body)
    assert not re.search(r"--|,,|''|\?`|``", body)


def test_other_scripts_keep_their_characters_and_bring_their_command():
    text = render_latex(small_report("北京 Привет"))
    assert r"\otherscript{5317}{北京}{U+5317 U+4EAC}" in text
    assert text.index(r"\providecommand{\otherscript}") < text.index(r"\begin{document}")
    assert "providecommand" not in render_latex(small_report("Zürich"))


@pytest.mark.parametrize("rows", [5, 200])
def test_a_table_of_many_rows_breaks_over_pages(rows):
    report = small_report()
    table = replace(report.tables["things"], rows=report.tables["things"].rows[:1] * rows)
    text = render_latex(replace(report, tables={"things": table}))
    assert (r"\begin{longtable}" in text) == (rows > 100)
    assert (r"\begin{table}" in text) != (rows > 100)
    for name in ("longtable", "table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")


def test_markdown_survives_pandoc():
    """A number and its interval stay apart in Word, and every label is the text it was."""
    report = small_report(EVIL)
    long = replace(report.tables["things"], caption="Things")
    text = render_markdown(replace(report, tables={"things": long}))
    tree = json.loads(pypandoc.convert_text(text, "json", format="markdown-smart"))
    (table,) = [block["c"] for block in tree["blocks"] if block["t"] == "Table"]
    rows = [["".join(_words(cell)) for cell in row[1]] for row in table[4][0][3]]
    assert rows[2][1] == "5 (1 to 9)"
    assert bare(rows[0][0]) == bare(EVIL)
    shares = [spec[1].get("c", 0) for spec in table[2]]
    assert shares[0] > shares[1]  # the wider text has the wider column


def _words(node):
    """Every text of a tree of pandoc."""
    if isinstance(node, dict):
        if node.get("t") in ("Str", "Space", "SoftBreak"):
            yield node.get("c", " ")
        elif node.get("t") == "Link":
            yield from _words(node["c"][1])
        else:
            yield from _words(node.get("c", []))
    elif isinstance(node, list):
        for part in node:
            yield from _words(part)


def test_a_failed_check_is_named_in_markdown_and_latex():
    report = small_report("too high", passed=False)
    assert "R-hat: too high" in render_markdown(report)
    assert "R-hat: too high" in render_latex(report)


@pytest.mark.parametrize("passed", [True, False])
def test_pdf_is_for_screen_readers_and_names_its_author(passed):
    data = render_pdf(replace(small_report(passed=passed, forced=not passed), author="A. Writer"))
    reader = PdfReader(io.BytesIO(data))
    assert b"<pdfuaid:part>1</pdfuaid:part>" in data
    assert (reader.metadata.title, reader.metadata.author) == ("Title", "A. Writer")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_a_table_that_goes_on_has_an_edge_on_the_page_and_none_on_paper():
    style = (Path(bayes.__file__).parent / "report" / "templates" / "report.css").read_text(encoding="utf-8")
    box = style.partition(".box {")[2].partition("}")[0]
    assert (box.count("local no-repeat"), box.count("scroll no-repeat")) == (2, 2)
    assert "@media print { .box { background: none; } }" in style


def test_every_open_item_of_a_checklist_is_a_line_of_a_list():
    items, claims = judged(()), []
    blocks = _unmet(items, claims).blocks
    told = {claim.name: claim.text for claim in claims}
    lines = [told[item.strip("{}")] for b in blocks if isinstance(b, Bullets) for item in b.items]
    assert lines == [f"{i.text} ({i.guideline} {i.label})"
                     for status in ("not met", "author") for i in items if i.status == status]  # fmt: skip
    assert [b.text for b in blocks[1:] if isinstance(b, Prose)] == ["**Not met:**", "**The author must write:**"]


def test_a_pdf_has_the_date_of_its_run_and_a_table_never_one_row_on_a_page():
    """Pages begin at every height of the table; three rows or more stand on its last page."""
    table = small_report().tables["things"]
    for above in (0, 30, 33):
        rows = tuple((Cell(f"row{i:03}"), Cell(str(i))) for i in range(60 + above))
        report = replace(small_report(), tables={"things": replace(table, rows=rows)}, date=date(2026, 3, 4))
        reader = PdfReader(io.BytesIO(render_pdf(report)))
        assert reader.metadata.creation_date.date() == date(2026, 3, 4)
        held = [count for page in reader.pages if (count := len(re.findall(r"row\d{3}", page.extract_text())))]
        assert sum(held) == len(rows)
        assert held[-1] >= 3


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("−60k to 1.8M", r"\numrange{-60000}{1800000}"),
        ("0.40 to 0.91", r"\numrange{0.40}{0.91}"),
        ("3k† to 1.69M", r"\num{3000}\dag{} to \num{1690000}"),
        ("1,234 to 8.89k", r"\numrange{1234}{8890}"),
        ("2003 to 2005", "2003 to 2005"),  # years
    ],
)
def test_an_interval_is_set_by_siunitx_as_the_numbers_beside_it(text, written):
    table = small_report().tables["things"]
    for row in ((Cell("a"), Cell(text)), (Cell("a"), Cell("5", 5.0, below=text))):
        body = render_latex(replace(small_report(), tables={"things": replace(table, rows=(row,))}))
        assert written in body
    label = replace(table, rows=((Cell(text), Cell("5", 5.0)),))
    assert r"\numrange" not in render_latex(replace(small_report(), tables={"things": label}))
