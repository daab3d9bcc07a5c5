"""
The table of rules: which test proves which rule, from the marks that the tests carry.

A pytest plugin. `pytest --rules-table` collects every test, runs none and writes `docs/rules.md`
from `docs/rules.tsv` and the marks `@pytest.mark.rule("R-150", ...)`; with `--rules-table-path` it
writes elsewhere. If a test cannot be collected, it writes nothing.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATEMENTS = ROOT / "docs" / "rules.tsv"
TABLE = ROOT / "docs" / "rules.md"
CLASSES = {
    "S": "a rule of the core",
    "G": "protocol or mapping, the gateway's",
    "B": "commercial, a port of the core",
    "I": "happens in the identity provider",
}
MOST_TESTS = 6


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that write the table."""
    parser.addoption("--rules-table", action="store_true", help="write docs/rules.md, run nothing")
    parser.addoption("--rules-table-path", type=Path, default=TABLE, help="where to write it")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the table when it is asked for."""
    if session.config.getoption("--rules-table") and not session.testsfailed:
        path: Path = session.config.getoption("--rules-table-path")
        path.write_text(table(statements(), proofs(session.items)), encoding="utf-8")


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run nothing when only the table is wanted."""
    wanted = session.config.getoption("--rules-table") and not session.testsfailed
    return True if wanted else None


def statements() -> list[dict[str, str]]:
    """Return the rules in their order: `rule`, `class`, `presets`, `statement`, `guide`."""
    with STATEMENTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def proofs(items: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """Return the tests of each number: `{"R-150": ["tests/rules/test_admins.py::test_x"]}`."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for item in items:
        for mark in item.iter_markers("rule"):
            for number in mark.args:
                found[number][re.sub(r"\[.*", "", item.nodeid)] = None
    return {number: sorted(tests) for number, tests in found.items()}


def table(rules: Sequence[Mapping[str, str]], tests: Mapping[str, Sequence[str]]) -> str:
    """Return the document."""
    lines = [
        "# The rules and their proofs",
        "",
        "What three products promise of their provisioning, one statement a row, and the tests",
        "that fail when the rule is taken out. Written by `pytest --rules-table`; do not edit.",
        "",
        "Classes: " + "; ".join(f"**{key}** {text}" for key, text in CLASSES.items()) + ".",
        "",
        "| Rule | Class | Presets | Statement | Proved by |",
        "|---|---|---|---|---|",
    ]
    for rule in rules:
        names = [f"`{_short(test)}`" for test in tests.get(rule["rule"], ())]
        more = len(names) - MOST_TESTS
        shown = ", ".join(names[:MOST_TESTS]) + (f" and {more} more" if more > 0 else "")
        proved = "; ".join(text for text in (shown, rule["guide"]) if text)
        lines.append(
            f"| {rule['rule']} | {rule['class']} | {rule['presets']} | {rule['statement']} "
            f"| {proved} |"
        )
    return "\n".join(lines) + "\n"


def _short(test: str) -> str:
    path, _, name = test.partition("::")
    return f"{path.removeprefix('tests/')}::{name}"
