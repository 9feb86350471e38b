"""The report of the shipped run: its numbers are those of the results, in every version."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pypdf import PdfReader

import bayes
from bayes import figures
from bayes.cli import main
from bayes.errors import UsageError
from bayes.figures.gallery import gallery_of
from bayes.filed import records_of
from bayes.heroin import figures as own
from bayes.heroin.question import QUESTION
from bayes.heroin.words import named
from bayes.numbers import compact, rounded
from bayes.report import build as building
from bayes.report import write as writing
from bayes.report.chapters import checklist
from bayes.report.contract import Bullets, Drawing, Prose, TableBlock
from bayes.report.html import render_html
from bayes.report.material import material_of_run
from bayes.report.pictures import Pictures, record_of, table_of
from bayes.report.prose import index_of, plain, templates
from bayes.report.write import report_of_run
from bayes.runfiles import note_made, was_made
from bayes.runs import load_futures
from tests.browser.actions import AAA, CONTRAST, PAGE
from tests.report import beside
from tests.report.conftest import SVG
from tests.report.test_writers import Page, bare

FIGURES = tuple(dict.fromkeys([*(name for name in figures.FIGURES if figures.figure(name).needs), *own.FIGURES]))
"""Figures of any question, and those that the shipped one brings."""
LONG = {"stress": ("stress", "coverage in worlds that the model does not contain"),
        "calibration": ("calibrate", "calibration by simulation")}  # fmt: skip
"""Tables that take minutes: their command, and what a report lacks without them."""


def lacking(*made: str) -> dict[str, str]:
    """What a report of the shipped run lacks, by command: tables not made here, nor on file with the study."""
    return {command: what for name, (command, what) in LONG.items() if name not in {*made, *records_of(QUESTION)}}


CHAPTERS = Path(building.__file__).parent / "chapters"


def digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}  # fmt: skip


@pytest.fixture(scope="module")
def written(finished_run):
    """The report of the finished run, with what was in the folder before."""
    before = digests(finished_run)
    report, files = report_of_run(finished_run, QUESTION, ("html", "pdf", "md", "tex"))
    return report, files, before


@pytest.fixture(scope="module")
def pages(written, finished_run):
    """The text of each page of the PDF."""
    return [page.extract_text() for page in PdfReader(finished_run / "report.pdf").pages]


def test_run_with_report_analyses_and_reports(written):
    """``bayes run --report`` makes every table of sensitivity, then both versions of the report."""
    _, _, before = written
    assert {"report.html", "report.pdf"} <= set(before)
    assert {f"tables/sensitivity/{name}.csv" for name in ("tipping", "variance", "value", "conflict")} <= set(before)


def test_the_run_is_left_alone_and_written_alike(written, finished_run):
    """A second report changes no byte: not of the run, and not of the first report; the record names what is new."""
    _, files, before = written
    after = digests(finished_run)
    same = set(before) - {".written"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    new = set(after) - set(before)
    assert {Path(name).suffix for name in new} == {".md", ".tex"}
    noted = (finished_run / ".written").read_text(encoding="utf-8").splitlines()
    assert len(noted) == len(set(noted))
    assert set(noted) >= new
    (finished_run / "report.md").unlink()
    report_of_run(finished_run, QUESTION, ("md",))
    assert digests(finished_run) == after
    assert {f.name for f in files} >= {"report.html", "report.pdf", "report.md", "report.tex", "scenarios.tex"}


def test_sizes(finished_run, written):
    assert (finished_run / "report.html").stat().st_size < 5_000_000
    assert (finished_run / "report.pdf").stat().st_size < 3_000_000


def test_the_answer_is_that_of_the_headline_table(written, finished_run):
    report, _, _ = written
    table = pd.read_csv(finished_run / "tables" / "headline.csv", dtype={"year": str})
    row = table[(table["scenario"] == "hardcore") & (table["year"] == "10") & (table["quantity"] == "offences_avoided")]
    row = row.iloc[0]
    for key, error in (("median", "mcse_median"), ("lower", "mcse_lower"), ("upper", "mcse_upper")):
        claim = report.claims[f"answer.{key}"]
        assert claim.value == row[key]
        assert claim.text == compact(row[key], row[error]).replace("-", "−")
    assert report.claims["answer.interval"].text.startswith("95\u202f% equal-tailed credible interval ")


def test_natural_frequencies_count_draws(written, finished_run):
    report, _, _ = written
    with xr.open_dataset(finished_run / "futures.nc", engine="netcdf4") as futures:
        draws = futures["offences_avoided"].sel(scenario="hardcore", year=10).values
    assert report.claims["nf.none"].text == str(round(100 * float(np.mean(draws <= 0))))
    more = report.claims["nf.threshold"].value
    assert report.claims["nf.more"].text == str(round(100 * float(np.mean(draws > more))))


def test_exceedance_counts_draws(written, finished_run):
    report, _, _ = written
    table = report.tables["exceed"]
    with xr.open_dataset(finished_run / "futures.nc", engine="netcdf4") as futures:
        draws = futures["offences_avoided"].isel(year=-1)
        limit = report.claims["exceed.1"].value
        shares = [float((draws.sel(scenario=s) > limit).mean()) for s in draws["scenario"].values]
    shown = [row[2].text for row in table.rows]
    assert shown == ["> 0.99" if p > 0.99 else "< 0.01" if p < 0.01 else f"{p:.2f}" for p in shares]


def test_no_number_is_typed_in_text(written):
    report, _, _ = written
    typed = [t for t in templates(report) if re.search(r"\d", re.sub(r"\{[^{}]*\}", "", t))]
    assert typed == []


@pytest.mark.parametrize("path", sorted(CHAPTERS.glob("*.py")), ids=lambda p: p.stem)
def test_no_number_is_typed_in_any_template_of_a_chapter(path):
    """Also in branches that the shipped run does not take: any argument of Prose, Bullets, Banner, Card or table."""
    tree = ast.parse(path.read_text())
    blocks = ("Prose", "Bullets", "Banner", "Card", "Missing", "Section", "lacks")
    for call in ast.walk(tree):
        name = getattr(getattr(call, "func", None), "id", getattr(getattr(call, "func", None), "attr", ""))
        if not isinstance(call, ast.Call) or name not in blocks:
            continue
        for node in ast.walk(call):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = re.sub(r"\{[^{}]*\}?", "", node.value)
                assert not re.search(r"\d", words), f"{path.name}:{node.lineno} {node.value!r}"


def test_every_claim_says_where_it_stands(written):
    report, _, _ = written
    numbers = [
        c for c in report.claims.values() if c.value is not None and not c.name.startswith(("list.", "open.", "nf.of"))
    ]
    assert len(numbers) > 50
    assert [c.name for c in numbers if not c.source] == []


def _sentences(text: str) -> list[str]:
    """Pieces of text around numbers, without white space."""
    return [bare(piece) for piece in re.split(r"(?<=[.;:)])\s", text) if re.search(r"\d", piece)]


def test_html_and_pdf_have_the_same_numbers(written, finished_run, pages):
    report, _, _ = written
    index = index_of(report)
    body = [re.sub(rf"{re.escape(report.title)}\s*\d+\s*/\s*\d+\s*$", "", page.strip()) for page in pages]
    printed = bare("".join(body)).replace("\u202f", "")
    page = bare("".join(Page((finished_run / "report.html").read_text("utf-8")).texts)).replace("\u202f", "")
    prose = [plain(t, report, index) for t in templates(report)]
    cells = [c.text for t in report.tables.values() for row in t.rows for c in row if c.value is not None]
    missing = [s for text in prose for s in _sentences(text.replace("\u202f", "")) if s not in page]
    assert missing == []
    unprinted = [s for text in prose for s in _sentences(text.replace("\u202f", "")) if s not in printed]
    assert len(unprinted) <= len(pages)  # a sentence may be parted by a page or a floating figure
    assert [c for c in cells if bare(c) not in printed or bare(c) not in page] == []


def test_pdf_is_paginated_with_fonts_and_outline(finished_run, pages):
    reader = PdfReader(finished_run / "report.pdf")
    assert 15 < len(pages) < 40
    assert all(f"{i} / {len(pages)}" in text for i, text in enumerate(pages, start=1))
    assert [str(o.title) for o in reader.outline if not isinstance(o, list)] == ["Summary", "Report", "Annex"]
    fonts = {str(f.get_object()["/BaseFont"]) for p in reader.pages for f in p["/Resources"].get("/Font", {}).values()}
    assert fonts
    assert all("Libertinus" in name or "DejaVuSans" in name for name in fonts)  # of the text, and of the figures
    assert all("+" in name for name in fonts)  # a subset is embedded
    images = [name for p in reader.pages for name, x in p["/Resources"].get("/XObject", {}).items()
              if x.get_object()["/Subtype"] == "/Image"]  # fmt: skip
    assert images == []  # figures are vectors


def test_the_answer_stands_on_one_page(pages):
    """It says about whom, where, when and compared with what, and what is missing."""
    told = " ".join(pages[0].split())
    assert "people in England who depend on heroin" in told
    assert "as things stood in the mid two-thousands" in told
    for heading in ("The answer", "What it can and cannot say", "What moves it most", "What is missing", "What if"):
        assert heading in pages[0]
    assert "Evidence" in pages[1]


def test_every_section_is_there(written):
    report, _, _ = written
    keys = {s.key for s in report.sections}
    assert keys >= {"answer", "limits", "movers", "open", "gaps", "evidence", "priors", "synthesis", "projection",
                    "sensitivity", "checks", "checklist", "ledger", "parameters", "rerun"}  # fmt: skip
    shown = {b.key for s in report.sections for b in s.blocks if isinstance(b, TableBlock)}
    assert shown == set(report.tables)  # no table is made and not shown
    assert {"dots", "ridge", "fan", "forest", "funnel", "heterogeneity", "places", "returns", "tornado", "shapley",
            "budget", "specification", "loo_pit", "predictive", "priors", "chains"} <= set(report.figures)  # fmt: skip


def test_what_is_missing_is_listed_on_page_one(written):
    report, _, _ = written
    lost = lacking()
    assert [gap.what for _, gap in report.missing] == list(lost.values())
    (block,) = next(s.blocks for s in report.sections if s.key == "gaps")
    assert isinstance(block, Bullets if lost else Prose)
    for command, item in zip(lost, block.items if lost else (), strict=True):
        assert f"bayes {command} RUN" in plain(item, report, index_of(report))


def test_every_row_of_evidence_is_in_the_ledger_with_its_link(written, finished_run):
    report, _, _ = written
    rows = pd.read_csv(finished_run / "tables" / "evidence.csv")
    cells = [row for key, t in report.tables.items() if key.startswith("evidence-") for row in t.rows]
    assert len(cells) == len(rows)
    assert sum(row[1].href.startswith("http") for row in cells) == len(rows)
    assert [row[2].text for row in cells] == rows["status"].tolist()


def test_precision_on_judgements_is_that_of_the_table(written, finished_run):
    report, _, _ = written
    table = pd.read_csv(finished_run / "tables" / "sensitivity" / "leave_one_out.csv")
    table = table[table["quantity"] == "mu_theta"].set_index("change")
    width = table["upper"] - table["lower"]
    share = 1 - (width["as fitted"] / width["judgements"]) ** 2
    ends = table.loc["judgements", ["mcse_d_lower", "mcse_d_upper"]].astype(float)
    error = 2 * (1 - share) * np.hypot(*ends) / width["judgements"]
    shown = f"{rounded(100 * share, 100 * min(error, 0.1)):.0f}\u202f%"  # tens at the coarsest
    assert report.claims["weak.judgements.share"].text == ("–" if error > 0.15 else shown)


def test_where_no_evidence_bears_no_contraction_is_claimed(written, finished_run):
    report, _, _ = written
    moved = report.tables["moved"]
    last = {row[0].text: row[-1].text for row in moved.rows}
    with xr.open_dataset(finished_run / "fit.nc") as fit:
        forward = {named(name.removesuffix("_excess")) for name in json.loads(fit.attrs["forward_variables"])}
    none = {name for name, text in last.items() if text == "none"}
    assert none == forward & set(last) - {named("theta_new"), named("gamma_new")}
    assert {named("fidelity"), named("eligible_share")} <= none
    assert named("mu_theta") in set(last) - none
    assert report.claims["priors.idle"].value == 14


def test_priors_are_stated_once_and_with_their_own_levels(written):
    report, _, _ = written
    cells = [row[2].text for key in ("declared", "alternatives") for row in report.tables[key].rows]
    assert "HalfNormal: sigma 0.4" in cells
    assert any(text.startswith("ShiftedLogNormal: 2.5\u202f%: ") and "97.5\u202f%: " in text for text in cells)
    assert not [text for text in cells if text.count(text.split(":")[0]) > 1]


def test_tables_of_sensitivity_say_what_their_intervals_and_rows_are(written):
    report, _, _ = written
    for key in ("left-out", "plane"):
        assert report.claims[f"{key}.kind"].text == "95\u202f% equal-tailed credible intervals"
        assert f"{{{key}.kind}}" in report.tables[key].note
    assert {"10,000 'hardcore'", "Swiss-level coverage"} <= {row[0].text for row in report.tables["plane"].rows}
    kinds = {row[0].text: row[1].text for row in report.tables["allmoves"].rows}
    assert (kinds["German patients, 2018"], kinds["Germany"]) == ("row left out", "study left out")
    assert not [row for row in report.tables["left-out"].rows if "∞" in row[5].text]


def test_the_value_of_information_says_where_its_tails_are_heavy(written, finished_run):
    report, _, _ = written
    table = pd.read_csv(finished_run / "tables" / "sensitivity" / "value.csv", keep_default_na=False)
    row = table[table["quantity"] == "EVPI"].iloc[0]
    assert bool(row["note"]) == (float(row["khat"]) > 0.5)
    assert ("voi.doubt" in report.claims) == bool(row["note"])


def test_the_checklist_looks_at_the_report():
    nothing = checklist.judged(frozenset())
    assert {item.status for item in nothing} == {"not met", "author"}
    everything = {key for g in checklist.guidelines().values() for i in g["items"] for key in i.get("met_if", ())}
    assert {item.status for item in checklist.judged(everything)} == {"met", "author"}
    for key in everything:
        lost = {i.label for i in checklist.judged(everything - {key}) if i.status == "not met"}
        assert lost, key


def test_unmet_items_are_on_page_one(written):
    report, _, _ = written
    index = index_of(report)
    section = next(s for s in report.sections if s.key == "open")
    text = " ".join(plain(item, report, index) for b in section.blocks if isinstance(b, Bullets) for item in b.items)
    for item in report.items:
        assert (f"({item.guideline} {item.label})" in text) == (item.status != "met")
    assert any(item.status == "met" for item in report.items)


def test_every_place_a_checklist_names_exists():
    """No item asks for something that no report can hold."""
    known = set()
    for path in CHAPTERS.glob("*.py"):
        tree = ast.parse(path.read_text())
        known |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for entry in checklist.guidelines().values():
        assert entry["source"]
        assert entry["url"].startswith("https://")
        for item in entry["items"]:
            assert bool(item.get("author")) != bool(item.get("met_if"))
            assert set(item.get("met_if", ())) <= known | set(checklist.ASKED)


def test_a_table_of_another_projection_is_not_used(finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    path = folder / "tables" / "sensitivity" / "structure.csv"
    table = pd.read_csv(path)
    table.loc[table["quantity"] == "offences_avoided", "median"] *= 1.01
    table.to_csv(path, index=False)
    material = material_of_run(folder, QUESTION)
    assert material.sensitivity("structure") is None
    assert material.sensitivity("alternatives") is not None
    with pytest.raises(UsageError, match="made of another run"):
        gallery_of(folder, QUESTION).draw("specification")


def test_tables_of_another_run_are_not_used(finished_run, tmp_path):
    """Tables are copied from a run of another fit, of another projection and of other inputs."""
    for key in ("fit.nc", "futures.nc", "inputs_hash"):
        folder = tmp_path / key
        (folder / "tables").mkdir(parents=True)
        shutil.copytree(finished_run / "tables" / "sensitivity", folder / "tables" / "sensitivity")
        manifest = json.loads((finished_run / "manifest.json").read_text(encoding="utf-8"))
        table = folder / "tables" / "sensitivity" / "structure.csv"
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        assert was_made(folder, table)
        (manifest if key == "inputs_hash" else manifest["contents"])[key] = "other"
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        assert not was_made(folder, table)


def test_a_lost_table_of_sensitivity_is_said_with_its_command(finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    for name in ("tipping", "conflict", "variance"):
        (folder / "tables" / "sensitivity" / f"{name}.csv").unlink()
    material = material_of_run(folder, QUESTION)
    report = building.build_report(material, _NoPictures(material))
    lost = {gap.what: gap.fix for _, gap in report.missing}
    assert "tipping points" in lost
    assert "shares of the variance" in lost
    assert "leave-one-out predictive probabilities (LOO-PIT)" in lost
    assert lost["tipping points"] == "bayes sensitivity RUN --only tipping"
    status = {f"{i.guideline} {i.label}": i.status for i in report.items}
    assert status["BARG 5.B"] == "not met"
    assert status["AQuA Book c"] == "not met"


def test_calibration_of_a_run_is_shown(finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    names, text = ["tau_theta", *(f"quantity_{i}" for i in range(20)), "mu_theta"], "ranks crowd at the ends"
    pd.DataFrame({"quantity": names, "p_value": np.linspace(0.01, 1, 22), "z_location": 0.5, "z_spread": -1.234,
                  "uniform": [*[True] * 21, False], "says": text}).to_csv(
        folder / "tables" / "calibration.csv", index=False
    )  # fmt: skip
    note_made(folder, [folder / "tables" / "calibration.csv"])
    material = material_of_run(folder, QUESTION)
    report = building.build_report(material, _NoPictures(material))
    assert [gap.what for _, gap in report.missing] == list(lacking("calibration").values())
    rows = [[cell.text for cell in row] for row in report.tables["calibration"].rows]
    assert len(rows) == 6
    assert rows[0] == [QUESTION.words.label("mu_theta"), "1", "0.5", "−1.2", text]  # what fails comes first
    assert rows[1] == [QUESTION.words.label("tau_theta"), "0.01", "0.5", "−1.2", "–"]
    assert [report.claims[f"calibration.{key}"].text for key in ("least", "all")] == ["6", "22"]
    assert "{calibration.least} least uniform of {calibration.all}" in report.tables["calibration"].note
    assert next(i for i in report.items if i.label == "i").status == "met"


class _NoPictures(Pictures):
    """Draws nothing: for tests of text."""

    def drawn(self, names):
        return {name: Drawing(name, f"{name}.", SVG, 183.0, 50.0) for name in names}


# --- a failed verdict -------------------------------------------------------------------------


@pytest.fixture
def no_pictures(monkeypatch):
    """Reports of text alone."""
    monkeypatch.setattr(writing, "Pictures", lambda material, *rest: _NoPictures(material))


def test_a_failed_run_withholds_its_answer(failed_run, capsys, no_pictures):
    assert main(["report", str(failed_run), "--quiet", "--format", "html"]) == 1
    assert "withheld" in capsys.readouterr().out
    page = (failed_run / "report.html").read_text("utf-8")
    text = "".join(Page(page).texts)
    assert "FAILED. The answer is withheld" in text
    assert "R-hat of parameters" in text
    for name in ("answer.median", "ratio.mu_theta.median", "budget.last", "posterior.offences_per_user_year.median"):
        assert f'data-claim="{name}"' not in page
        assert name not in json.loads(re.search(r'id="claims">(.*?)</script>', page, re.DOTALL).group(1))
    headline = pd.read_csv(failed_run / "tables" / "headline.csv")
    shown = compact(*headline[(headline["scenario"] == "hardcore") & (headline["quantity"] == "offences_avoided")]
                    .iloc[-1][["upper", "mcse_upper"]])  # fmt: skip
    assert f"to {shown}" not in text
    assert 'id="what-if"' not in page


def test_force_prints_it_under_a_banner(failed_run, capsys, no_pictures):
    """The banner on every page of the PDF: see test_a_forced_report_says_so_on_every_page."""
    assert main(["report", str(failed_run), "--quiet", "--force", "--format", "html"]) == 1
    page = (failed_run / "report.html").read_text("utf-8")
    assert 'data-claim="answer.median"' in page
    assert page.index("DIAGNOSTICS FAILED") < page.index("<h1>")


# --- the command line, and other fits -----------------------------------------------------------


def test_bad_usage_writes_nothing(finished_run, tmp_path, capsys):
    before = digests(finished_run)
    assert main(["report", str(finished_run), "--format", "odt"]) == 2
    assert "there is no such format" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "this run folder does not exist" in capsys.readouterr().err
    assert digests(finished_run) == before


def test_a_run_whose_inputs_were_edited_is_an_error_and_writes_nothing(finished_run, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    path = folder / "inputs" / "offending.toml"
    path.write_text(path.read_text().replace("q05 = 108, q50 = 432, q95 = 1728", "q05 = 100, q50 = 400, q95 = 1600"))
    before = digests(folder)
    assert main(["report", str(folder), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("bayes: ") == 1
    assert "the inputs of this run were changed since it was made" in said
    assert digests(folder) == before


def test_a_report_of_a_run_that_is_replaced_meanwhile_is_not_written(finished_run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    (folder / "report.md").unlink(missing_ok=True)
    whole = writing.material_of_run

    def replaced(*given, **told):
        found = whole(*given, **told)
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, "seed": 1}))
        return found

    monkeypatch.setattr(writing, "material_of_run", replaced)
    with pytest.raises(bayes.InputError, match="replaced while its report was written"):
        report_of_run(folder, QUESTION, ("md",))
    assert not (folder / "report.md").exists()


def test_any_fit_has_a_report(tmp_path):
    import pymc as pm

    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        pm.HalfNormal("tau", 1)
        pm.Normal("y", mu, 1, observed=np.array([0.3, 0.9, 1.4]))
    fit = bayes.sample(model, rng=1)
    attrs = dict(fit.attrs)
    path = bayes.write_report(tmp_path / "any.html", fit, target="mu")
    assert fit.attrs == attrs  # left as it is
    page = Page(path.read_text("utf-8"))
    text = "".join(page.texts)
    assert re.search(r"The posterior of mu has its median at 0\.[67]", text)  # (0.3 + 0.9 + 1.4) / 4, and its error
    assert "this fit was not projected" in text
    assert {"f-dots", "f-priors", "f-chains"} <= {a.get("id") for _, a in page.tags}
    assert "heroin" not in text.replace("pass study= to bayes.write_report", "")
    pdf = bayes.write_report(tmp_path / "any.pdf", fit, target="mu")
    assert "The posterior of mu has its median at" in PdfReader(pdf).pages[0].extract_text()
    with pytest.raises(bayes.InputError, match="name the quantity"):
        bayes.write_report(tmp_path / "any.md", fit)
    with pytest.raises(bayes.InputError, match="no such format"):
        bayes.write_report(tmp_path / "any.odt", fit, target="mu")


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_the_page_in_a_browser(open_page, finished_run, written, width, scheme):
    """No request, no console message, no horizontal scroll, and the contrast of WCAG 2.2, level AAA."""
    page = open_page((finished_run / "report.html").as_uri(), viewport={"width": width, "height": 800},
                     color_scheme=scheme)  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert min(page.evaluate(CONTRAST, PAGE))[0] >= AAA
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_the_page_in_print(open_page, finished_run, written):
    """Printed pages hold the answer, without the contents and without a dark ground."""
    page = open_page((finished_run / "report.html").as_uri(), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav.contents')).display") == "none"
    text = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages[0].extract_text()
    report, _, _ = written
    assert bare(report.claims["answer.median"].text) in bare(text)


def test_a_label_of_a_file_is_text_on_the_page(finished_run, tmp_path):
    """A script in the label of a scenario and in a note of the evidence."""
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    evil = "<script>alert('x')</script>"
    path = folder / "tables" / "evidence.csv"
    table = pd.read_csv(path)
    table.loc[:, "note"] = evil
    table.to_csv(path, index=False)
    material = material_of_run(folder, QUESTION)
    page = render_html(building.build_report(material, _NoPictures(material)))
    assert evil not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page


@pytest.fixture(scope="module")
def drawn(finished_run):
    """Every figure of the run: those of the report as it draws them, the others as ``bayes figures`` does."""
    material = material_of_run(finished_run, QUESTION)
    gallery, target = material.gallery, material.target.quantity
    return {name: record_of(gallery, name)(table_of(gallery, name, target)) for name in FIGURES}


def test_numbers_in_paragraphs_with_a_figure_are_those_of_its_table(written, drawn):
    """Before both are rounded: a quantile of exponentials is that of their logarithms to 1e-5, for 4,000 draws."""
    report, _, _ = written
    seen = set()
    for text, keys in beside.beside(report):
        table = np.concatenate([beside.held(key, drawn[key].table) for key in keys])
        for name, value in beside.values_of(report, text).items():
            if name in beside.ELSEWHERE:
                assert report.claims[name].source.startswith(beside.ELSEWHERE[name])
            elif not report.claims.get(f"{name.rpartition('.')[0]}.what", report.claims[name]).text.startswith("every"):
                assert np.isclose(table, value, rtol=1e-5, atol=0).any(), (name, value, keys)
                seen |= set(keys)
    assert seen >= {"forest", "heterogeneity", "fan", "shapley", "specification", "budget"}


@pytest.mark.parametrize("name", FIGURES)
def test_numbers_of_a_caption_are_in_its_table(drawn, written, name):
    """The caption is the text alternative too, and stands in NAME.txt beside NAME.csv; its first sentence rounds."""
    figure, report = drawn[name], written[0]
    message, _, rest = figure.caption.partition(". ")
    held, told = beside.held(name, figure.table), beside.told(name, figure.table)
    for number in beside.quoted(rest, figure.table):
        assert np.isclose(held, number, rtol=1e-12).any(), (name, number, figure.caption)
    for number, half in beside.rounded(message, figure.table):
        assert np.isclose(told, number, rtol=1e-12, atol=1.01 * half).any(), (name, number, figure.caption)
    assert name not in report.figures or report.figures[name].caption == figure.caption


def test_bayes_figures_writes_the_table_that_is_drawn(drawn, finished_run, tmp_path):
    folder, ends = tmp_path / "run", ["lower", "estimate", "upper"]
    shutil.copytree(finished_run, folder)
    assert main(["figures", str(folder), "--only", "shapley,budget", "--format", "svg", "--quiet"]) == 0
    for name in ("shapley", "budget"):
        kept = pd.read_csv(folder / "figures" / f"{name}.csv")
        pd.testing.assert_frame_equal(kept[ends], drawn[name].table[ends])
        assert (folder / "figures" / f"{name}.txt").read_text() == f"{drawn[name].caption}\n"


def test_the_acceptability_figure_is_its_table_of_sensitivity(drawn, finished_run):
    """Its range, and every probability of the options both have."""
    kept = pd.read_csv(finished_run / "tables" / "sensitivity" / "acceptability.csv")
    curve = drawn["acceptability"].table.dropna(subset="willingness_to_pay")
    assert set(curve["willingness_to_pay"]) == set(kept["willingness_to_pay"])
    words = load_futures(finished_run)
    labels = dict(zip(words["scenario"].values, words["label"].values, strict=True))
    kept["option"] = [labels.get(option, option) for option in kept["option"]]
    both = curve.merge(kept, on=["willingness_to_pay", "option"], suffixes=("", "_kept"))
    assert len(both) == len(kept)
    np.testing.assert_allclose(both["probability"], both["probability_kept"], rtol=1e-12)
