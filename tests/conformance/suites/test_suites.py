"""The suites find what they shall find: what fails is named in expected.json, with the reason."""

import json
from typing import Any

import pytest
from userdirectory.v1 import policy_pb2

from tests.conformance.suites.tools import HERE, run
from tests.system import System, Systems
from tests.workspaces import Place, new_place

EXPECTED: dict[str, dict[str, Any]] = json.loads((HERE / "expected.json").read_text())
PRESETS = {
    "strict-rfc": policy_pb2.PRESET_STRICT_RFC,
    "group-mirror": policy_pb2.PRESET_GROUP_MIRROR,
    "org-chart": policy_pb2.PRESET_ORG_CHART,
    "single-role": policy_pb2.PRESET_SINGLE_ROLE,
}
# Where people sign in by their e-mail address, the testers are told to use addresses.
ADDRESSES = ("org-chart", "single-role")

pytestmark = pytest.mark.xdist_group("suites")


@pytest.fixture(scope="session")
async def served(systems: Systems) -> System:
    """A whole directory on one database: the suites look at the protocol."""
    return await systems.on("sqlite")


async def _place(served: System, preset: str) -> Place:
    """Return a workspace without teams, whose names no tester can know."""
    regions = ("Bayern", "Hessen") if preset == "single-role" else ()
    return await new_place(served.core, PRESETS[preset], teams=(), regions=regions)


def _compare(failed: dict[str, str], expected: dict[str, dict[str, str]]) -> None:
    """Accept what must fail, and what may fail because the tester draws its values by lot."""
    allowed = expected["always"].keys() | expected.get("by lot", {}).keys()
    unexpected = [f"{name}: {why}" for name, why in failed.items() if name not in allowed]
    assert not unexpected, "\n".join(unexpected)
    assert sorted(expected["always"].keys() - failed.keys()) == []


@pytest.mark.parametrize("preset", PRESETS)
async def test_scim2_tester(served: System, preset: str):
    """Every check of scim2-tester succeeds that is not named."""
    place = await _place(served, preset)
    names = "addresses" if preset in ADDRESSES else "any"
    script = str(HERE / "check_server.py")
    ended = await run("scim2", "python", script, served.base_url, place.token, names)

    assert ended.status == 0, ended.errors
    found = json.loads(ended.output)
    assert found["succeeded"] >= EXPECTED["scim2-tester"][preset]["succeeded"]
    _compare(found["failed"], EXPECTED["scim2-tester"][preset])


@pytest.mark.parametrize("preset", PRESETS)
async def test_scim_sanity(served: System, preset: str):
    """Every strict check of scim-sanity passes that is not named."""
    place = await _place(served, preset)
    options = ("--strict", "--json-output", "--i-accept-side-effects")
    ended = await run(
        "sanity", "scim-sanity", "probe", served.base_url, "--token", place.token, *options
    )

    results = json.loads(ended.output)["results"]
    failed = {
        each["name"]: each.get("message", "")
        for each in results
        if each["status"] not in ("pass", "skip")
    }
    assert len(results) >= 23
    _compare(failed, EXPECTED["scim-sanity"][preset])


async def test_scim2_client(served: System):
    """A client whose models come from our discovery documents reads all that we answer."""
    place = await _place(served, "strict-rfc")
    script = str(HERE / "round_trip.py")
    ended = await run("scim2", "python", script, served.base_url, place.token)

    assert (ended.status, ended.output) == (0, "round trip done\n"), ended.errors


async def test_scim_sim(served: System, tmp_path: Any):
    """The simulated directory puts users into groups, and takes them out again."""
    place = await _place(served, "strict-rfc")
    config = {"SCIM_BASE_URL": served.base_url, "SCIM_AUTH_TOKEN": place.token}
    (tmp_path / ".scim_config.json").write_text(json.dumps(config))

    async def sim(*arguments: str) -> str:
        ended = await run("sim", "scim-sim", *arguments, environment={"HOME": str(tmp_path)})
        assert (ended.status, "❌" in ended.output) == (0, False), ended.output + ended.errors
        return ended.output

    user_id = (await sim("add-user")).split()[-1]
    group_id = (await sim("create-group", "Simulated")).split()[-1]
    await sim("add-to-group", user_id, group_id)
    shown = await sim("show")
    assert f"Simulated │ ID: {group_id}" in shown
    assert f"ID: {user_id}" in shown.partition("Ungrouped")[0]
    await sim("remove-from-group", user_id, group_id)
    await sim("add-to-group", user_id, group_id)
    await sim("delete-group", group_id)

    assert user_id not in await sim("show")
