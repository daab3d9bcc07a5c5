"""The table of rules says what the tests prove, and the tests prove every rule."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rules_table import ROOT, TABLE, statements

# The table is collected once, in one process.
pytestmark = pytest.mark.xdist_group("rules table")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the table as `pytest --rules-table` writes it now."""
    path = tmp_path_factory.mktemp("rules") / "rules.md"
    command = [sys.executable, "-m", "pytest", "--rules-table", f"--rules-table-path={path}"]
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return path.read_text(encoding="utf-8")


def _proofs(table: str) -> Mapping[str, str]:
    """Return the last column by the number of the rule."""
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| R-")]
    return {row[0].removeprefix("| "): row[-1].removesuffix("|").strip() for row in rows}


def test_the_table_is_up_to_date(written: str):
    """docs/rules.md is what `pytest --rules-table` writes."""
    assert written == TABLE.read_text(encoding="utf-8")


def test_every_rule_of_ours_has_a_test(written: str):
    """A rule of the core, of the gateway or of a port is proved by a test."""
    proofs = _proofs(written)
    ours = [rule["rule"] for rule in statements() if rule["class"] in ("S", "G", "B")]

    assert [] == [number for number in ours if "::" not in proofs[number]]


def test_every_rule_is_proved_by_something(written: str):
    """What happens in the identity provider has a dialog or a sentence of the guide."""
    proofs = _proofs(written)

    assert [f"R-{number:03}" for number in range(1, 185)] == list(proofs)
    assert [] == [number for number, proof in proofs.items() if not proof]


def test_dialogs_that_are_named_exist():
    """The column `guide` names dialogs that are there."""
    for rule in statements():
        for word in rule["guide"].replace("`", " ").replace(",", " ").split():
            if word.startswith("tests/"):
                assert (ROOT / Path(word)).is_file(), rule["rule"]
