"""What must hold of the whole database is found when it does not, one seeded violation each."""

from typing import Any

import pytest
import sqlalchemy as sa
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User

from core_service import groups, verify
from core_service.storage.tables import (
    groups as group_table,
)
from core_service.storage.tables import memberships, user_emails, users, workspaces
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

pytestmark = pytest.mark.violates

USER = users.c.id == sa.bindparam("user")
GROUP = group_table.c.id == sa.bindparam("group")


def _document(**fields: Any) -> bytes:
    user = User(user_name="grace@a.example", active=True, display_name="Grace Hopper")
    user.MergeFrom(User(**fields))
    return user.SerializeToString(deterministic=True)


def _in_team(*teams: str) -> bytes:
    user = User()
    user.workplace.teams.extend(teams)
    return _document(workplace=user.workplace)


def _in_region(region: str) -> bytes:
    user = User()
    user.workplace.absence_region = region
    return _document(workplace=user.workplace)


VIOLATIONS = {
    "the admins are counted wrong": (
        sa.update(workspaces).where(workspaces.c.id == sa.bindparam("workspace")),
        {"active_admins": 7},
        "active admins",
    ),
    "nobody is an active admin": (
        sa.update(users).where(users.c.id == sa.bindparam("admin")),
        {"active": False},
        "no active admin",
    ),
    "the seats are counted wrong": (
        sa.update(workspaces).where(workspaces.c.id == sa.bindparam("workspace")),
        {"seats_used": 70},
        "seats in use",
    ),
    "the users are counted wrong": (
        sa.update(workspaces).where(workspaces.c.id == sa.bindparam("workspace")),
        {"users_count": 70},
        "counts 70 users",
    ),
    "a key is not that of the name": (
        sa.update(users).where(USER),
        {"user_name_key": "other@a.example"},
        "another key",
    ),
    "a deleted user can sign in": (
        sa.update(users).where(USER),
        {"delete_time": 1},
        "deleted and active",
    ),
    "a manager is their own": (
        sa.update(users).where(USER),
        {"manager_id": sa.bindparam("self_id")},
        "circle",
    ),
    "a team does not exist": (
        sa.update(users).where(USER),
        {"document": _in_team("Nowhere")},
        "team 'Nowhere'",
    ),
    "a region does not exist": (
        sa.update(users).where(USER),
        {"document": _in_region("Nowhere")},
        "absence region 'Nowhere'",
    ),
    "a time zone does not exist": (
        sa.update(users).where(USER),
        {"document": _document(time_zone="Mars/Base")},
        "time zone 'Mars/Base'",
    ),
    "a password is in the document": (
        sa.update(users).where(USER),
        {"document": _document(password="x")},
        "has a password",
    ),
    "row and document differ": (
        sa.update(users).where(USER),
        {"display_name": "Somebody Else"},
        "differs from the columns",
    ),
    "members are counted wrong": (
        sa.update(group_table).where(GROUP),
        {"member_count": 70},
        "counts 70 members",
    ),
}


async def _seeded(directory: System) -> tuple[Product, dict[str, str]]:
    place = await new_place(directory.core, policy_pb2.PRESET_GROUP_MIRROR)
    product = Product(directory.core, place)
    wanted = person("grace@a.example")
    wanted.emails.add(value="grace@a.example", type="work")
    user = await product.create(wanted, provisioning=True)
    request = api.CreateGroupRequest()
    request.group.display_name = "Crew"
    request.group.members.add(member_id=user.id)
    group = (await groups.create(product.core, product.provisioning, request)).group
    names = {"workspace": place.workspace_id, "admin": place.admin_id, "group": group.id}
    return product, names | {"user": user.id, "self_id": user.id}


@pytest.mark.parametrize("violation", VIOLATIONS)
@pytest.mark.rule("R-150", "R-144", "R-044")
async def test_a_violation_is_found(directory: System, violation: str):
    """Before it was seeded there is nothing to find."""
    product, names = await _seeded(directory)
    statement, values, words = VIOLATIONS[violation]
    before = await verify.findings(product.core.storage, [product.place.workspace_id])
    seeded = statement.values(**values)
    parameters = {name: names[name] for name in seeded.compile().params if name in names}

    await product.core.storage.write("", lambda tx: tx.run(seeded, parameters))
    after = await verify.findings(product.core.storage, [product.place.workspace_id])

    assert [] == before
    assert any(words in finding for finding in after), after


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (sa.delete(user_emails).where(user_emails.c.user_id == sa.bindparam("user")), "e-mail"),
        (sa.delete(users).where(users.c.id == sa.bindparam("user")), "does not exist"),
        (sa.delete(memberships).where(memberships.c.member_id == sa.bindparam("user")), "has 0"),
    ],
)
async def test_rows_that_are_missing_are_found(directory: System, rows: sa.Delete, words: str):
    """An index entry, a member, a membership."""
    product, names = await _seeded(directory)

    await product.core.storage.write("", lambda tx: tx.run(rows, {"user": names["user"]}))
    after = await verify.findings(product.core.storage, [product.place.workspace_id])

    assert any(words in finding for finding in after), after
