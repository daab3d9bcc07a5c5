"""What docs/importing.md says is what happens."""

import re
import shlex
from pathlib import Path

from clients.cli.transfer_table import CSV, MANAGER, SET_BY_DIRECTORY
from tests.cli.conftest import Userdir
from tests.cli.transfer import csv
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def test_the_examples_do_what_they_say(userdir: Userdir, tmp_path: Path):
    """Files, commands and what the last of them prints, from the first to the last."""
    out, compared = "", 0
    for kind, text in FENCES:
        if kind in ("csv", "jsonl"):
            csv(tmp_path, *text.splitlines(), name=f"people.{kind}")
        elif kind == "sh":
            for line in text.splitlines():
                words = [
                    str(tmp_path / word) if word.startswith("people.") else word
                    for word in shlex.split(line)[1:]
                ]
                done = await userdir(*words)
                refuses = "1 refused" in done.out
                assert done.status == (1 if refuses else 0), done
                out = done.out
        else:
            assert text == out
            compared += 1

    assert 5 == compared
    assert (tmp_path / "people.rejected.csv").exists()


def test_the_columns_are_those_of_the_contract():
    """Every column that the table names is there."""
    named = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))

    assert {*named} <= {*CSV, *SET_BY_DIRECTORY, MANAGER}
    assert 15 <= len(named)
