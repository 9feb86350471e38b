"""The store of fits and programs: sealed, its owner's alone, bounded, and never more than a matter of time."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

import bayes
from bayes import cache
from bayes.cache import CacheWarning, can_keep, holds, keep, kept, key_of, state


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cache and a secret of this test's own."""
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    forget()
    yield tmp_path / "cache"
    forget()


def forget():
    for known in (cache._opened, cache._secret, cache._tell):
        known.cache_clear()


def test_what_is_kept_is_found_and_what_is_not_is_none(place):
    assert kept("programs", "one.bin") is None
    keep("programs", "one.bin", b"code")
    keep("fits", "two.nc", lambda path: path.write_bytes(b"draws"))
    assert (kept("programs", "one.bin"), kept("fits", "two.nc")) == (b"code", b"draws")
    assert holds("programs", "one.bin")
    assert not holds("programs", "two.bin")


def test_folders_and_secret_are_their_owners_alone_whatever_the_umask(place, tmp_path):
    before = os.umask(0)
    try:
        keep("programs", "one.bin", b"code")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (place, place / "programs", tmp_path / "config/bayes")}
    assert set(modes.values()) == {0o700}, modes
    assert (tmp_path / "config/bayes/cache.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", ["flipped", "cut", "empty", "swapped", "hashed", "another secret"])
def test_what_another_has_written_or_changed_is_not_believed_and_removed(change, place, tmp_path):
    keep("programs", "one.bin", b"code")
    path = place / "programs" / "one.bin"
    data = path.read_bytes()
    if change == "swapped":  # an entry of one name under another
        keep("programs", "two.bin", b"other code")
        data = (place / "programs" / "two.bin").read_bytes()
    made = {"flipped": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1], "empty": b"",
            "hashed": b"evil" + hashlib.sha256(b"evil").digest()}.get(change, data)  # fmt: skip
    path.write_bytes(made)
    if change == "another secret":
        (tmp_path / "config/bayes/cache.key").write_bytes(bytes(32))
        forget()
    assert kept("programs", "one.bin") is None
    assert not path.exists()


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_machine_code_of_another_is_never_unpickled(place, tmp_path, monkeypatch):
    """A pickle with a matching hash ran a command here."""
    import numpy as np

    from bayes.sampling.programs import double_precision, load_program

    monkeypatch.chdir(tmp_path)
    with double_precision():
        arguments = (np.ones(3),)
        assert float(load_program("k" * 64, lambda: (lambda x: x.sum(), arguments))(*arguments)) == 3
        (code,) = place.rglob("*.exe")
        payload = pickle.dumps(Evil())
        for data in (payload, payload + hashlib.sha256(payload).digest(), hashlib.sha256(payload).digest() + payload):
            code.write_bytes(data)
            assert float(load_program("k" * 64, lambda: (lambda x: x.sum(), arguments))(*arguments)) == 3
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("moved", ["jax.experimental.serialize_executable", "jaxlib.lapack"])
def test_where_jax_has_no_such_module_any_more_programs_are_compiled_afresh(moved, place, monkeypatch):
    import importlib

    import numpy as np

    from bayes.sampling.programs import double_precision, load_program

    home, _, name = moved.rpartition(".")
    for gone in (False, True):
        if gone:
            importlib.import_module(moved)
            monkeypatch.delattr(importlib.import_module(home), name)
            monkeypatch.setitem(sys.modules, moved, None)
        with double_precision():
            assert float(load_program("m" * 64, lambda: (lambda x: x.sum(), (np.ones(3),)))(np.ones(3))) == 3


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707, 0o1777])
def test_a_folder_others_can_write_is_refused_once_and_nothing_kept(mode, place):
    place.mkdir()
    place.chmod(mode)
    with pytest.warns(CacheWarning, match=r"nothing is kept.*only costs time.*chmod 700") as told:
        keep("programs", "one.bin", b"code")
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kept("programs", "one.bin") is None
    assert list(place.iterdir()) == []
    assert not can_keep("programs")
    assert holds("programs", "one.bin")  # nothing will come of waiting for it


def give_away(path, monkeypatch):
    """Let a path belong to another user: truly where we may give it away, otherwise for who asks."""
    with suppress(PermissionError):
        os.chown(path, 12345, 12345)
        return
    judge = cache._shared

    def judged(one, found, others):
        owned = os.stat_result([*found[:4], 12345, *found[5:]]) if one == path else found
        return judge(one, owned, others)

    monkeypatch.setattr(cache, "_shared", judged)


@pytest.mark.parametrize("whose", ["cache", "programs", "config/bayes/cache.key"])
def test_what_belongs_to_another_user_is_refused(whose, place, tmp_path, monkeypatch):
    keep("programs", "one.bin", b"code")
    path = {"cache": place, "programs": place / "programs"}.get(whose, tmp_path / whose)
    give_away(path, monkeypatch)
    forget()
    with pytest.warns(CacheWarning, match="another user \\(user id 12345\\)"):
        assert kept("programs", "one.bin") is None


@pytest.mark.parametrize("content", [b"", b"short", bytes(64)])
def test_a_secret_that_is_none_is_refused(content, place, tmp_path):
    (tmp_path / "config/bayes").mkdir(parents=True)
    (tmp_path / "config/bayes/cache.key").write_bytes(content)
    with pytest.warns(CacheWarning, match="is not the secret"):
        keep("programs", "one.bin", b"code")


