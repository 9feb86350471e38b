"""The folder of compiled programs: what was used last stays, and it does not grow for ever."""

import os

from bayes.sampling import programs
from bayes.sampling.programs import read_kept, write_kept


def test_the_least_recently_used_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "KEPT", 3)
    for i in range(3):
        write_kept(tmp_path / f"{i}.bin", b"code")
        os.utime(tmp_path / f"{i}.bin", (i, i))
    assert read_kept(tmp_path / "0.bin") == b"code"  # used now, so it stays
    write_kept(tmp_path / "3.bin", b"code")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.bin", "2.bin", "3.bin"]
    assert read_kept(tmp_path / "1.bin") is None
