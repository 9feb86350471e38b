"""``value``: a choice between options, from draws of what each costs and does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import check_seed
from bayes.cli.shared import check_picture, command, draws_of, json_argument, one_or_several
from bayes.errors import UsageError
from bayes.numbers import formed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``value``."""
    found = command(commands, "value", _value, "compare options by cost and effect, and value what could be learnt",
                    "bayes value draws.csv --option 'old=cost_old,qaly_old' --option 'new=cost_new,qaly_new' "
                    "--price 0:50000:5000 --evsi binomial:p:100,200")  # fmt: skip
    found.add_argument("files", metavar="FILE", nargs="+", type=Path, help="draws: .csv, .xlsx, .nc, .zarr")
    found.add_argument("--option", metavar="NAME=COST,EFFECT", action="append", default=[],
                       help="an option and its columns of cost and effect (default: every cost_NAME with an "
                       "effect_NAME); repeatable")  # fmt: skip
    found.add_argument("--price", metavar="LIST", default="0:50000:5000",
                       help="willingness to pay for one unit of effect: 20000,30000 or FIRST:LAST:STEP "
                       "(default: %(default)s)")  # fmt: skip
    found.add_argument("--at", metavar="PRICE", type=float, help="price of --inputs and --evsi (default: the last)")
    found.add_argument("--inputs", metavar="COL,COL", default="", help="columns whose full knowledge is valued (EVPPI)")
    found.add_argument("--evsi", metavar="KIND:COL:SIZES", action="append", default=[],
                       help="a study: binomial:p:50,100, count:rate:TIME,TIME or normal:mu:10,100:sd=2; "
                       "repeatable")  # fmt: skip
    found.add_argument("--prob", metavar="SHARE", type=float, default=0.95, help="of intervals (default: 0.95)")
    found.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")
    found.add_argument("--out", dest="saved", metavar="DIR", type=Path, help="write the tables to a new folder as CSV")
    found.add_argument("--figure", metavar="FILE", type=Path, help="draw how often each option is best, by willingness "
                       "to pay, and what it is worth to know: .pdf, .svg or .png, with its table; --out draws it "
                       "too")  # fmt: skip
    json_argument(found)


def _value(options: argparse.Namespace) -> int:
    from bayes.importing import words_of
    from bayes.sensitivity.columns import named_columns, read_draws
    from bayes.sensitivity.economics import design_of, frontier, icers, prices_of, studies

    check_seed(options.seed, "--seed")
    prices, designs = prices_of(options.price), [design_of(text) for text in options.evsi]
    if not 0 < options.prob < 1:
        raise UsageError("a probability is between 0 and 1", key="--prob", found=options.prob, fix="write 0.95")
    if options.saved is not None and options.saved.exists():
        raise UsageError("this folder exists", key="--out", found=str(options.saved), fix="name a new one")
    if options.figure is not None:
        check_picture(options.figure)
    draws = read_draws(draws_of(one_or_several(options.files), quiet=options.json))
    costs, effects = _options(options.option, draws)
    inputs = words_of(options.inputs) if '"' in options.inputs else named_columns(options.inputs)
    for name in (*inputs, *(one.column for one in designs)):
        _check_column(name, draws)
    at = prices[-1] if options.at is None else prices_of(str(options.at), "--at")[0]
    benefit = at * effects - costs
    from bayes.sensitivity import acceptability_curve

    tables = {"icer": icers(costs, effects, prob=options.prob),
              "frontier": frontier(costs, effects, willingness_to_pay=prices),
              "acceptability": acceptability_curve(costs, effects, willingness_to_pay=prices),
              "value": studies(draws, benefit, designs, inputs, options.seed)}  # fmt: skip
    if options.saved is not None:
        _save(tables, options.saved)
    for path in (options.figure, options.saved and options.saved / "figures" / "acceptability.pdf"):
        if path is not None:
            _draw(tables, at, path)
    _show(tables, {"draws": len(draws), **draws.attrs, "at": at, "prob": options.prob}, options)
    return 0


