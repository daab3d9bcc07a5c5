"""Four workspaces hear the same and end as their presets say, whichever door it comes through."""

import json
import re
from typing import Any

import pytest

from scim_gateway.errors import STATUSES
from tests.presets.record import STATES
from tests.presets.replay import CALLS, DIALOG, HERE, PRESETS, by_grpc, by_scim
from tests.system import System

EXPECTED: dict[str, dict[str, Any]] = {
    name: json.loads((STATES / f"{name}.json").read_text(encoding="utf-8")) for name in PRESETS
}


def _answers(preset: str, part: int) -> dict[str, str]:
    answers: dict[str, str] = EXPECTED[preset]["answers"]
    return {step: answer.split(" / ")[part] for step, answer in answers.items()}


@pytest.mark.rule("R-005", "R-020", "R-021", "R-023", "R-037", "R-150", "R-173")
@pytest.mark.parametrize("preset", PRESETS)
async def test_the_dialog_by_scim(directory: System, preset: str):
    """Every step is answered, and the workspace ends, as the file of the preset says."""
    outcome = await by_scim(directory, PRESETS[preset])

    assert _answers(preset, 0) == outcome.answers
    assert EXPECTED[preset]["users"] == outcome.users
    assert EXPECTED[preset]["groups"] == outcome.groups


@pytest.mark.rule("R-005", "R-020", "R-021", "R-023", "R-037", "R-150", "R-173")
@pytest.mark.parametrize("preset", PRESETS)
async def test_the_same_intents_by_grpc(directory: System, preset: str):
    """The rules are the core's: without the gateway the reasons and the end are the same."""
    outcome = await by_grpc(directory, PRESETS[preset])

    assert _answers(preset, 1) == outcome.answers
    assert EXPECTED[preset]["users"] == outcome.users
    assert EXPECTED[preset]["groups"] == outcome.groups


def test_both_lists_have_the_same_steps():
    """The dialog and the calls are the same intents in the same order."""
    assert [step["name"] for step in DIALOG] == [step["name"] for step in CALLS]
    assert len(DIALOG) >= 40


@pytest.mark.parametrize("preset", PRESETS)
def test_each_status_is_that_of_the_reason(preset: str):
    """What a SCIM client is told is what the core's reason means in SCIM."""
    for step, answer in EXPECTED[preset]["answers"].items():
        scim, _, reason = answer.partition(" / ")
        if not reason.startswith("OK"):
            status, scim_type = STATUSES[reason]

            assert f"{status} {scim_type}".strip() == scim, step
        else:
            assert scim in ("200", "201", "204"), step


def test_every_difference_is_explained():
    """The table of the README has the steps that presets answer differently, and no others."""
    first, *others = (EXPECTED[preset]["answers"] for preset in PRESETS)
    differing = [step for step in first if any(first[step] != other[step] for other in others)]
    text = (HERE / "README.md").read_text(encoding="utf-8").partition("## What else")[0]
    explained = re.findall(
        r"^\| ((?!Step|---)[^|]+) \| [^|]+ \| (?:[RD]-\d+(?:, )?)+ \|$", text, re.M
    )

    assert differing == explained
