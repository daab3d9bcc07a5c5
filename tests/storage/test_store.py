"""What the statements of the store do, on both databases."""

import pytest
from userdirectory.v1 import user_pb2

from core_service.storage import store
from core_service.storage.database import Storage, Transaction
from tests.storage import rows

NOW = 1_700_000_000_000_000


@pytest.fixture
async def filled(storage: Storage) -> Storage:
    """Give a storage with two workspaces that have the same ids, and a few users and groups."""

    async def work(tx: Transaction) -> None:
        for workspace_id in ("w1", "w2"):
            await store.insert_workspace(tx, rows.workspace(workspace_id))
            for name, rank in (("guest", 3), ("admin", 1), ("regular", 2)):
                await store.insert_role(tx, rows.role(name, workspace_id=workspace_id, rank=rank))
            for number in range(4):
                user = _user(f"u{number}")
                row = rows.user(f"u{number}", user, workspace_id=workspace_id)
                await store.insert_user(tx, row, [f"u{number}@example.com"])
            for id in ("g1", "g2"):
                await store.insert_group(tx, rows.group(id, workspace_id=workspace_id))

    await storage.write("", work)
    return storage


def _user(id: str) -> user_pb2.User:
    user = user_pb2.User(user_name=id, display_name=id.upper(), active=True)
    if id != "u0":
        user.enterprise.manager.user_id = "u0"
    return user


def _apart_from_search(row: object) -> store.UserRow:
    """Return the row without the JSON, which PostgreSQL writes in its own order."""
    assert isinstance(row, store.UserRow)
    return row._replace(search="")


async def test_rows_come_back_as_they_were_put(filled: Storage):
    """Every column of every kind of row survives the way to the database and back."""
    user = rows.user("u9", external_id="x", manager_id="u1", unlink_time=3, document=b"\0\xff")
    integration = store.IntegrationRow("w1", "i1", 2, "Okta", True, 5)

    async def work(tx: Transaction) -> list[object]:
        await store.insert_user(tx, user, [])
        await store.insert_integration(tx, integration)
        return [
            (await store.user_by_id(tx, "w1", "u9")),
            (await store.user_by_name(tx, "w1", user.user_name_key)),
            (await store.integration(tx, "w1", "i1")),
            (await store.user_by_id(tx, "w2", "u9")),
        ]

    found = await filled.write("w1", work)
    assert [_apart_from_search(row) for row in found[:2]] == [_apart_from_search(user)] * 2
    assert found[2:] == [integration, None]


@pytest.mark.rule("R-126")
async def test_roles_come_by_rank(filled: Storage):
    """The first role may most."""
    found = await filled.read(lambda tx: store.roles(tx, "w1"))

    assert [role.id for role in found] == ["admin", "regular", "guest"]


async def test_members_are_added_once_and_removed_once(filled: Storage):
    """Adding and removing tell what really changed, and other groups and workspaces stay."""

    async def work(tx: Transaction) -> list[object]:
        first = await store.add_members(tx, "w1", "g1", [("u1", 1), ("u2", 1), ("g2", 2)])
        again = await store.add_members(tx, "w1", "g1", [("u2", 1), ("u3", 1), ("u3", 1)])
        await store.add_members(tx, "w1", "g2", [("u1", 1)])
        await store.add_members(tx, "w2", "g1", [("u1", 1)])
        gone = await store.remove_members(tx, "w1", "g1", ["u1", "u0", "nobody"])
        left = [m.member_id for m in await store.members_page(tx, "w1", "g1", "", 10)]
        cleared = await store.clear_members(tx, "w1", "g1")
        elsewhere = await store.groups_of(tx, "w1", ["u1", "u2"])
        return [sorted(first), again, gone, left, sorted(cleared), elsewhere]

    assert await filled.write("w1", work) == [
        ["g2", "u1", "u2"],
        ["u3"],
        ["u1"],
        ["g2", "u2", "u3"],
        ["g2", "u2", "u3"],
        {"u1": [("g2", "g2")]},
    ]


async def test_members_come_in_pages_with_their_names(filled: Storage):
    """A page begins behind the id that is given; users and groups both have names."""

    async def work(tx: Transaction) -> list[list[store.MemberRow]]:
        await store.add_members(tx, "w1", "g1", [("u1", 1), ("g2", 2), ("u0", 1)])
        return [await store.members_page(tx, "w1", "g1", after, 2) for after in ("", "u0")]

    assert await filled.write("w1", work) == [
        [store.MemberRow("g2", 2, "g2"), store.MemberRow("u0", 1, "U0")],
        [store.MemberRow("u1", 1, "U1")],
    ]


@pytest.mark.parametrize("count", [0, 1, 10_000])
async def test_any_number_of_ids_can_be_given(filled: Storage, count: int):
    """Lists of ids have no limit of the database's parameters."""
    ids = [f"m{number:05}" for number in range(count)]

    async def work(tx: Transaction) -> list[object]:
        added = await store.add_members(tx, "w1", "g1", [(id, 1) for id in ids])
        found = await store.users_by_ids(tx, "w1", [*ids, "u1"])
        existing = await store.existing_ids(tx, "w1", [*ids, "u1", "g1"])
        removed = await store.remove_members(tx, "w1", "g1", ids)
        return [sorted(added), [row.id for row in found], existing, sorted(removed)]

    assert await filled.write("w1", work) == [ids, ["u1"], ({"u1"}, {"g1"}), ids]


