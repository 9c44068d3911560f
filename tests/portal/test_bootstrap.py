"""The environment is made from a hash-pinned lock, again when the lock changes, by nothing but Python and pip."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from portal.bootstrap import DEVELOPMENT_LOCK, LOCK, BootstrapError, Environment
from portal.state import PROJECT

PYTHON = str(getattr(sys, "_base_executable", sys.executable))  # ours is an environment without pip


class Index:
    """A folder of wheels and the two locks that pin them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.locks = folder / "a project"
        self.locks.mkdir()
        self.environment = Environment(self.locks / ".venv", self.locks, PYTHON)

    def wheel(self, name: str, version: str) -> str:
        """Make it, and give its line for a lock."""
        file, about = self.folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
        members = {
            f"{name}.py": f"version = {version!r}\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": "",
        }
        with zipfile.ZipFile(file, "w") as wheel:
            for path, text in members.items():
                wheel.writestr(zipfile.ZipInfo(path), text)  # of no time: made again, it has the same hash
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"

    def pin(self, lock: str, *lines: str) -> None:
        source = f"--no-index\n--find-links {self.folder}\n"
        (self.locks / lock).write_text(source + "".join(lines), encoding="utf-8")

    def installed(self, name: str) -> str | None:
        command = [self.environment.python, "-c", f"import {name}; print({name}.version)"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() or None


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Without uv, as on a fresh machine; what it has to do with it is tested where it is there."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    index = Index(tmp_path)
    index.pin(LOCK, index.wheel("needed", "1.0"))
    index.pin(DEVELOPMENT_LOCK, index.wheel("needed", "1.0"), index.wheel("testing", "1.0"))
    return index


def test_it_makes_an_environment_once(index: Index) -> None:
    index.environment.ensure(LOCK)
    assert index.installed("needed") == "1.0"
    assert index.installed("testing") is None
    assert index.installed("pip") is None
    made = index.environment.python.lstat().st_ctime_ns
    (index.folder / "needed-1.0-py3-none-any.whl").unlink()  # a second installation would miss it
    index.environment.ensure(LOCK)
    assert index.environment.python.lstat().st_ctime_ns == made


def test_it_follows_the_lock(index: Index) -> None:
    index.environment.ensure(LOCK)
    index.pin(LOCK, index.wheel("needed", "2.0"))
    index.environment.ensure(LOCK)
    assert index.installed("needed") == "2.0"


def test_the_tests_need_more_and_leave_it_there(index: Index) -> None:
    index.environment.ensure(LOCK)
    index.environment.ensure(DEVELOPMENT_LOCK)
    assert index.installed("testing") == "1.0"
    assert index.environment.satisfies(LOCK)
    index.pin(DEVELOPMENT_LOCK, index.wheel("needed", "2.0"), index.wheel("testing", "2.0"))
    index.environment.ensure(LOCK)
    assert index.installed("testing") == "2.0"


def test_it_takes_nothing_that_differs_from_its_hash(index: Index) -> None:
    index.pin(LOCK, f"needed==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(
        BootstrapError, match=r"could not install requirements\.lock: a package differs from its pinned hash"
    ):
        index.environment.ensure(LOCK)
    assert index.installed("needed") is None
    assert not index.environment.satisfies(LOCK)


def test_it_says_that_the_index_is_out_of_reach(index: Index) -> None:
    source = "--index-url http://127.0.0.1:9/simple\n"  # nothing listens on the discard port
    (index.locks / LOCK).write_text(source + index.wheel("needed", "1.0"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_RETRIES", "1")
        with pytest.raises(BootstrapError, match="no connection to the package index"):
            index.environment.ensure(LOCK)


def test_it_is_made_again_when_its_python_is_gone(index: Index) -> None:
    index.environment.ensure(LOCK)
    index.environment.python.unlink()
    index.environment.python.symlink_to("/nonexistent/python3")
    index.environment.ensure(LOCK)
    assert index.installed("needed") == "1.0"


def test_runs_at_the_same_time_make_it_once(index: Index) -> None:
    code = (
        "import sys; from pathlib import Path; from portal.bootstrap import Environment, LOCK;"
        "folder = Path(sys.argv[1]); Environment(folder / '.venv', folder).ensure(LOCK)"
    )
    command = [PYTHON, "-c", code, str(index.locks)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) for _ in range(4)]
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert sum("Installing" in each for each in said) == 1
    assert index.installed("needed") == "1.0"


def test_it_uses_uv_where_that_works(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    uv = programs / "uv"
    uv.write_text('#!/bin/sh\necho "$@" > "$0.called"\nexit 1\n', encoding="utf-8")
    uv.chmod(0o755)
    index.environment.ensure(LOCK)
    assert "--require-hashes" in (programs / "uv.called").read_text(encoding="utf-8")
    assert index.installed("needed") == "1.0", "by pip, since this uv does not work"


def test_a_command_goes_on_inside_the_environment(index: Index) -> None:
    """From any folder, in a checkout whose path has spaces, with the arguments as they were."""
    (index.locks / "portal" / "runner").mkdir(parents=True)
    for name in ("manage.py", "portal/__init__.py", "portal/bootstrap.py"):
        shutil.copy(PROJECT / name, index.locks / name)
    (index.locks / "portal/runner/__init__.py").touch()
    entry = "import sys, needed\n\ndef run(arguments):\n    print(sys.prefix, arguments[1:])\n    return 7\n"
    (index.locks / "portal/runner/entry.py").write_text(entry, encoding="utf-8")
    command = [PYTHON, str(index.locks / "manage.py"), "demo", "a b", "--c=d"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip() == f"{index.locks / '.venv'} ['demo', 'a b', '--c=d']"


def test_an_image_that_brings_its_packages_needs_none(index: Index) -> None:
    environment = {**os.environ, "PORTAL_NO_BOOTSTRAP": "1", "PYTHONPATH": str(PROJECT)}
    code = "from portal import bootstrap; bootstrap.ensure_environment('up'); print('went on')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "went on\n"
