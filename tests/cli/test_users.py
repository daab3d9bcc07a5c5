"""Users and groups from the command line."""

import asyncio

import pytest

from tests.cli.conftest import Userdir
from tests.scim import Scim
from tests.system import System
from tests.workspaces import Place


async def _create(userdir: Userdir, name: str, *options: str) -> str:
    done = await userdir.done("user", "create", name, *options, "--json")
    user_id: str = done.json["user"]["id"]
    return user_id


async def test_a_user_is_created_and_shown(userdir: Userdir):
    """What was given is what `show` prints, whether the user is named by id or by name."""
    user_id = await _create(
        *(userdir, "grace@example.com", "--given-name", "Grace", "--family-name", "Hopper"),
        *("--role", "Manager", "--team", "Design", "--email", "g@example.com"),
    )

    by_id = await userdir.done("user", "show", user_id)
    by_name = await userdir.done("user", "show", "GRACE@example.com")
    printed = (await userdir.done("user", "show", user_id, "--json")).json["user"]

    assert by_id.out == by_name.out
    shown = dict(line.split("  ", 1) for line in by_id.out.splitlines() if "  " in line)
    assert {"Grace Hopper", "Manager", "Design", "active"} <= {v.strip() for v in shown.values()}
    assert "g@example.com (work, primary)" in by_id.out
    assert ({"given_name": "Grace", "family_name": "Hopper"}, ["Design"]) == (
        printed["name"],
        printed["workplace"]["teams"],
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--name", "RAC"), {"grace@example.com"}),
        (("--name", "Hopper"), {"grace@example.com"}),
        (("--email", "G@example.com"), {"grace@example.com"}),
        (("--email", "grace@example.com"), {"grace@example.com"}),
        (("--role", "Manager"), {"grace@example.com"}),
        (("--role", "manager"), set()),
        (("--inactive",), {"lin@example.com"}),
        (("--inactive", "--role", "Manager"), set()),
    ],
)
async def test_users_are_found(userdir: Userdir, options: tuple[str, ...], found: set[str]):
    """Every option of the list leaves those that pass it, and all must be passed."""
    await _create(
        *(userdir, "grace@example.com", "--given-name", "Grace", "--family-name", "Hopper"),
        *("--role", "Manager", "--email", "g@example.com"),
    )
    await _create(userdir, "lin@example.com", "--inactive")

    rows = (await userdir.done("user", "list", *options)).rows

    assert found == {row[1] for row in rows}


async def test_a_list_says_that_there_is_more(userdir: Userdir):
    """With a limit the rest is announced; without one all pages are one document."""
    for n in range(3):
        await _create(userdir, f"u{n}@example.com")

    some = await userdir.done("user", "list", "--limit", "2")
    all_ = (await userdir.done("user", "list", "--limit", "0", "--json")).json

    assert 2 == len(some.rows)
    assert "The first 2. All: --limit 0" in some.err
    assert (4, "4") == (len(all_["users"]), all_["total_size"])


async def test_every_line_fits_a_terminal(userdir: Userdir):
    """Also with a long name no line has more than 80 columns or ends with blanks, nor a colour."""
    long = f"{'long.' * 30}name@example.com"
    await _create(userdir, long)

    done = await userdir.done("user", "list", "--name", "long")

    lines = done.out.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert "\x1b" not in done.out
    assert long == "".join(line[34:].split("  ")[0] for line in lines[1:])


async def test_a_role_is_given(userdir: Userdir):
    """`set-role` changes the one role, and a wrong name is answered with the right one."""
    await _create(userdir, "grace@example.com")

    await userdir.done("user", "set-role", "grace@example.com", "Manager")
    refused = await userdir("user", "set-role", "grace@example.com", "manager")

    assert "Manager" in (await userdir.done("user", "show", "grace@example.com")).out
    assert 1 == refused.status
    assert "Reason: NAME_UNKNOWN" in refused.err
    assert "Manager" in refused.err


