"""The report as a Word document that its readers can edit: real headings, tables, captions and links.

python-docx writes what the PDF shows, from the same resolved data. It is 3 MB and gives table headers that repeat on
each page, captions that Word numbers, and links; pandoc's wheel is 155 MB and leaves these to its reader.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bayes.report.contract import Report
from bayes.report.pdf import as_data, fonts

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

__all__ = ["render_word"]

type _Run = Mapping[str, Any]

MARGIN, WIDTH = 19.0, 172.0
"""Margins and width of the text on A4, in millimetres."""
INK, RULE, ACCENT = "1C1B19", "C9C4BA", "14507D"
_UNWRITABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_word(report: Report) -> bytes:
    """Write a report as a Word file. Equal reports give equal bytes: the file carries no time of writing."""
    from docx import Document

    data = as_data(report)
    document = Document()
    _styled(document, data)
    document.add_heading(_clean(data["title"]), 0)
    _say(document.add_paragraph(), data["subtitle"])
    marks = partial(_mark, iter(range(1, 1_000_000)))
    for number, part in enumerate(data["parts"]):
        document.add_heading(_clean(part["title"]), 1)
        if number == 1:
            _contents(document, data["contents"])
        for section in part["sections"]:
            heading = document.add_heading(f"{section['number']} ", 2)
            _say(heading, section["title"])
            marks(heading, section["anchor"])
            for block in section["blocks"]:
                _BLOCKS[block["kind"]](document, block, marks)
    return _timeless(document)


def _clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def _styled(document: Document, data: Mapping[str, Any]) -> None:
    """Paper, type and properties of the document; the banner of a forced report on every page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    page, about = document.sections[0], document.core_properties
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(MARGIN)
    about.title, about.author, about.comments, about.language = (
        _clean(data["title"]),
        _clean(data["author"]),
        "",
        "en-GB",
    )
    for name, size in (("Normal", 10), ("Caption", 9), ("Title", 20), ("Heading 1", 15), ("Heading 2", 12)):
        style = document.styles[name]
        style.font.size, style.font.name = Pt(size), "Calibri"
        style.font.color.rgb = RGBColor.from_string(INK)
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            style.element.rPr.rFonts.attrib.pop(qn(f"w:{theme}"), None)
    document.styles["Normal"].paragraph_format.space_after = Pt(5)
    page.header.paragraphs[0].add_run(_clean(data["banner"])).bold = True
    footer = page.footer.paragraphs[0]
    footer.add_run(f"{_clean(data['title'])}, page ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    footer._p.append(field)


def _say(paragraph: Paragraph, runs: Iterable[_Run], size: float = 0.0) -> Paragraph:
    """Add stretches of text, strong ones and links among them."""
    from docx.shared import Pt

    for run in runs:
        added = paragraph.add_run(_clean(run["text"]))
        added.bold = run["strong"] or None
        if size:
            added.font.size = Pt(size)
        if run["target"]:
            _link(paragraph, added, run["target"])
    return paragraph


def _link(paragraph: Paragraph, run: Any, target: str) -> None:
    """Make a stretch of text a link: to a bookmark where the target begins with #, else to the web."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    link = OxmlElement("w:hyperlink")
    if target.startswith("#"):
        link.set(qn("w:anchor"), _bookmark(target[1:]))
    else:
        link.set(qn("r:id"), paragraph.part.relate_to(target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run.font.color.rgb = RGBColor.from_string(ACCENT)
    paragraph._p.append(link)
    link.append(run._r)


def _bookmark(anchor: str) -> str:
    """The name of a bookmark: Word takes 40 letters, digits and underscores."""
    return re.sub(r"\W", "_", anchor)[:40]


def _mark(numbers: Any, paragraph: Paragraph, anchor: str) -> None:
    """Put a bookmark around a paragraph, so that links reach it."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    number = str(next(numbers))
    start.set(qn("w:id"), number)
    start.set(qn("w:name"), _bookmark(anchor))
    end.set(qn("w:id"), number)
    paragraph._p.append(start)
    paragraph._p.append(end)


def _contents(document: Document, entries: Iterable[Mapping[str, str]]) -> None:
    """The sections with links to them."""
    from docx.shared import Pt

    for entry in entries:
        line = {"text": f"{entry['number']}  {entry['title']}", "strong": False, "target": f"#{entry['anchor']}"}
        _say(document.add_paragraph(), [line]).paragraph_format.space_after = Pt(0)


def _prose(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    size = {"lead": 12.0, "note": 8.5}.get(block.get("role", ""), 0.0)
    _say(document.add_paragraph(), block["runs"], size)


def _bullets(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    for item in block["items"]:
        _say(document.add_paragraph(style="List Bullet"), item)


def _banner(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    _say(document.add_paragraph(), [{**run, "strong": True} for run in block["runs"]])


def _card(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    _say(document.add_paragraph(), [{**run, "strong": True} for run in block["title"]])
    for line in block["lines"]:
        _say(document.add_paragraph(style="List Bullet"),
             [*line["label"], {"text": ": ", "strong": False, "target": ""}, *line["text"]])  # fmt: skip


def _missing(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    paragraph = document.add_paragraph()
    paragraph.add_run(f"{_clean(block['head'])} ").bold = True
    paragraph.add_run(_clean(block["text"]))


def _caption(document: Document, kind: str, shown: Mapping[str, Any], runs: Iterable[_Run], marks: Any) -> None:
    """A caption whose number is a field of Word, so that its lists of tables and figures work."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = document.add_paragraph(style="Caption")
    paragraph.paragraph_format.keep_with_next = kind == "Table"
    paragraph.add_run(f"{kind} ")
    number = paragraph.add_run(str(shown["number"]))
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), f"SEQ {kind} \\* ARABIC")
    paragraph._p.append(field)
    field.append(number._r)
    paragraph.add_run(". ")
    marks(paragraph, shown["anchor"])
    for run in _say(paragraph, runs).runs[2:]:
        run.bold = bool(run.bold)


def _table(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    """A table whose header is repeated on each page and whose rows are never split."""
    from docx.shared import Mm, Pt

    shown = block["table"]
    _caption(document, "Table", shown, shown["caption"], marks)
    table = document.add_table(rows=1, cols=len(shown["headings"]))
    table.autofit = False
    _ruled(table)
    for cell, heading, align in zip(table.rows[0].cells, shown["headings"], shown["aligns"], strict=True):
        _filled(cell, [{**run, "strong": True} for run in heading], align, shown["size"])
    _row_property(table.rows[0], "w:tblHeader")
    widths = shown["widths"]
    for row in shown["rows"]:
        added = table.add_row()
        for cell, content, align in zip(added.cells, row, shown["aligns"], strict=True):
            _filled(cell, _runs_of(content), align, shown["size"])
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width * WIDTH / sum(widths))
    for row in table.rows:
        _row_property(row, "w:cantSplit")
        for cell, column in zip(row.cells, table.columns, strict=True):
            cell.width = column.width
    below = _say(document.add_paragraph(), shown["note"], 8.5).paragraph_format
    below.space_before, below.space_after = Pt(3), Pt(10)


def _runs_of(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The text of a cell with its links; what stands below is on a line of its own."""
    found = [{"text": cell["text"], "strong": False, "target": cell["href"]}] if cell["text"] else []
    for ref in cell["refs"]:
        found += [{"text": ", ", "strong": False, "target": ""}] if found else []
        found.append({"text": ref["text"], "strong": False, "target": f"#{ref['target']}"})
    below = [{"text": f"\n{cell['below']}", "strong": False, "target": ""}] if cell["below"] else []
    return [*found, *below]


def _filled(cell: _Cell, runs: Iterable[_Run], align: str, size: float) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = _say(cell.paragraphs[0], runs, size)
    paragraph.paragraph_format.space_after = Pt(1)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if align == "right" else WD_ALIGN_PARAGRAPH.LEFT


def _row_property(row: Any, name: str) -> None:
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _ruled(table: Any) -> None:
    """Rules above and below the table and between its rows, and a millimetre beside the text of a cell."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    sides = "".join(f'<w:{side} w:val="single" w:sz="{size}" w:color="{colour}"/>'
                    for side, size, colour in (("top", 8, INK), ("bottom", 8, INK), ("insideH", 4, RULE)))  # fmt: skip
    margins = "".join(f'<w:{side} w:w="57" w:type="dxa"/>' for side in ("left", "right"))
    for name, parts in (("tblBorders", sides), ("tblCellMar", margins)):
        table._tbl.tblPr.append(parse_xml(f"<w:{name} {nsdecls('w')}>{parts}</w:{name}>"))


def _figures(document: Document, block: Mapping[str, Any], marks: Any) -> None:
    """Each picture at the width it was drawn for, with its caption as text alternative."""
    from docx.shared import Mm

    for shown in block["figures"]:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        beyond = Mm(min(0.0, WIDTH - shown["width"]) / 2)  # wide ones reach into the margins
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = beyond
        picture = paragraph.add_run().add_picture(io.BytesIO(_png(shown["svg"])), Mm(shown["width"]))
        picture._inline.docPr.set("descr", _clean(shown["caption"]))
        _caption(document, "Figure", shown, [{"text": shown["caption"], "strong": False, "target": ""}], marks)


def _png(svg: str) -> bytes:
    """A picture of 300 dots an inch at its own size, since Word before 2019 shows no SVG."""
    import typst

    page = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    return bytes(typst.compile(page, sys_inputs={"svg": svg}, format="png", ppi=300.0, font_paths=fonts()))


def _timeless(document: Document) -> bytes:
    """The file, each of its parts dated 1980."""
    from datetime import UTC, datetime

    document.core_properties.created = document.core_properties.modified = datetime(1980, 1, 1, tzinfo=UTC)
    first, last = io.BytesIO(), io.BytesIO()
    document.save(first)
    with ZipFile(first) as parts, ZipFile(last, "w") as found:
        for name in parts.namelist():
            found.writestr(ZipInfo(name), parts.read(name), ZIP_DEFLATED)
    return last.getvalue()


_BLOCKS = {"prose": _prose, "bullets": _bullets, "banner": _banner, "card": _card, "missing": _missing,
           "table": _table, "figures": _figures}  # fmt: skip
