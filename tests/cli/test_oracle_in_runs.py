"""The exact posterior of the effects stands among the checks of a run."""

import pandas as pd

from bayes.cli import main


def test_it_stands_in_the_table_of_checks_and_in_the_commands_answer(shipped_run, capsys):
    checks = pd.read_csv(shipped_run / "tables" / "checks.csv").set_index("check")
    assert checks.loc["effects against quadrature", "threshold"] == 4
    assert main(["check", str(shipped_run)]) == 0
    assert "effects against quadrature: worst of" in capsys.readouterr().out