async def test_the_last_admin_stays(userdir: Userdir, place: Place):
    """A refusal is told in the directory's words, with what to do next."""
    done = await userdir("user", "set-role", place.admin_id, "Member")

    sentence, reason, trace, following = done.err.splitlines()
    assert (1, "") == (done.status, done.out)
    assert "last active admin" in sentence
    assert "Reason: LAST_ADMIN" == reason
    assert f"userdir explain {trace.split()[1]}" == following.split(maxsplit=1)[1]


async def test_who_was_deactivated_comes_back_and_goes_for_good(userdir: Userdir):
    """A user who is away is restored with the same id, and purged only when that is confirmed."""
    user_id = await _create(userdir, "grace@example.com", "--inactive")

    restored = await userdir.done("user", "restore", "grace@example.com", "--json")
    kept = await userdir("user", "purge", user_id, stdin="n\n")
    there = await userdir("user", "show", user_id)
    await userdir.done("user", "purge", user_id, stdin="y\n")
    gone = await userdir("user", "show", user_id)

    assert (user_id, True) == (restored.json["user"]["id"], restored.json["user"]["active"])
    assert (1, 0, 1) == (kept.status, there.status, gone.status)
    assert f"Remove grace@example.com ({user_id}) for good?" in kept.err
    assert "Reason: USER_NOT_FOUND" in gone.err


async def test_deleted_users_are_listed_and_restored(directory: System, mirror: Userdir):
    """Who is among the deleted users is in a list of their own, until restored."""
    name = ("--given-name", "Grace", "--family-name", "Hopper")
    user_id = await _create(mirror, "grace@example.com", *name)
    token = (await mirror.done("integration", "rotate", "--json")).json["secret"]
    await asyncio.to_thread(_deactivate, directory, token, user_id)

    deleted = (await mirror.done("user", "list", "--deleted")).rows
    await mirror.done("user", "restore", "grace@example.com")
    after = await mirror.done("user", "list", "--deleted")

    assert [["grace@example.com", "deleted"]] == [[row[1], row[-1]] for row in deleted]
    assert ("", "No user passes.") == (after.out, after.err.strip())


def _deactivate(directory: System, token: str, user_id: str) -> None:
    """Set `active` to false, as an identity provider does."""
    with Scim(directory.base_url, token) as client:
        change = {"op": "replace", "path": "active", "value": False}
        assert client.patch(f"/Users/{user_id}", change).status == 200


async def test_groups_and_their_members(mirror: Userdir):
    """A group is created, filled, shown, renamed, emptied and deleted, by names."""
    name = ("--given-name", "Grace", "--family-name", "Hopper")
    user_id = await _create(mirror, "grace@example.com", *name)
    await mirror.done("group", "create", "Engineering")
    await mirror.done("group", "add", "Engineering", "grace@example.com")
    listed = (await mirror.done("group", "list", "--name", "engin")).rows
    shown = await mirror.done("group", "show", "Engineering", "--members")
    printed = (await mirror.done("group", "show", "engineering", "--members", "--json")).json
    await mirror.done("group", "rename", "Engineering", "Development")
    await mirror.done("group", "remove", "Development", "grace@example.com")
    emptied = (await mirror.done("group", "show", "Development", "--json")).json["group"]
    await mirror.done("group", "delete", "Development", "--yes")
    gone = await mirror("group", "show", "Development")

    assert [["Engineering", "1"]] == [row[1:] for row in listed]
    assert f"Grace Hopper {user_id}" in shown.out
    assert [user_id] == [member["member_id"] for member in printed["group"]["members"]]
    assert 0 == emptied["member_count"]
    assert 1 == gone.status
    assert "Reason: GROUP_NOT_FOUND" in gone.err


async def test_where_groups_are_roles_the_product_manages_them(userdir: Userdir):
    """Joining such a group gives the role; creating one is refused, with the reason."""
    await _create(userdir, "grace@example.com")

    await userdir.done("group", "add", "Manager", "grace@example.com")
    refused = await userdir("group", "create", "Engineering")

    users = (await userdir.done("user", "list", "--role", "Manager")).rows
    assert ["grace@example.com"] == [row[1] for row in users]
    assert "Reason: ROLE_CATALOGUE" in refused.err
