"""The asyncio client against the directory itself, over both channels."""

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import Name, User

from clients.directory import AsyncDirectory
from tests.processes import free_port


@pytest.fixture
async def place(world):
    return await world.place("GROUP_MIRROR")


@pytest.fixture
def directory(world, place):
    return AsyncDirectory(world.channel, place.token)


async def add(directory, place, name):
    """Return a new user."""
    name_ = Name(given_name=name, family_name="Tester")
    user_name = f"{name}@{place.workspace_id}.example"
    return (await directory.create_user(User(user_name=user_name, name=name_))).user


async def test_the_life_of_a_user(directory, place):
    """Created, found, updated, patched, deleted."""
    made = await add(directory, place, "grace")
    assert await directory.get_user(made.id) == made
    assert await directory.find_user(made.user_name.upper()) == made

    updated = await directory.update_user(User(id=made.id, title="Admiral"), "title")
    change = UserChange(set=UserValue(field="active", value=User(active=False)))
    patched = await directory.patch_user(made.id, [change], etag=updated.user.etag)
    assert (patched.user.title, patched.user.active) == ("Admiral", False)

    await directory.delete_user(made.id, etag=patched.user.etag)
    with pytest.raises(DirectoryError) as caught:
        await directory.get_user(made.id)
    assert caught.value.reason == "USER_NOT_FOUND"
    assert caught.value.metadata == {"key": "id", "value": made.id}


async def test_the_life_of_a_group(directory, place):
    """Created, read, renamed, joined, deleted."""
    user = await add(directory, place, "grace")
    made = (await directory.create_group(Group(display_name="Sales"))).group
    await directory.update_group(Group(id=made.id, display_name="Marketing"), "display_name")
    members = Group(members=[Member(member_id=user.id)])
    join = GroupChange(add=GroupValue(field="members", value=members))
    await directory.patch_group(made.id, [join])

    assert (await directory.get_group(made.id)).display_name == "Marketing"
    assert [group.id async for group in directory.list_groups()] == [made.id]
    assert [member.member_id async for member in directory.list_members(made.id)] == [user.id]
    await directory.delete_group(made.id)
    assert [group.id async for group in directory.list_groups()] == []


async def test_listings_follow_their_pages(directory, place):
    """Every user comes once, in order, over as many pages as it takes."""
    for name in ("x3", "x1", "x2", "y"):
        await add(directory, place, name)
    filter_ = Filter(starts_with=Comparison(field="user_name", text="x"))
    found = directory.list_users(filter_, order_by="user_name", page_size=1)

    assert [user.name.given_name async for user in found] == ["x1", "x2", "x3"]


async def test_roles_are_listed(directory):
    """By rank."""
    assert [role.name for role in await directory.list_roles()] == ["Admin", "Manager", "Member"]


async def test_a_product_names_its_workspace_once(world, place):
    """A client of a service credential is about one workspace."""
    token = await world.service()
    directory = AsyncDirectory(world.channel, token, workspace_id=place.workspace_id)

    assert [user.id async for user in directory.list_users()] == [place.admin_id]


async def test_who_does_not_answer_is_given_up():
    """Where nobody listens, a read ends with UNAVAILABLE after its tries, within its time."""
    async with AsyncDirectory(f"127.0.0.1:{free_port()}", "ud_x", timeout_seconds=5) as directory:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await directory.get_user("u1")

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
