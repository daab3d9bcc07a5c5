"""
Take rules and tolerances out one by one and see that a test fails: `python -m tests.mutation`.

Names choose some (`R-150 "strings as booleans"`); without any, all are judged, which takes minutes.
Every mutant is applied in a temporary copy; the working tree is never touched. Ends with 1 if a
mutant survives, and with 2 if one cannot be judged.
"""

import sys
import tempfile
from pathlib import Path

from tests.mutation.judge import JudgeError, copy, is_killed, passes
from tests.mutation.rules import MUTANTS
from tests.mutation.tolerances import TOLERANCES


def main(wanted: list[str]) -> int:
    """Judge the mutants that are wanted, all if none is; return the exit code."""
    chosen = [each for each in (*MUTANTS, *TOLERANCES) if not wanted or each.name in wanted]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        try:
            copy(tree)
            if not passes(tree, *sorted({mutant.test for mutant in chosen})):
                raise JudgeError("The tests fail before anything is taken out.")
            survived = [mutant for mutant in chosen if not is_killed(tree, mutant)]
        except JudgeError as error:
            print(error)
            return 2
    print(f"{len(chosen) - len(survived)} of {len(chosen)} mutants killed.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
