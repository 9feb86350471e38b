"""Methods: how the numbers were computed, and the model as equations, from the question's own text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from bayes.report.chapters.common import said, table
from bayes.report.contract import Block, Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import count, word
from bayes.words import capital

__all__ = ["CHAPTER", "plain_mathematics"]


def _chapter(material: Material) -> Content:
    """How the posterior was found, and what the question says of its model."""
    claims = _claims(material)
    known = {claim.name: claim.text for claim in claims}
    sampled = {None: "The quantities are", "1": "{methods.sampled} quantity is"}.get(
        known.get("methods.sampled"), "{methods.sampled} quantities are")  # fmt: skip
    are = "is" if known.get("methods.forward") == "1" else "are"
    by = " by {methods.sampler}" if "methods.sampler" in known else ""
    text = (
        "A Bayesian model joins priors and rows of evidence. "
        f"{sampled} sampled{by}: {{methods.chains}} chains of {{methods.draws}} draws each"
        + (", after {methods.tune} draws of warm-up" if "methods.tune" in known else "")
        + ". "
        + (f"{{methods.forward}} more, on which no row of evidence bears, {are} drawn forward, exactly and "
           "independently. "
           if "methods.forward" in known else "")
        + "{@checks} says how this was checked."
    )  # fmt: skip
    blocks: list[Block] = [Prose(text), *said(material, claims, "methods")]
    sections = [Section("methods", CHAPTER.title, 2, tuple(blocks))]
    tables: list[Table] = []
    own = material.words.sentences.get("mathematics", "")
    if own:
        more, words, tables = _written(own)
        claims += words
        sections[0] = Section("methods", CHAPTER.title, 2, (*blocks, Prose("{@mathematics} has every equation.")))
        sections.append(Section("mathematics", "The model as equations", 3, tuple(more)))
    return Content(tuple(sections), tuple(claims), tuple(tables))


def _claims(material: Material) -> list[Claim]:
    """Sizes and sampler of the fit, as far as it states them."""
    fit, options = material.fit, material.manifest.get("options", material.manifest)
    sizes, found = fit["posterior"].sizes, list[Claim]()
    found += [count("methods.chains", sizes["chain"], "fit.nc"), count("methods.draws", sizes["draw"], "fit.nc")]
    if isinstance(options.get("tune"), int):
        found.append(count("methods.tune", options["tune"], "manifest.json"))
    if options.get("sampler"):
        found.append(
            word("methods.sampler", _SAMPLERS.get(str(options["sampler"]), options["sampler"]), "manifest.json")
        )
    for name, key in (("methods.sampled", "mcmc_variables"), ("methods.forward", "forward_variables")):
        if listed := json.loads(str(fit.attrs.get(key, "[]"))):
            found.append(count(name, len(listed), "fit.nc"))
    return found


_SAMPLERS: Mapping[str, str] = {
    "numpyro": "NUTS, as NumPyro implements it",
    "nutpie": "NUTS, as nutpie implements it",
    "pymc": "PyMC's own step methods",
}


def _written(text: str) -> tuple[list[Block], list[Claim], list[Table]]:
    """Blocks of a text in Markdown with mathematics between dollars: paragraphs, headings in bold, and tables."""
    blocks: list[Block] = []
    claims: list[Claim] = []
    tables: list[Table] = []
    title = ""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.strip().split("\n")
        if all(line.startswith("|") for line in lines) and len(lines) > 2:
            key = f"mathematics-{len(tables) + 1}"
            rows = [[_plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
            claims.append(word(f"{key}.caption", re.sub(r"^\d+\. ", "", title) or "Names"))
            tables.append(table(key, f"{{{key}.caption}}", [capital(cell) for cell in rows[0]],
                                [[Cell(cell) for cell in row] for row in rows[2:]]))  # fmt: skip
            blocks.append(TableBlock(key))
            continue
        head = re.fullmatch(r"#+ (.*)", lines[0]) if len(lines) == 1 else None
        name = f"mathematics.{len(claims)}"
        if head and not blocks:  # the title of the text
            continue
        title = _plain(head[1]) if head else title
        claims.append(word(name, title if head else _plain(" ".join(lines))))
        blocks.append(Prose(f"**{{{name}}}**" if head else f"{{{name}}}"))
    return blocks, claims, tables


def _plain(text: str) -> str:
    """Text without marks of Markdown, its mathematics in plain letters."""
    parts = re.split(r"\$\$(.+?)\$\$|\$(.+?)\$", text)
    found = "".join(part if i % 3 == 0 else plain_mathematics(part) for i, part in enumerate(parts) if part)
    return re.sub(r"\*\*|`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", "", found).strip()


_LETTERS: Mapping[str, str] = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "varepsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "psi": "ψ",
    "Gamma": "Γ", "sum": "Σ", "prod": "Π", "int": "∫", "sim": "~", "times": "×", "cdot": "·", "le": "≤", "ge": "≥",
    "infty": "∞", "in": "∈", "ldots": "…", "dots": "…", "sqrt": "√", "qquad": " ", "quad": " ",
    "min": "min", "max": "max",
}  # fmt: skip
_SPACES: Mapping[str, str] = {
    r"\,": " ", r"\;": " ", r"\ ": " ", r"\!": "", r"\{": "{", r"\}": "}", r"\_": "_", r"\|": "|",
}  # fmt: skip


def plain_mathematics(tex: str) -> str:
    r"""Write simple TeX in plain letters; what is not known keeps its name.

    >>> plain_mathematics(r"\log m_j \sim N(\log m + o_{p(j)},\ \sigma)")
    'log m_j ~ N(log m + o_p(j), σ)'
    >>> plain_mathematics(r"r = e^{\phi\,\theta_{new}}"), plain_mathematics(r"\frac{a}{b + 1}")
    ('r = e^(φ θ_new)', 'a/(b + 1)')
    """
    for mark, space in _SPACES.items():
        tex = tex.replace(mark, f"\0{ord(space)}\0" if space in ("{", "}") else space)
    tex = re.sub(r"\\(?:big|Big|left|right|bigl|bigr)(?![a-zA-Z])", "", tex)
    tex = re.sub(r"\\(?:mathrm|mathit|mathbf|text|operatorname)\s*\{([^{}]*)\}", r"\1", tex)
    while (again := _once(tex)) != tex:
        tex = again
    tex = re.sub(r"\\([A-Za-z]+)", lambda found: _LETTERS.get(found[1], f"{found[1]} "), tex)
    tex = re.sub("\0(\\d+)\0", lambda found: chr(int(found[1])), tex)
    return re.sub(r"\s+([,;)\]])", r"\1", re.sub(r"\(\s+", "(", re.sub(r" {2,}", " ", tex))).strip()


def _once(tex: str) -> str:
    """One step on the innermost braces: fractions, indices and powers."""
    tex = re.sub(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", lambda f: f"{_kept(f[1])}/{_kept(f[2])}", tex)
    tex = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r"√(\1)", tex)
    tex = re.sub(r"\^\s*\{([^{}]*)\}", lambda f: f"^{_kept(f[1])}", tex)
    tex = re.sub(r"_\s*\{([^{}]*)\}", r"_\1", tex)
    return re.sub(r"(?<![_^a-zA-Z}])\{([^{}]*)\}", r"\1", tex)


def _kept(inner: str) -> str:
    """What stood in braces, in brackets where it is more than one letter, number or name."""
    return inner.strip() if re.fullmatch(r"\s*\\?[\w.']+\s*", inner) else f"({inner.strip()})"


CHAPTER = Chapter("methods", "Methods", _chapter)
