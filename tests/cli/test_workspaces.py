"""Workspaces, their policy, roles, teams and regions, from the command line."""

import secrets

import pytest

from tests.cli.conftest import Userdir
from tests.system import System
from tests.workspaces import Place, under_test


async def test_a_workspace_is_created_as_it_was_ordered(directory: System, userdir: Userdir):
    """All that the options say is in the workspace, and `show` prints it."""
    name = f"w{secrets.token_hex(8)}"
    await userdir.done(
        *("workspace", "create", name, "--preset", "org-chart", "--name", "Acme | Co"),
        *("--plan", "enterprise", "--sign-on", "openid-connect", "--seats", "50", "--book-seats"),
        *("--role", "Boss:admin", "--role", "Worker", "--team", "Design", "--region", "Bayern"),
        *("--set", "max_users=7", "--set", "languages=de-DE,en-GB", "--set", "put=replace"),
    )
    under_test.append((directory.core, name))

    shown = await userdir.done("workspace", "show", name)
    workspace = (await userdir.done("workspace", "show", name, "--json")).json["workspace"]
    roles = (await userdir.done("role", "list", "-w", name)).rows

    assert "Acme | Co" in shown.out
    assert "50, more are booked" in shown.out
    assert ("PLAN_ENTERPRISE", "SIGN_ON_OPENID_CONNECT") == (
        workspace["plan"],
        workspace["sign_on"],
    )
    assert {"total": "50", "automatic_booking": True} == workspace["seat_plan"]
    assert (["Design"], ["Bayern"]) == (workspace["teams"], workspace["absence_regions"])
    assert [["1", "Boss", "admin"], ["2", "Worker", "regular"]] == [row[:3] for row in roles]
    policy = (await userdir.done("workspace", "policy", "-w", name)).rows
    assert ["max_users", "7", "this workspace"] in policy
    assert ["languages", "de-DE, en-GB", "this workspace"] in policy
    assert ["put", "replace", "this workspace"] in policy


async def test_the_policy_shows_where_every_value_comes_from(userdir: Userdir, place: Place):
    """A setting that is set is the workspace's; one that is unset is the preset's again."""
    before = (await userdir.done("workspace", "policy")).rows
    set_ = (await userdir.done("workspace", "policy", "--set", "on_existing=refuse")).rows
    unset = (await userdir.done("workspace", "policy", "--unset", "on_existing")).rows

    assert ["on_existing", "link", "preset single-role"] in before
    assert ["on_existing", "refuse", "this workspace"] in set_
    assert before == unset


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("on_existing=ON_EXISTING_REFUSE", "refuse"),  # as JSON has it
        ("admin_role=product_only", "product-only"),
        ("admin-role=product-only", "product-only"),
        ("group_names_unique=no", "false"),
        ("required=name.given_name, name.family_name", "name.given_name, name.family_name"),
        ("max_groups=0", "0"),
    ],
)
async def test_settings_are_written_in_words(userdir: Userdir, typed: str, kept: str):
    """A value may be a word, the contract's own name, a number, a flag, or a list."""
    await userdir.done("workspace", "policy", "--set", typed)

    policy = (await userdir.done("workspace", "policy")).rows

    name = typed.partition("=")[0].replace("-", "_")
    assert [name, kept, "this workspace"] in policy


async def test_another_preset_clears_what_overrode_the_old_one(userdir: Userdir):
    """With another preset no setting is the workspace's own any more."""
    policy = await userdir.done("workspace", "policy", "--preset", "strict-rfc", "--json")

    settings = policy.json["settings"]

    assert "PRESET_STRICT_RFC" == policy.json["policy"]["preset"]
    assert {"SETTING_ORIGIN_PRESET"} == {setting["origin"] for setting in settings}


async def test_an_update_changes_only_what_is_given(userdir: Userdir):
    """More seats leave the booking as it was, and booking leaves the seats."""
    await userdir.done("workspace", "update", "--seats", "7")
    await userdir.done("workspace", "update", "--book-seats", "--default-role", "Manager")

    workspace = (await userdir.done("workspace", "show", "--json")).json["workspace"]
    roles = (await userdir.done("role", "list", "--json")).json["roles"]

    assert {"total": "7", "automatic_booking": True} == workspace["seat_plan"]
    (default,) = [role for role in roles if role["id"] == workspace["default_role_id"]]
    assert "Manager" == default["name"]


async def test_roles_are_managed_by_name(userdir: Userdir):
    """A role is created in its rank, renamed, and deleted, by the names people know."""
    await userdir.done("role", "create", "Auditor", "--rank", "2")
    await userdir.done("role", "rename", "Manager", "Lead")
    created = [row[1] for row in (await userdir.done("role", "list")).rows]
    await userdir.done("role", "delete", "Auditor", "--yes")
    unknown = await userdir("role", "delete", "Nobody", "--yes")

    deleted = [row[1] for row in (await userdir.done("role", "list")).rows]

    assert ["Admin", "Auditor", "Lead", "Member", "Guest"] == created
    assert ["Admin", "Lead", "Member", "Guest"] == deleted
    assert 1 == unknown.status
    assert "There are Admin, Lead, Member, Guest." in unknown.err


async def test_the_users_of_a_deleted_role_get_another(userdir: Userdir):
    """A role with users goes only with a replacement, which they have then."""
    await userdir.done("user", "create", "grace@example.com", "--role", "Manager")

    refused = await userdir("role", "delete", "Manager", "--yes")
    await userdir.done("role", "delete", "Manager", "--replacement", "Member", "--yes")

    users = (await userdir.done("user", "list", "--role", "Member")).rows
    assert 1 == refused.status
    assert ["grace@example.com"] == [row[1] for row in users]


@pytest.mark.parametrize(
    ("noun", "field", "there"),
    [("team", "teams", ["Design", "Support"]), ("region", "absence_regions", ["Bayern", "Hessen"])],
)
async def test_teams_and_regions_are_lists_of_names(userdir: Userdir, noun, field, there):
    """Both can be listed, added to, renamed in and removed from."""
    before = await userdir.done(noun, "list", "--json")
    await userdir.done(noun, "add", "Berlin")
    await userdir.done(noun, "rename", "Berlin", "Hamburg")
    renamed = await userdir.done(noun, "list")
    removed = await userdir.done(noun, "remove", "Hamburg", "--yes", "--json")

    assert {field: there} == before.json
    assert ["Hamburg"] in renamed.rows
    assert {field: there} == removed.json


async def test_the_seats_are_counted(userdir: Userdir):
    """`seats` tells what is used, paid for and free, to people and to programs."""
    shown = await userdir.done("seats")
    printed = (await userdir.done("seats", "--json")).json

    assert ["paid for", "1000"] in [line.split("  ", 1) for line in shown.out.splitlines()]
    assert ("1", "1000", "999", True) == tuple(
        printed[key] for key in ("used", "total", "free", "metered")
    )


async def test_nothing_that_asks_happens_without_an_answer(userdir: Userdir):
    """Who does not answer yes changes nothing; nor does a script that forgets --yes."""
    no = await userdir("team", "remove", "Design", stdin="n\n")
    nothing = await userdir("team", "remove", "Design")

    teams = (await userdir.done("team", "list", "--json")).json["teams"]

    assert (1, 1) == (no.status, nothing.status)
    assert "Remove the team Design? Its users leave it." in no.err
    assert ["Design", "Support"] == teams
