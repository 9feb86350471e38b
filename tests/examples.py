"""What the examples in docstrings may use without making it: a run of the shipped study, in a folder of their own.

Load with ``pytest --doctest-modules bayes -p tests.examples``.
"""

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """Names for examples: the shipped study, its model, fit, projection and run folder."""
    import bayes
    from bayes.cli import main
    from bayes.runs import load_fit, load_futures, read_manifest

    folder = tmp_path_factory.mktemp("examples") / "shipped"
    assert main(["run", "--quiet", "--out", str(folder)]) == 0
    study = bayes.load_study()
    return {
        "bayes": bayes,
        "study": study,
        "model": bayes.build_model(study),
        "fit": load_fit(folder),
        "futures": load_futures(folder),
        "folder": folder,
        "manifest": read_manifest(folder),
        "evidence": pd.read_csv(folder / "tables" / "evidence.csv"),
    }


@pytest.fixture(autouse=True)
def names(doctest_namespace, shipped, tmp_path, monkeypatch):
    """Put the names into every example, and its files where they do no harm."""
    monkeypatch.chdir(tmp_path)
    doctest_namespace.update(shipped)
