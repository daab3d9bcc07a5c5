"""Runs the commands of a page of the documents from top to bottom, as a reader would."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT, Program

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "--- end of a block ---"
# grpcurl is a program of its own that readers may have; buf asks the same over the same wire.
_GRPCURL = """#!/bin/sh
# grpcurl -plaintext [-H header] [-d body] host:port [list | service/Method]
while [ $# -gt 0 ]; do
  case "$1" in
    -plaintext) shift ;;
    -H) header="$2"; shift 2 ;;
    -d) body="$2"; shift 2 ;;
    *) break ;;
  esac
done
set -- "http://$1" "${2:-}"
if [ "$2" = list ]; then
  exec buf curl --http2-prior-knowledge --protocol grpc --list-services "$1"
fi
exec buf curl --http2-prior-knowledge --protocol grpc -H "${header:-x-none: none}" \\
  -d "${body:-{\\}}" "$1/$2"
"""


def blocks(page: Path, *, under: str = "") -> list[str]:
    """Return the shell commands of a page, block by block; only those *under* a heading."""
    text = page.read_text(encoding="utf-8")
    if under:
        found = re.search(rf"^## {re.escape(under)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert found is not None, f"{page.name} has no heading {under!r}"
        text = found[1]
    return _SHELL.findall(text)


class Tour:
    """
    A directory that was started by `userdir serve` in a folder, and a shell beside it.

    Args:
        folder: Where `var` is made, and where the commands run.
    """

    def __init__(self, folder: Path, program: Program) -> None:
        """Wait until the directory serves."""
        program.wait_for("Ctrl-C stops")
        self._folder = folder
        content = json.loads((folder / "var" / "demo.json").read_text())
        base_url = next(iter(content["workspaces"].values()))["base_url"]
        # Readers have the usual ports; tests run beside others.
        self._places = {
            "127.0.0.1:50051": content["grpc"],
            "http://127.0.0.1:8080": base_url.removesuffix("/scim/v2"),
        }
        programs = folder / "programs"
        programs.mkdir(exist_ok=True)
        (programs / "grpcurl").write_text(_GRPCURL)
        (programs / "grpcurl").chmod(0o755)
        venv = Path(sys.executable).parent
        (folder / ".venv").symlink_to(venv.parent)
        path = os.pathsep.join((str(programs), str(venv), os.environ["PATH"]))
        self._environment = os.environ | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1"}

    def run(self, commands: list[str]) -> list[str]:
        """Return what each block prints; AssertionError for the first command that fails."""
        script = f"\necho '{_END}'\n".join(commands)
        for usual, actual in self._places.items():
            script = script.replace(usual, actual)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        printed = done.stdout.split(f"{_END}\n")
        assert done.returncode == 0, (
            f"block {len(printed)} of {len(commands)} fails:\n{commands[len(printed) - 1]}\n"
            f"{printed[-1]}"
        )
        return printed


def served(folder: Path) -> Program:
    """Return `userdir serve`, started with its data in the folder's `var`."""
    arguments = ("serve", "--http-port=0", "--grpc-port=0", f"--data={folder / 'var'}")
    return Program("clients.cli.main", *arguments, settings={"PYTHONPATH": _python_path()})


def _python_path() -> str:
    return os.pathsep.join((str(ROOT), str(ROOT / "protos")))
