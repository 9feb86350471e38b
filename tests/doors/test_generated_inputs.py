"""Every reader and the command line's arguments, given mutated files and texts: a result, or an error of ours.

A short version runs with the other tests; ``pytest -m soak`` makes 100,000 inputs.
"""

from __future__ import annotations

import io
import random
import re
import resource
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from bayes.bibliography import add_references
from bayes.cli.entry import parser_of_all
from bayes.cli.shared import options_of
from bayes.drawfiles import read_draw_files
from bayes.elicitation import heard
from bayes.errors import BayesError
from bayes.importing import pairs_of
from bayes.overrides import changed_study, parse_overrides, read_overrides
from bayes.priortext import prior_from_text
from bayes.references import read_references
from bayes.runfiles import read_manifest
from bayes.sheets import read_sheet
from bayes.spoken import said_number, said_range
from bayes.study import read_study
from bayes.synthesis import read_counts, read_log_ratios
from tests.conftest import soaked

HOSTILE = (
    *"\x00\x1b\x07\x7f\n\r\t\"'\\,;=[]{}()#%<>&$-+@~^*",
    "\ufeff", "\u202e", "\ud7ff", "é", "𝔘", "1e139", "-1e308", "1e400", "nan", "inf", "-0", "1e-320",
    "9" * 5000, "[" * 3000, "e999999999", "1e5", "sept", "jan # 10",
    "{a=" * 2000, "true", "null", "0", "-1", "18446744073709551616", "=cmd()", "../../x", "%s", "{0}", "\r\n\r\n",
    "month = sept", "<!--", "<!ENTITY x 'y'>", "0001-01-01", "é" * 300,
)  # fmt: skip
SECONDS = 5.0
"""Processor time that one input may take."""


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes with one to four places changed."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((0, 1, 1, 4, 30, 200)))
        new = rng.choice(
            (b"", bytes([rng.randrange(256)]), rng.choice(HOSTILE).encode(), data[at:end] * 2,
             data[(start := rng.randrange(len(data) + 1)) : start + 40])
        )  # fmt: skip
        data = data[:at] + new + data[end:]
    return data


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["study", "y", "se"], ["a", -0.3, 0.2], ["b", 0.1, 0.25], ["c", 3e10, 3]):
        book.active.append(row)
    book.save(kept := io.BytesIO())
    return kept.getvalue()


BOOK = _workbook()


def edited_workbook(rng: random.Random) -> bytes:
    """A workbook whose parts were changed by hand, so that it still unpacks."""
    kept, which = io.BytesIO(), rng.choice(("sheet1", "workbook.xml", "sharedStrings", "styles", "Types", "rels"))
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(kept, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, mutated(text, rng) if which in part else text)
    return kept.getvalue()


SMALL = Path(__file__).parents[2] / "notebooks" / "examples" / "bcg" / "study"
STUDY = {path.relative_to(SMALL).as_posix(): path.read_bytes() for path in sorted(SMALL.rglob("*.*"))}


def _study(name: str, data: bytes, place: Path) -> None:
    for other, content in STUDY.items():
        path = place / other
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if other == name else content)
    changed_study(read_study(place), parse_overrides(["tau=HalfNormal(0.2)"], ["coverage=0.4"]))


def _file(ending: str, read: Callable[[Path], object], data: bytes, place: Path) -> None:
    path = place / f"file{ending}"
    path.write_bytes(data)
    read(path)


def _text(read: Callable[[str], object], data: bytes, place: Path) -> None:
    read(data.decode("utf-8", errors="replace"))


PARSER = parser_of_all()


def _arguments(data: bytes, place: Path) -> None:
    with suppress(SystemExit):  # help, or a wrong word
        options_of(PARSER.parse_args(data.decode("utf-8", errors="replace").split(" ")))


def _manifest(data: bytes, place: Path) -> None:
    (place / "manifest.json").write_bytes(data)
    read_manifest(place)


