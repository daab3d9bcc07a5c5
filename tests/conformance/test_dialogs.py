"""The dialogs recorded with identity providers, each held from beginning to end."""

import asyncio
from typing import Any

import pytest

from core_service import tokens, verify
from core_service.core import Core
from core_service.storage import store
from core_service.storage.database import Transaction
from tests.conformance.dialogs_of import AUDIENCES, SCENARIOS, runner
from tests.system import System
from tests.workspaces import Place, connect, new_place

CASES = [
    pytest.param(audience, id_, id=f"{audience}-{id_}")
    for audience, its in AUDIENCES.items()
    for id_ in its.enabled
]


@pytest.fixture(scope="session")
async def hosts(directory: System) -> dict[str, tuple[Place, dict[str, Any]]]:
    """For each audience a workspace, in which one dialog meets what others left, and a profile."""
    return {name: await _host(directory.core, name) for name in AUDIENCES}


async def _host(core: Core, audience: str) -> tuple[Place, dict[str, Any]]:
    its = AUDIENCES[audience]
    place = await new_place(core, its.preset)
    full = await new_place(core, its.preset, seats=1)
    profile_tokens = {
        "second": await _second(core, place),
        "revoked": await _revoked(core, place),
        "full_tenant": full.token,
    }
    client = {"client_id": place.token.split("_")[1], "client_secret": place.token}
    return place, its.profile | {"tokens": profile_tokens, "vars": its.profile["vars"] | client}


async def _second(core: Core, place: Place) -> str:
    _, token = await connect(core, place.workspace_id, "Second")
    return token


async def _revoked(core: Core, place: Place) -> str:
    token = await _second(core, place)
    parsed = tokens.parse(token)
    assert parsed is not None

    async def work(tx: Transaction) -> None:
        row = await store.credential(tx, parsed[0])
        assert row is not None
        await store.update_credential(tx, row._replace(revoke_time=core.now()))

    await core.storage.write(place.workspace_id, work)
    return token


@pytest.mark.parametrize(("audience", "dialog"), CASES)
async def test_dialog(
    directory: System,
    hosts: dict[str, tuple[Place, dict[str, Any]]],
    audience: str,
    dialog: str,
):
    """An identity provider gets the answers it needs at every step."""
    place, profile = hosts[audience]
    replayed = runner(directory.base_url, place.token, profile)
    result = await asyncio.to_thread(replayed.run, SCENARIOS[dialog])

    assert result.status == "PASS", "\n".join(result.fails)
    assert await verify.findings(directory.core.storage, [place.workspace_id]) == []


def test_all_dialogs_are_held():
    """Nothing that was recorded is left out."""
    held = {id_ for its in AUDIENCES.values() for id_ in its.enabled}

    assert len(SCENARIOS) == 41
    assert SCENARIOS.keys() == held


@pytest.mark.rule("D-44")
@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_client_credentials_are_taken_by_every_audience(audience: str):
    """Okta sends a token as it is, Entra's gallery asks for a token endpoint."""
    assert "entra-oauth-client-credentials" in AUDIENCES[audience].enabled
