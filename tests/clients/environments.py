"""Environments of their own for published client libraries, made once and kept under `.cache/clients/`.

A library's dependencies must not meet the mock's, and two versions of one library cannot share an environment. What goes
into one is pinned with hashes in `requirements/<name>-<version>.txt`. To renew such a file:

    echo 'openapp-sdk[pydantic]==2.0.0' | uv pip compile - --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate -o tests/clients/requirements/openapp-sdk-2.0.0.txt
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.server import ROOT

HERE = Path(__file__).resolve().parent
CACHE = ROOT / ".cache" / "clients"
LONGEST_WAIT = 300.0


def python_with(name: str, version: str) -> Path:
    """The interpreter of an environment that has this release of the library. Skips where no wheel fits this Python."""
    requirements = HERE / "requirements" / f"{name}-{version}.txt"
    wanted = f"{sys.version} {sysconfig.get_platform()}\n{requirements.read_text(encoding='utf-8')}"
    key = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{version}" / key
    finished = folder / "finished"
    with _one_at_a_time(folder.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, symlinks=os.name != "nt", with_pip=True)
            _install(name, version, requirements, _python_in(folder))
            finished.touch()
    return _python_in(folder)


def _install(name: str, version: str, requirements: Path, python: Path) -> None:
    command: list[str | Path] = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_WAIT)
    if done.returncode == 0:
        return
    # pip says the same when it cannot reach an index; then it has also told of its attempts.
    if f"No matching distribution found for {name}" in done.stderr and "Retrying (" not in done.stderr:
        running = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        pytest.skip(f"there is no wheel of {name} {version} for {running} on {sysconfig.get_platform()}")
    raise AssertionError(f"cannot install {requirements.name}: {done.stderr}")


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Holds a lock on the file across processes, on every platform; a process that dies gives it back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=LONGEST_WAIT, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
