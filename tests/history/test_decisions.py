"""The table of what decides: total over reasons and notices, of rules and settings that exist."""

import csv
import re

import pytest
from userdirectory.errors import DirectoryError, reasons
from userdirectory.v1.notice_pb2 import NoticeCode

from core_service import decisions
from core_service.notice_rules import NOTICES, OUTCOMES
from core_service.policy import SETTINGS
from core_service.refusal_rules import REFUSALS, TOLD_APART_BY, VARIANTS, Decision
from tests.rules_table import STATEMENTS

OURS = re.compile(r"D-\d\d|RFC \d{4} section \d+(\.\d+)*")
DEEDS = [*NOTICES.values(), *OUTCOMES.values()]


def of(reason: str) -> list[Decision]:
    return [REFUSALS[reason], *VARIANTS.get(reason, {}).values()]


def rules() -> set[str]:
    with STATEMENTS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["rule"] for row in rows}


def test_every_reason_and_every_notice_has_its_rule():
    """A new one needs an entry."""
    assert list(REFUSALS) == reasons()
    assert [f"NOTICE_CODE_{name}" for name in NOTICES] == NoticeCode.keys()[1:]
    assert VARIANTS.keys() == TOLD_APART_BY.keys()


def test_rules_and_settings_exist():
    """Each names a rule of the table, a decision or a section of an RFC, and settings there are."""
    every = [*DEEDS, *(decision for reason in REFUSALS for decision in of(reason))]
    known = rules()

    assert [] == [d.rule for d in every if d.rule not in known and not OURS.fullmatch(d.rule)]
    assert {name for decision in every for name in decision.settings} <= set(SETTINGS)
    assert all(decision.text.endswith(".") for decision in every)


def test_every_refusal_has_a_remedy_and_no_deed_has_one():
    """What to do is said of refusals alone."""
    assert all(decision.remedy.endswith(".") for reason in REFUSALS for decision in of(reason))
    assert not any(decision.remedy for decision in DEEDS)


@pytest.mark.parametrize("reason", ["", *REFUSALS])
def test_a_rule_has_one_sentence_where_it_is_looked_up(reason):
    """Among what may have decided on an entry, the rule alone leads to its sentence."""
    known = of(reason) if reason else DEEDS
    sentences = {(decision.rule, decision.text) for decision in known}

    assert len(sentences) == len({decision.rule for decision in known})
    for rule, sentence in sentences:
        assert decisions.text(f"ERROR_REASON_{reason}" if reason else "", rule) == sentence


@pytest.mark.parametrize(
    ("reason", "operation", "metadata", "rule", "settings"),
    [
        ("FIELD_INVALID", "CreateUser", {"field": "title"}, "RFC 7644 section 3.12", ()),
        ("FIELD_INVALID", "CreateUser", {"field": "time_zone"}, "R-114", ()),
        (
            "FIELD_INVALID",
            "CreateUser",
            {"field": "name.given_name", "missing": "name.given_name"},
            "R-139",
            ("required",),
        ),
        # The name of somebody who exists: the policy's choice on a create, nobody's on a rename.
        ("VALUE_TAKEN", "CreateUser", {"field": "user_name"}, "R-162", ("on_existing",)),
        ("VALUE_TAKEN", "PatchUser", {"field": "user_name"}, "R-162", ()),
        ("LIMIT_REACHED", "CreateGroup", {"what": "groups"}, "R-175", ("max_groups",)),
        ("LIMIT_REACHED", "RotateToken", {"what": "tokens"}, "D-23", ()),
        # A word of the request itself is no attribute that a mapping could have.
        ("FIELD_UNKNOWN", "ListUsers", {"field": "order_by"}, "RFC 7644 section 3.12", ()),
    ],
)
def test_metadata_tells_the_rules_of_a_reason_apart(reason, operation, metadata, rule, settings):
    """A reason that stands for several rules names the one that decided."""
    decision = decisions.of_refusal(DirectoryError(reason, "No.", **metadata), operation)

    assert (decision.rule, decision.settings) == (rule, settings)