def _options(texts: list[str], draws: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Costs and effects by option, from what was named or from columns called cost_NAME and effect_NAME."""
    from bayes.importing import words_of

    pairs: dict[str, tuple[str, str]] = {}
    for text in texts:
        name, _, columns = text.partition("=")
        words = words_of(columns)
        if not name.strip() or len(words) != 2 or name.strip() in pairs:
            raise UsageError("an option has a name of its own and two columns", key="--option", found=text,
                             allowed="NAME=COST,EFFECT, double quotes around a column with a comma",
                             fix="write it so")  # fmt: skip
        pairs[name.strip()] = (words[0], words[1])
    if not texts:
        names = [str(one)[5:] for one in draws if str(one).startswith("cost_") and f"effect_{str(one)[5:]}" in draws]
        pairs = {name: (f"cost_{name}", f"effect_{name}") for name in names}
    for column in (column for pair in pairs.values() for column in pair):
        _check_column(column, draws)
    if len(pairs) < 2:
        raise UsageError("a choice has two options or more", key="--option", found=list(pairs),
                         allowed=[str(one) for one in draws.columns[:40]],
                         fix="name each with --option NAME=COST,EFFECT")  # fmt: skip
    import pandas as pd

    return tuple(pd.DataFrame({name: draws[pair[i]] for name, pair in pairs.items()}) for i in (0, 1))


def _check_column(name: str, draws: pd.DataFrame) -> None:
    from bayes.errors import check_word

    check_word(name, [str(one) for one in draws.columns], "there is no such column of draws", key=name)


def _save(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    from bayes.files import csv_text, make_folder, write_text

    make_folder(folder)
    for name, table in tables.items():
        if len(table):
            write_text(folder / f"{name}.csv", csv_text(table))


def _draw(tables: dict[str, pd.DataFrame], at: float, path: Path) -> None:
    """Draw the curves, the best option thick, beside what it is worth to know at one price."""
    from bayes.figures import figure
    from bayes.figures.saving import save
    from bayes.sensitivity.economics import worth

    acceptability = figure("acceptability")
    curve = tables["acceptability"].assign(effect="one unit of effect", currency="units of cost", verdict="not checked")
    table = acceptability.table(curve, voi=worth(tables["frontier"], tables["value"], at))
    save(acceptability(table), path.parent, path.stem, [path.suffix.removeprefix(".")])


def _show(tables: dict[str, pd.DataFrame], told: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the tables, or one JSON document in which what does not exist is null."""
    if options.json:
        import json

        found = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        print(json.dumps({**told, **found}, indent=2, ensure_ascii=False))
        return
    icer, best, value = tables["icer"], tables["frontier"], tables["value"]
    print(f"Costs and effects of options ({told['draws']:,} draws); cost of one more unit of effect, with its "
          f"{options.prob:.0%} interval")  # fmt: skip
    print(_text(icer))
    print("\nBest option by willingness to pay, its probability of being best, and the value of perfect information "
          "per decision")  # fmt: skip
    print(_text(best))
    if len(value):
        print(f"\nValue of what could be learnt, at {told['at']:,.12g} for one unit of effect")
        print(
            _text(value[[name for name in ("quantity", "input", "size", "estimate", "mcse", "note") if name in value]])
        )
    print("\nValues are in units of cost, with Monte Carlo standard errors (mcse). No diagnostics were run: "
          "'bayes check FILE' does.")  # fmt: skip


def _text(table: pd.DataFrame) -> str:
    from bayes.errors import printable

    kept = table.drop(columns=[name for name in ("note",) if name in table and not table[name].any()])
    return printable(kept.to_string(index=False, float_format=_number, na_rep=""))


def _number(value: float) -> str:
    return formed(value, ",.0f" if 1e4 <= abs(value) < 1e15 else ",.4g")