CSV = b"study,y,se,e1,e2,n1,n2\na,0.1,0.2,1,2,10,10\nb,0.2,0.2,2,3,10,10\nc,-0.1,0.4,0,3,20,21\n"
DRAWS = b"# thin = 1\nchain,draw,mu,theta[1],theta[2]\n" + b"".join(b"1,%d,0.%d,1.5,2\n" % (i, i) for i in range(20))
RUN = b"run --out x --draws 50 --tune 20 --chains 2 --seed 3 --sampler numpyro --set places=3 --prior mu=Normal(0,1)"
BIB = b"""@string{who = "World Health Organization"}

@techreport{a2024,
  title = {Global {TB} report: "2024"}, author = who,
  year = 2024, month = jan # "~10",
  kind = {statistic},
}

@misc{b, title = "Cases", author = {Lee, A. and Ng, B.}, year = {1999}, url = {https://example.org/b}}
"""
READERS = {
    **{name: (content, partial(_study, name)) for name, content in STUDY.items()},
    "csv sheet": (CSV, partial(_file, ".csv", read_sheet)),
    "log ratios": (CSV, partial(_file, ".csv", lambda p: read_log_ratios(p, y="y", se="se"))),
    "counts": (CSV, partial(_file, ".csv", lambda p: read_counts(p, events=("e1", "e2"), total=("n1", "n2")))),
    "workbook": (BOOK, partial(_file, ".xlsx", read_sheet)),
    "bibtex": (BIB, partial(_file, ".bib", read_references)),
    "bibtex to add": (BIB, partial(_file, ".bib", lambda path: add_references(path, path.with_name("all.bib")))),
    "draws": (DRAWS, partial(_file, ".csv", lambda path: read_draw_files([path]))),
    "changes": (b'[priors]\nmu = "Normal(0, 1)"\n[scenarios.a]\nplaces = 3\n[data.x]\ny = 0.4\n',
                partial(_file, ".toml", read_overrides)),
    "manifest": (b'{"question": "x", "files": ["a"], "versions": {"a": "1"}, "study": "x"}', _manifest),
    "prior text": (b"LogNormal(q05=108, q95=1728)", partial(_text, partial(prior_from_text, "x", unit="persons"))),
    "what somebody says": (b"q05=0.6, q50=0.85, q95=0.97", partial(_text, heard)),
    "number": (b"1.5 million", partial(_text, said_number)),
    "range": (b"1/4 to 3 000", partial(_text, said_range)),
    "settings": (b"hardcore.places=20000", partial(_text, lambda text: parse_overrides([text], [text]))),
    "pairs": (b"row=study,log_ratio=y", partial(_text, lambda text: pairs_of([text], "--columns"))),
    "arguments": (RUN, _arguments),
}  # fmt: skip


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Within, the process takes no more than 1 GiB beyond what it has: what asks for more meets a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + 2**30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_what_asks_for_more_than_a_gibibyte_is_found():
    with bounded_memory(), pytest.raises(MemoryError):
        bytearray(3 * 2**30)  # more than was taken and given back before, too
    assert len(bytearray(2**20)) == 2**20


@pytest.mark.parametrize("reader", READERS)
def test_what_is_mutated_can_be_read_as_it_is(reader, tmp_path):
    seed, read = READERS[reader]
    read(seed, tmp_path)


@pytest.mark.parametrize("number", [60, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("reader", [*READERS, "workbook edited by hand"])
def test_a_generated_input_ends_in_a_result_or_an_error_of_ours(reader, number, tmp_path, capsys, record_property):
    number = soaked(number) if number > 60 else number
    record_property("generated inputs", number)
    rng, found = random.Random(f"{reader} {number}"), Counter()
    seed, read = READERS[reader.removesuffix(" edited by hand")]
    for i in range(number):
        data = edited_workbook(rng) if "by hand" in reader else mutated(seed, rng)
        place = tmp_path / str(i)
        place.mkdir()
        before = time.process_time()
        try:
            with bounded_memory():
                read(data, place)
        except BayesError as error:
            steering = re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", str(error))
            found.update([f"{steering} in an error"] * bool(steering))
        except Exception:
            found[" ".join(traceback.format_exc(-2).split()[-40:])] += 1
            (tmp_path / f"found{i}").write_bytes(data)
        took = time.process_time() - before
        assert took < SECONDS, (took, data[:500])
        capsys.readouterr()
    assert not found, "\n".join(f"{times} of {number}: {text}" for text, times in found.most_common(5))