async def test_a_member_leaves_every_group(filled: Storage):
    """Leaving everywhere counts down and raises the version of the groups left, and of no other."""

    async def work(tx: Transaction) -> list[object]:
        await store.add_members(tx, "w1", "g1", [("u1", 1)])
        group = rows.group("g1")._replace(member_count=1)
        await store.update_group(tx, group)
        left = await store.remove_member_everywhere(tx, "w1", "u1", NOW)
        found = await store.groups_by_ids(tx, "w1", ["g1", "g2"])
        return [left, {g.id: (g.member_count, g.version, g.update_time) for g in found}]

    assert await filled.write("w1", work) == [["g1"], {"g1": (0, 2, NOW), "g2": (0, 1, 0)}]


async def test_touching_raises_versions_of_those_concerned(filled: Storage):
    """Reports, members, groups of a user and holders of a role: each touch reaches its own."""

    async def work(tx: Transaction) -> list[object]:
        await store.add_members(tx, "w1", "g1", [("u1", 1)])
        await store.touch_reports_of(tx, "w1", "u0", NOW)
        await store.touch_members_of(tx, "w1", "g1", NOW)
        await store.touch_groups_of_user(tx, "w1", "u1", NOW)
        await store.set_user_roles(tx, "w1", ["u2"], "admin", NOW)
        await store.touch_users(tx, "w1", ["u3"], NOW)
        await store.touch_roles(tx, "w1", ["admin"], NOW)
        users = await store.users_by_ids(tx, "w1", ["u0", "u1", "u2", "u3"])
        others = await store.users_by_ids(tx, "w2", ["u0", "u1", "u2", "u3"])
        groups = await store.groups_by_ids(tx, "w1", ["g1", "g2"])
        return [
            {u.id: (u.version, u.role_id) for u in users},
            {u.version for u in others},
            {g.id: g.version for g in groups},
            [r.version for r in await store.roles(tx, "w1")],
        ]

    assert await filled.write("w1", work) == [
        {"u0": (1, "regular"), "u1": (3, "regular"), "u2": (3, "admin"), "u3": (3, "regular")},
        {1},
        {"g1": 2, "g2": 1},
        [2, 1, 1],
    ]


async def test_unlinked_users_of_a_role_are_left_out(filled: Storage):
    """The members of a role that provisioning clients see are those who are not unlinked."""

    async def work(tx: Transaction) -> list[object]:
        u1 = await store.user_by_id(tx, "w1", "u1")
        assert u1 is not None
        await store.update_user(tx, u1._replace(unlink_time=NOW), None)
        shown = await store.users_of_role(tx, "w1", "regular", "u0", 2, False)
        count = await store.count_users_of_role(tx, "w1", "regular", False)
        every = await store.count_users_of_role(tx, "w1", "regular", True)
        existing = await store.existing_ids(tx, "w1", ["u1", "u2"])
        return [shown, count, every, existing]

    assert await filled.write("w1", work) == [
        [("u2", "U2", "u2"), ("u3", "U3", "u3")],
        3,
        4,
        ({"u2"}, set()),
    ]


@pytest.mark.rule("D-30")
async def test_managers_are_found_from_both_sides(filled: Storage):
    """A user's manager, a manager's reports, and the names of managers."""

    async def work(tx: Transaction) -> list[object]:
        return [
            await store.manager_of(tx, "w1", "u1"),
            await store.manager_of(tx, "w1", "u0"),
            await store.reports_of(tx, "w1", "u0"),
            await store.display_names(tx, "w1", ["u0", "nobody"]),
        ]

    assert await filled.read(work) == ["u0", None, ["u1", "u2", "u3"], {"u0": "U0"}]


async def test_deleting_a_user_frees_its_addresses(filled: Storage):
    """What depends on a user goes with it, on both databases."""

    async def work(tx: Transaction) -> None:
        await store.delete_user(tx, "w1", "u1")
        assert await store.user_by_id(tx, "w1", "u1") is None
        await store.insert_user(tx, rows.user("u1"), ["u1@example.com"])
        assert await store.user_by_id(tx, "w1", "u1") is not None

    await filled.write("w1", work)


async def test_a_setting_is_put_once(storage: Storage):
    """The first value of a setting stays; everyone is told it."""

    async def work(tx: Transaction) -> list[str | None]:
        return [
            await store.setting(tx, "key"),
            await store.put_setting_if_absent(tx, "key", "first"),
            await store.put_setting_if_absent(tx, "key", "second"),
        ]

    assert await storage.write("", work) == [None, "first", "first"]


def test_search_text_has_what_can_be_compared():
    """Text is folded unless case exact; passwords, derived values and empty ones are left out."""
    user = user_pb2.User(
        id="u1", user_name="Ada", password="secret", title="", profile_url="HTTP://X", active=False
    )
    user.emails.add(value="ADA@example.com", primary=True)
    user.emails.add()
    user.name.SetInParent()
    user.enterprise.manager.user_id = "U7"
    user.enterprise.manager.display_name = "Eve"
    user.workplace.user_role = "Admin"
    user.workplace.teams.extend(["Blue", ""])
    user.x509_certificates.add(value=b"\0\1")

    assert store.search_text(user) == (
        '{"user_name":"ada","profile_url":"HTTP://X","active":false,'
        '"emails":[{"value":"ada@example.com","primary":true},{}],'
        '"x509_certificates":[{"value":"AAE="}],'
        '"enterprise":{"manager":{"user_id":"U7"}},'
        '"workplace":{"teams":["Blue",null]}}'
    )
