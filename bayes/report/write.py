"""Writing a report: of a run folder, or of any fit in memory. Nothing is fitted, and no file of the run changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.arguments import checked
from bayes.draws import Fit, Futures, fit_from, futures_from
from bayes.errors import StudyError, UsageError, check_word
from bayes.files import make_folder, write_bytes
from bayes.question import Question
from bayes.report.build import build_report
from bayes.report.contract import Report, WhatIf
from bayes.report.html import render_html
from bayes.report.latex import latex_table, render_latex
from bayes.report.markdown import main_tables, markdown_table, render_markdown
from bayes.report.material import Cover, Material, material_of_fit, material_of_run
from bayes.report.pdf import render_pdf
from bayes.report.pictures import Helper, Pictures, helper
from bayes.report.prose import index_of
from bayes.report.word import render_word
from bayes.runfiles import read_manifest

if TYPE_CHECKING:
    import pandas as pd

    from bayes.report.whatif import Panel
    from bayes.study import Study

__all__ = ["FORMATS", "check_report_formats", "report_of_run", "write_report"]

FORMATS = ("html", "pdf", "docx", "md", "tex")
PICTURED = {"html", "pdf", "docx"}
Stage = Callable[[str], AbstractContextManager[object]]


def check_report_formats(formats: Sequence[str]) -> None:
    """Raise unless every format exists.

    Raises
    ------
    UsageError
        Naming the formats there are.
    """
    for name in formats:
        check_word(name, FORMATS, "there is no such format", key="format", otherwise="choose from these")
    if not formats:
        raise UsageError("no format is given", key="format", allowed=FORMATS)


def report_of_run(
    folder: Path,
    question: Question,
    formats: Sequence[str] = ("html", "pdf"),
    *,
    force: bool = False,
    parallel: bool = True,
    stage: Stage = lambda name: nullcontext(),
) -> tuple[Report, list[Path]]:
    """Write the report of a run folder: ``report.html``, ``report.pdf``, ``report.docx``,
    ``report.md``, ``report.tex``.

    Parameters
    ----------
    folder
        A run folder. With ``md`` or ``tex`` each main table is also written to ``tables/NAME.md`` or ``.tex``.
    formats
        Of :data:`FORMATS`.
    question
        The question of the run.
    force
        Print the answer although a check failed, under a banner on every page.
    parallel
        Whether a second process helps to draw the figures.
    stage
        Called with the name of each stage; returns a context manager (for progress).

    Raises
    ------
    UsageError
        If a format does not exist or a file cannot be written.
    StudyError
        If the folder is not a run.
    """
    check_report_formats(formats)
    if folder.is_dir():  # else reading it says what is missing, or recovers it
        make_folder(folder)
    helping: AbstractContextManager[Helper | None] = (
        helper(folder, question.home) if question.home and parallel and PICTURED & set(formats) else nullcontext()
    )
    with helping as another:
        with stage("reading the run"):
            material = material_of_run(folder, question, force=force)
        report, contents = _rendered(material, formats, another, stage)
    if read_manifest(folder) != material.manifest:
        raise StudyError("this run was replaced while its report was written", file=folder, fix="write it again")
    with stage("writing"):
        return report, [_written(folder / name, content) for name, content in contents.items()]


@checked
def write_report(
    path: str | Path,
    fit: Fit,
    futures: Futures | None = None,
    *,
    study: Study | None = None,
    target: str | None = None,
    sensitivity: Mapping[str, pd.DataFrame] | None = None,
    cover: Cover = Cover(),  # noqa: B008
) -> Path:
    r"""Write a report of any fit: what its posterior says of a target, and how far that can be relied on.

    The target's median and its 95 % equal-tailed credible interval stand on page one, unless a check of
    :func:`bayes.check` failed: then the page says which, and ``force`` prints the numbers under a banner. What the fit
    cannot supply is listed with the reason; nothing is fitted and the fit is left as it is.

    Parameters
    ----------
    path
        Ends in ``.html``, ``.pdf``, ``.docx``, ``.md`` or ``.tex``.
    fit
        Any fit with a posterior, in any form that :func:`bayes.load_fit` reads.
    futures
        What :func:`bayes.project` returned, if it was projected; or a projection of one's own: a ``Dataset`` of the
        same draws, with any other dims.
    study
        The study it was made from: brings evidence, priors and the live what-if.
    target
        A scalar variable of the posterior, or a quantity of the projection (default: the answer of its question).
    sensitivity
        Tables of :mod:`bayes.sensitivity` by name, as ``{"variance": table}``; and ``calibration``.
    cover
        Each of its parts is an argument too: ``title`` and ``author`` of the report, ``labels`` and ``units`` of
        variables by name, ``force`` to print the numbers although a check failed, and ``command``, how its reader calls
        the commands of its question.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    UsageError
        If the ending or the target does not exist, or the place cannot be written.

    Examples
    --------
    >>> import pymc as pm, bayes
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> write_report("mu.html", bayes.sample(model, rng=1), target="mu").name
    'mu.html'
    """
    path = Path(path)
    check_report_formats([path.suffix.removeprefix(".")])
    futures = None if futures is None else futures_from(futures)
    material = material_of_fit(fit_from(fit), futures, study=study, target=target, sensitivity=sensitivity, cover=cover)
    _, contents = _rendered(material, [path.suffix.removeprefix(".")], None, lambda name: nullcontext())
    return _written(path, next(iter(contents.values())))


def _rendered(
    material: Material, formats: Sequence[str], another: Helper | None, stage: Stage
) -> tuple[Report, dict[str, str | bytes]]:
    """The report, and its files by name."""
    with stage("drawing and composing"):
        report = build_report(material, Pictures(material, another, bool(PICTURED & set(formats))))
    contents: dict[str, str | bytes] = {}
    with stage("setting pages"), ThreadPoolExecutor(1) as pool:
        pages = pool.submit(render_pdf, report) if "pdf" in formats else None  # typst needs nothing of Python meanwhile
        if "html" in formats:
            contents["report.html"] = render_html(report, _panel(material, report))
        if "docx" in formats:
            contents["report.docx"] = render_word(report)
        if "md" in formats:
            contents["report.md"] = render_markdown(report)
        if "tex" in formats:
            contents["report.tex"] = render_latex(report)
        if pages is not None:
            contents["report.pdf"] = pages.result()
    if material.folder is not None:
        contents |= _tables(report, formats)
    return report, contents


def _tables(report: Report, formats: Sequence[str]) -> dict[str, str]:
    """Each main table in a file of its own."""
    index, found = index_of(report), {}
    for table in main_tables(report):
        if "md" in formats:
            found[f"tables/{table.key}.md"] = markdown_table(table, report, index)
        if "tex" in formats:
            found[f"tables/{table.key}.tex"] = latex_table(table, report, index)
    return found


def _panel(material: Material, report: Report) -> Panel | None:
    """The live panel, where the report has a place for it."""
    wanted = any(isinstance(b, WhatIf) and not b.reason for s in report.sections for b in s.blocks)
    if not wanted or material.live is None or material.futures is None:
        return None
    from bayes.report.whatif import panel

    return panel(material.live, material.fit, material.futures, material.verdict)


def _written(path: Path, content: str | bytes) -> Path:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    write_bytes(path, content.encode() if isinstance(content, str) else content)
    return path
