"""`userdir setup-guide`: the guides with the values of a workspace."""

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import pytest
from userdirectory.v1.custom_pb2 import CustomAttribute
from userdirectory.v1.workspace_admin_pb2 import DeclareAttributesRequest

from clients.cli.guides import Facts, filled
from clients.connection import Connection
from tests.cli.conftest import Userdir
from tests.processes import ROOT
from tests.system import System
from tests.workspaces import Place

URL = "https://scim.example.com/scim/v2"
FACTS = Facts(
    workspace="acme",
    preset="single-role",
    base_url=URL,
    roles=["Boss", "A|B"],
    default_role="Worker",
    teams=["Design"],
    regions=["Bayern"],
    languages=["en-GB"],
    attributes=[("urn:example:hr:2.0:User:badge", "The badge.")],
)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("provider", ["okta", "entra", "onelogin"])
def test_a_guide_has_the_values_of_the_workspace(provider: str, language: str):
    """Nothing is left to fill in, and each name stands in the row of the attribute it is for."""
    guide = filled(provider, language, FACTS)

    rows = [line for line in guide.splitlines() if line.startswith("|")]
    here = {"en": "Here:", "de": "Hier:"}[language]
    assert "HOST" not in guide
    assert "](../" not in guide
    assert guide.count(URL) >= 3
    for attribute, names in (
        ("userRole", r"`Boss`, `A\|B`"),
        ("teams", "`Design`"),
        ("absenceRegion", "`Bayern`"),
    ):
        (row,) = [row for row in rows if f":{attribute}` |" in row]
        assert row.endswith(f"{here} {names}. |")
    (own,) = [row for row in rows if "urn:example:hr:2.0:User:badge" in row]
    assert own.endswith("`urn:example:hr:2.0:User:badge` | `custom` | The badge. |")
    assert rows[rows.index(own) - 1].count("absenceRegion") == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_without_a_base_url_the_guide_says_what_to_ask_for(language: str):
    """What nobody has told is left as the guide has it."""
    bare = Facts("acme", "org-chart", "", [], "Worker", [], [], [], [])

    guide = filled("okta", language, bare)

    assert "`https://HOST/scim/v2`" in guide
    assert {"en": "Here:", "de": "Hier:"}[language] not in guide


async def test_the_guide_is_of_this_workspace(directory: System, place: Place, userdir: Userdir):
    """Roles that provisioning can give, teams, regions and own attributes are the workspace's."""
    attribute = CustomAttribute(urn="urn:example:hr:2.0:User", name="badge")
    request = DeclareAttributesRequest(workspace_id=place.workspace_id, attributes=[attribute])
    with Connection(directory.address, directory.service_token) as connection:
        await asyncio.to_thread(connection.ask, request)

    done = await userdir.done("setup-guide", "okta", "--raw", "--base-url", f"{URL}/")
    printed = (await userdir.done("setup-guide", "okta", "--json", "--base-url", URL)).json

    assert done.out.rstrip() == printed["markdown"].rstrip()
    assert f"| Workspace | `{place.workspace_id}` |" in done.out
    assert "| Roles that provisioning can give | `Admin`, `Manager`, `Member` |" in done.out
    assert "| Role of who comes without one | `Member` |" in done.out
    assert f"| Base URL | `{URL}` |" in done.out
    assert "urn:example:hr:2.0:User:badge" in done.out


async def test_where_groups_are_groups_provisioning_gives_no_role(mirror: Userdir):
    """The guide does not offer roles that the attribute cannot give."""
    done = await mirror.done("setup-guide", "entra", "--language", "de", "--raw")

    assert "| Rollen, die die Provisionierung vergeben kann | keine |" in done.out
    assert "Hier: `Admin`" not in done.out


async def test_the_guide_is_drawn_for_the_terminal(userdir: Userdir):
    """Without --raw it has no marks of Markdown, no colours when piped, and fits 80 columns."""
    done = await userdir.done("setup-guide", "onelogin")

    assert "Set up provisioning with OneLogin" in done.out
    assert not [line for line in done.out.splitlines() if line.startswith(("#", "|", "- "))]
    assert "\x1b" not in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines())


def test_an_installation_has_the_guides():
    """The wheel has them where the command looks for them."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    forced = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert {"docs/guides": "clients/guides"} == forced
    assert Path(ROOT / "docs" / "guides").is_dir()
