"""The mutants can still be judged; `python -m tests.mutation` judges them."""

import pytest

from tests.mutation.judge import ROOT, Mutant, is_there
from tests.mutation.rules import MUTANTS
from tests.mutation.tolerances import TOLERANCES


@pytest.mark.parametrize("mutant", [*MUTANTS, *TOLERANCES], ids=lambda mutant: mutant.name)
def test_what_is_taken_out_is_there(mutant: Mutant):
    """The text of a mutant is in its file once, and its test is where it says."""
    file, _, test = mutant.test.partition("::")

    assert is_there(mutant)
    assert test.partition("[")[0] in (ROOT / "tests" / file).read_text(encoding="utf-8")
