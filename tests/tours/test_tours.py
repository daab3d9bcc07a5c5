"""The commands of the documents do what the documents say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.tours.tour import SCIM_ERROR, Tour, blocks, served


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[Tour]:
    """Give a new directory and a shell beside it."""
    with served(tmp_path) as program:
        yield Tour(tmp_path, program)


def test_the_first_five_minutes(tour: Tour):
    """The commands of the README work from top to bottom, by SCIM and by gRPC."""
    printed = tour.run(blocks(ROOT / "README.md", under="The first five minutes"))

    text = "".join(printed)
    assert SCIM_ERROR not in text
    assert text.count("grace@example.com") >= 4


def test_debugging_with_grpcurl(tour: Tour):
    """Every line of the README answers, and leads from a refusal to what decided."""
    printed = tour.run(blocks(ROOT / "README.md", under="Debugging with grpcurl"))

    listed, refused, looked = printed
    assert "userdirectory.v1.UserDirectory" in listed
    assert "SERVING" in listed
    assert "failed_precondition" in refused
    assert '"rule": "R-150"' in refused
    assert "SETTING_ORIGIN_PRESET" in looked
    assert "resumeToken" in looked


def test_the_command_line(tour: Tour):
    """The commands of the README do their work."""
    text = "".join(tour.run(blocks(ROOT / "README.md", under="The command `userdir`")))

    assert "lin@example.com" in text


def test_operations(tour: Tour):
    """The tour of operations works from top to bottom, and shows what it says it shows."""
    printed = tour.run(blocks(ROOT / "docs" / "operations.md"))

    text = "".join(printed)
    assert SCIM_ERROR not in text
    for shown in ("NO_SEAT", "R-044", "seats", "Every rule holds", "cleo@acme.example"):
        assert shown in text
    left = printed[-1].rpartition("PRESET")[2]
    assert "acme" in left
    assert "trial" not in left
