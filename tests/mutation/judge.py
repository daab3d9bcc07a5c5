"""Takes a piece out of a copy of the tree and sees whether a test fails."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_COPIED = (
    "README.md",
    "clients",
    "core_service",
    "docs",
    "protos",
    "pyproject.toml",
    "scim_gateway",
    "tests",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    A piece taken out.

    Attributes:
        name: What it is: the number of a rule, or a tolerance.
        file: Where it is, relative to the tree.
        old: The text that makes it; there once.
        new: The text without it.
        test: What must fail then, a name in `tests`: `coverage/test_roles.py::test_x`.
    """

    name: str
    file: str
    old: str
    new: str
    test: str


class JudgeError(Exception):
    """A mutant of which nothing can be said; the message says why."""


def is_there(mutant: Mutant, tree: Path = ROOT) -> bool:
    """Return whether the text of a mutant is in its file exactly once."""
    return (tree / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


def copy(tree: Path) -> None:
    """
    Copy the working tree to *tree*, whose modules shadow the installed ones.

    Raises:
        JudgeError: They do not.
    """
    ignored = shutil.ignore_patterns("__pycache__", "*.db")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignored)
        else:
            shutil.copy(source, tree / name)
    code = "import core_service.core as c, userdirectory.text as t; print(c.__file__, t.__file__)"
    if _run(tree, "-c", code).stdout.count(str(tree)) != 2:
        raise JudgeError("Programs in the copy do not import the copy.")


def is_killed(tree: Path, mutant: Mutant) -> bool:
    """
    Return whether the test of *mutant* fails in *tree* while it is applied; prints the verdict.

    Raises:
        JudgeError: Its text is not in its file exactly once, or its test does not run.
    """
    if not is_there(mutant, tree):
        raise JudgeError(f"{mutant.name}: {mutant.file} has not once: {mutant.old!r}")
    file = tree / mutant.file
    text = file.read_text(encoding="utf-8")
    began = time.monotonic()
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        killed = not passes(tree, mutant.test)
    finally:
        file.write_text(text, encoding="utf-8")
    verdict = "killed" if killed else "SURVIVED"
    seconds = time.monotonic() - began
    print(f"{verdict:8} {seconds:5.1f} s  {mutant.name}  {mutant.test}", flush=True)
    return killed


def passes(tree: Path, *tests: str) -> bool:
    """
    Return whether tests pass in *tree*, on SQLite.

    Raises:
        JudgeError: They do not run.
    """
    paths = [f"tests/{test}" for test in tests]
    done = _run(tree, "-m", "pytest", "-x", "-k", "not postgresql", *paths)
    # 1: a test failed. Anything else says nothing of the mutant.
    if done.returncode not in (0, 1):
        raise JudgeError(done.stdout + done.stderr)
    return done.returncode == 0


def _run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(tree), str(tree / "protos"))),
        # Two versions of a file within a second would share their bytecode.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
