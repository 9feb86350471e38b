"""What the player in a page (``page/tape.js``) can do: which tapes it plays, and what the others ask of it."""

from __future__ import annotations

from bayes.sampling.tape import Tape

__all__ = ["PLAYED", "lacking"]

_NAMES = """
input constant alloc arange assign cast check clip cumulate diagonal eye fill fold join log1mexp pick product reshape
same scatter shape shuffle softmax softplus stack ufunc where bool float32 float64 int8 int16 int32 int64 uint8 uint16
uint32 uint64 abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor
ceil cos cosh equal exp exp2 expm1 floor floor_divide greater greater_equal invert isinf isnan less less_equal log
log10 log1p log2 logaddexp maximum minimum mod multiply negative not_equal power reciprocal rint sign sin sinh sqrt
square subtract tan tanh true_divide trunc scipy.special.betainc scipy.special.betaincinv scipy.special.erf
scipy.special.erfc scipy.special.erfcinv scipy.special.erfinv scipy.special.expit scipy.special.gamma
scipy.special.gammainc scipy.special.gammaincc scipy.special.gammainccinv scipy.special.gammaincinv
scipy.special.gammaln scipy.special.psi
"""
PLAYED = frozenset(_NAMES.split())
"""Operations, functions of numbers, and types; a test compares them with those of the page."""


def lacking(tape: Tape) -> tuple[str, ...]:
    """Return what a tape asks for that the player cannot do, by name.

    Examples
    --------
    >>> from bayes.sampling.tape import Cell
    >>> x = Cell("input", {"name": "x"})
    >>> lacking(Tape((x, Cell("ufunc", {"name": "scipy.special.jv", "dtype": "float64"}, (0, 0))), {"y": 1}))
    ('scipy.special.jv',)
    """
    asked = {cell.settings["name"] if cell.do == "ufunc" else cell.do for cell in tape.cells}
    types = {str(cell.settings["dtype"]) for cell in tape.cells if "dtype" in cell.settings}
    return tuple(sorted((asked | types) - PLAYED))