def test_a_secret_others_can_read_is_refused(place, tmp_path):
    keep("programs", "one.bin", b"code")
    (tmp_path / "config/bayes/cache.key").chmod(0o644)
    forget()
    with pytest.warns(CacheWarning, match="chmod 600"):
        assert kept("programs", "one.bin") is None


def test_without_home_and_name_nothing_is_kept(monkeypatch):
    for name in ("HOME", "BAYES_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    forget()
    with pytest.warns(CacheWarning, match="set BAYES_CACHE and XDG_CONFIG_HOME"):
        keep("programs", "one.bin", b"code")
    assert state()[0] is None
    forget()


@pytest.mark.parametrize("way", ["a file in the way", "no room", "removed meanwhile", "cannot be removed"])
def test_what_cannot_be_written_or_removed_only_costs_time(way, place, monkeypatch):
    keep("programs", "one.bin", b"code")
    full = OSError(28, "No space left on device")

    def failing(*arguments, **named):
        raise full

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if way == "a file in the way":
            monkeypatch.setenv("BAYES_CACHE", str(place / "programs" / "one.bin"))
        elif way == "no room":
            monkeypatch.setattr(Path, "write_bytes", failing)
        elif way == "removed meanwhile":
            (place / "programs" / "one.bin").unlink()
            (place / "programs").rmdir()
        else:
            (place / "programs" / "one.bin").write_bytes(b"damaged")
            monkeypatch.setattr(Path, "unlink", failing)
        keep("programs", "two.bin", b"more")
        keep("fits", "three.nc", failing)
        found = kept("programs", "one.bin"), kept("programs", "two.bin"), kept("fits", "three.nc")
    wanted = {"no room": (b"code", None, None), "cannot be removed": (None, b"more", None)}
    assert found == wanted.get(way, (None, None, None))
    monkeypatch.undo()


def test_the_least_recently_used_go_first_and_so_does_what_was_never_finished(place, monkeypatch):
    monkeypatch.setattr(cache, "MANY", 3)
    for i in range(3):
        keep("programs", f"{i}.bin", b"code")
        os.utime(place / "programs" / f"{i}.bin", (i, i))
    (place / "programs" / ".left.bin.0").write_bytes(b"")
    os.utime(place / "programs" / ".left.bin.0", (0, 0))
    (place / "programs" / ".begun.bin.0").write_bytes(b"")
    assert kept("programs", "0.bin") == b"code"  # used now, so it stays
    keep("programs", "3.bin", b"code")
    assert sorted(path.name for path in (place / "programs").iterdir()) == [".begun.bin.0", "0.bin", "2.bin", "3.bin"]


MANY_AT_ONCE = """
import sys
from bayes.cache import keep, kept
for i in range(40):
    keep("fits", f"{sys.argv[1]}_{i}.nc", b"x" * 1000)
    assert kept("fits", f"{sys.argv[1]}_{i}.nc") in (None, b"x" * 1000)
"""


def test_many_processes_keep_and_evict_in_one_cache(place):
    """And make one secret: what one keeps, the others believe."""
    here = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(bayes.__file__).parents[1]), *filter(None, sys.path)]),
    }
    jobs = [subprocess.Popen([sys.executable, "-c", MANY_AT_ONCE, str(k)], env=here, stderr=subprocess.PIPE)
            for k in range(6)]  # fmt: skip
    said = [job.communicate(timeout=60)[1].decode() for job in jobs]
    assert said == [""] * 6
    names = [path.name for path in (place / "fits").iterdir()]
    assert len(names) <= cache.KEPT["fits"] + 6
    assert all(kept("fits", name) for name in names if not name.startswith("."))


ARM = "processor\t: 0\nBogoMIPS\t: 48.00\nFeatures\t: fp asimd {extra}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n"


def test_processors_that_differ_have_names_that_differ(tmp_path, monkeypatch):
    """``/proc/cpuinfo`` of ARM knows neither model name nor flags."""
    texts = [ARM.format(extra=extra, part=part) for extra in ("", "sve") for part in ("0xd0c", "0xd40")]
    texts.append(texts[0].replace("48.00", "50.00"))  # what a processor does now is no ability
    found = []
    for i, text in enumerate(texts):
        (tmp_path / f"{i}").write_text(text)
        found.append(tuple(cache._told_by_linux(tmp_path / f"{i}")))
    assert len(set(found)) == 4
    assert found[0] == found[-1]
    assert cache._told_by_linux(tmp_path / "none") == []


def test_a_processor_of_which_nothing_is_known_is_its_machines_own(monkeypatch):
    names = set()
    for node in ("one", "two"):
        monkeypatch.setattr(cache, "_told_by_linux", lambda: [])
        monkeypatch.setattr("platform.processor", lambda: "")
        monkeypatch.setattr("platform.node", lambda node=node: node)
        names.add(cache.processor.__wrapped__())
    assert len(names) == 2


def test_keys_tell_code_and_processor_apart(monkeypatch):
    assert key_of("a") != key_of("a", compiled=True)
    before = key_of("a")
    monkeypatch.setattr(cache, "code_hash", lambda: "other code")
    assert key_of("a") != before
