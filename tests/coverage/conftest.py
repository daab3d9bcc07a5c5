"""Identity providers, each with a fresh workspace."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from userdirectory.v1 import policy_pb2

from tests.coverage.idp import Idp
from tests.system import System
from tests.workspaces import new_place

NewIdp = Callable[..., Awaitable[Idp]]


@pytest.fixture
async def new_idp(directory: System) -> AsyncIterator[NewIdp]:
    """Give what makes a workspace of a preset, `STRICT_RFC`, and its identity provider."""
    made = []

    async def make(preset: str = "SINGLE_ROLE", **options: int) -> Idp:
        chosen = policy_pb2.Preset.Value(f"PRESET_{preset}")
        place = await new_place(directory.core, chosen, **options)
        made.append(Idp(directory.base_url, place))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
async def idp(new_idp: NewIdp) -> Idp:
    """Give an identity provider whose workspace has the default preset, `single-role`."""
    return await new_idp()
