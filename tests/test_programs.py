"""LibreOffice and Chromium for the tests: installed where that needs no question, and never missed in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("libreoffice-calc", "chromium")
MARKED = {"tests/test_workbook.py": "LibreOffice Calc (soffice)", "tests/test_pages.py": "Chromium (chromium)"}
"""Tests of which some need a program, and what it is called."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links, sh and make")


def programs(folder: Path, **written: str) -> Path:
    """Return a folder with the few programs that a shell needs, and with made-up ones, each a line of shell."""
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, line in written.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
    return folder


def asked_of_apt(root: Path, folder: Path, **written: str) -> list[str]:
    """Return how `make programs` calls apt-get when the machine has these programs only; it must not fail."""
    log = folder / "calls"
    written = {"apt_get": f'echo "$@" >> {log}; exit 1', **written}
    path = programs(folder / "bin", **written)
    make = [shutil.which("make") or "make", "--no-print-directory", "programs"]
    subprocess.run(make, cwd=root, env={"PATH": str(path)}, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize(
    ("written", "installs"),
    [
        ({"id": "echo 0"}, PACKAGES),
        ({"id": "echo 1000", "sudo": '[ "$2" = true ] || { shift; "$@"; }'}, PACKAGES),
        ({"id": "echo 1000", "sudo": "exit 1"}, ()),
        ({"id": "echo 1000"}, ()),
        ({"id": "echo 0", "soffice": ""}, ("chromium",)),
        ({"id": "echo 0", "google_chrome": ""}, ("libreoffice-calc",)),
        ({"id": "echo 0", "libreoffice": "", "chromium": ""}, ()),
    ],
    ids=["root", "sudo without a password", "sudo with a password", "no sudo", "Calc there", "Chrome there", "both"],
)
def test_make_installs_programs_only_where_it_need_not_ask(
    root: Path, tmp_path: Path, written: dict[str, str], installs: tuple[str, ...]
) -> None:
    """apt-get fails here each time, and `make programs` still succeeds and asks for the next."""
    calls = asked_of_apt(root, tmp_path, **written)
    assert tuple(call.split()[-1] for call in calls if "install" in call) == installs
    assert bool(calls) == bool(installs)


@pytest.mark.parametrize("ci", ["false", "true"])
def test_without_programs_the_tests_say_which_of_them_did_not_run(root: Path, tmp_path: Path, ci: str) -> None:
    """Outside CI they are left out, by name; in CI they fail. The last line is pytest's own in both."""
    env = {**os.environ, "PATH": str(programs(tmp_path / "bin")), "CI": ci}
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "office or browser", *MARKED]
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=120)
    lines = done.stdout.strip().splitlines()
    for file, told in MARKED.items():
        if ci == "true":
            assert f"{told} is not there" in done.stdout
        else:
            assert any(line.startswith(f"no {told}: did not run {file}::test_") for line in lines)
    assert ("error" if ci == "true" else "deselected") in lines[-1]
    assert ci == "false" or done.returncode == 1
