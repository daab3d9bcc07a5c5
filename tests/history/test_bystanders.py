"""What a sync does not name stays as it is, and a sync that brings nothing new does nothing."""

import hashlib

import pytest
import sqlalchemy as sa
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, Removal, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User, UserRef, Workplace

from core_service.storage.tables import users
from tests.history.conftest import office_in

_ROWS = sa.select(users).where(
    users.c.workspace_id == sa.bindparam("workspace_id", type_=sa.Text())
)


async def digests(office):
    """Return a hash of every user's row, by id."""
    values = {"workspace_id": office.place.workspace_id}
    rows = await office.world.core.storage.read(lambda tx: tx.all(_ROWS, values))
    return {row[1]: hashlib.sha256(repr(row).encode()).hexdigest() for row in rows}


def moved(user_id):
    return GroupValue(field="members", value=Group(members=[Member(member_id=user_id)]))


async def sync(office, name):
    """Create, read, change, promote, deactivate, reactivate and delete one user."""
    created = await office.ask(api.CreateUserRequest(user=office.person(name, external_id=name)))
    id_ = created.user.id
    await office.ask(
        api.ListUsersRequest(
            filter=Filter(equal=Comparison(field="user_name", text=created.user.user_name))
        )
    )
    step = UserChange(set=UserValue(field="title", value=User(title="Admiral")))
    await office.ask(api.PatchUserRequest(user=UserRef(id=id_), changes=[step]))
    await office.set(id_, workplace=Workplace(teams=["Design"], absence_region="Bayern"))
    manager = office.place.roles["Manager"]
    await office.ask(api.PatchGroupRequest(id=manager, changes=[GroupChange(add=moved(id_))]))
    await office.ask(api.PatchGroupRequest(id=manager, changes=[GroupChange(discard=moved(id_))]))
    await office.set(id_, active=False)
    await office.set(id_, active=True)
    await office.refused(
        api.PatchUserRequest(
            user=UserRef(id=id_), changes=[UserChange(remove=Removal(field="no_such_field"))]
        )
    )
    await office.delete(id_)
    return id_


@pytest.mark.rule("R-004", "R-038", "R-039")
async def test_users_that_no_request_names_stay_byte_for_byte(office):
    """Local users, guests and synced users beside: their rows are the same afterwards."""
    await office.create("local", product=True, title="Cook")
    await office.create("guest", product=True, workplace=Workplace(user_role="Guest"))
    await office.create("synced")
    before = await digests(office)
    named = await sync(office, "grace")
    after = await digests(office)

    assert len(before) == 4
    assert {id_: digest for id_, digest in after.items() if id_ != named} == before


@pytest.mark.rule("R-036", "R-038", "R-153")
async def test_of_the_users_there_only_the_matched_one_is_updated(office):
    """Linking one of two users leaves the other as it was."""
    taken = await office.create("taken", product=True)
    await office.create("left", product=True)
    before = await digests(office)
    await office.create("taken", title="Admiral")
    after = await digests(office)

    assert {id_ for id_ in after if after[id_] != before.get(id_)} == {taken.id}


@pytest.mark.rule("R-105", "R-099")
async def test_the_same_sync_twice_does_nothing_the_second_time(world):
    """No new version, no entry, nothing told; creating again is refused as taken or links."""
    office = await office_in(world, "ORG_CHART")
    made = await office.create("grace", title="Admiral", external_id="1")
    boss = await office.create("boss", external_id="2")
    wanted = office.person("grace", title="Captain", external_id="1", active=True)
    wanted.id = made.id
    wanted.enterprise.manager.user_id = boss.id
    wanted.name.formatted = "Captain Grace"
    group = (await office.ask(api.CreateGroupRequest(group=Group(display_name="Crew")))).group
    members = Group(members=[Member(member_id=made.id), Member(member_id=boss.id)])
    requests = [
        api.UpdateUserRequest(user=wanted, whole=True),
        api.PatchUserRequest(
            user=UserRef(id=made.id),
            changes=[UserChange(set=UserValue(field="title", value=User(title="Captain")))],
        ),
        api.PatchGroupRequest(
            id=group.id,
            changes=[
                GroupChange(set=GroupValue(field="members", value=members)),
                GroupChange(set=GroupValue(field="display_name", value=Group(display_name="Crew"))),
            ],
        ),
    ]
    for request in requests:
        await office.ask(request)
    rows, last = await digests(office), (await office.log())[0].sequence
    answers = [await office.ask(request) for request in requests]

    assert [list(answer.notices) for answer in answers] == [[], [], []]
    assert await digests(office) == rows
    assert (await office.log())[0].sequence == last
