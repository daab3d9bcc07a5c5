"""
Write the end states anew: `python -m tests.presets.record`.

On SQLite, by both doors, which must agree. Read every line that changes against the rules: the
table in the README of this folder says which rule explains which difference.
"""

import asyncio
import json
import tempfile
from pathlib import Path

from tests.presets.replay import HERE, PRESETS, Outcome, by_grpc, by_scim
from tests.system import running

STATES = HERE / "end_states"


def written(scim: Outcome, calls: Outcome) -> str:
    """Return the file for a preset; the answers of a step are `409 uniqueness / VALUE_TAKEN`."""
    assert (scim.users, scim.groups) == (calls.users, calls.groups)
    answers = {name: f"{text} / {calls.answers[name]}" for name, text in scim.answers.items()}
    state = {"answers": answers, "users": scim.users, "groups": scim.groups}
    return json.dumps(state, indent=1, ensure_ascii=False) + "\n"


async def main() -> None:
    """Write all files."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(f"sqlite:///{Path(folder) / 'directory.db'}") as directory:
            for name, preset in PRESETS.items():
                scim = await by_scim(directory, preset)
                calls = await by_grpc(directory, preset)
                (STATES / f"{name}.json").write_text(written(scim, calls), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
