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


@pytest.fixture
async def product(world, place):
    token = await world.service()
    return AsyncDirectory(world.channel, token, workspace_id=place.workspace_id)


async def test_a_user_goes_and_comes_back(product, directory, place):
    """Deleted by the identity provider, listed, restored, purged for good."""
    user = await add(product, place, "grace")
    away = UserChange(set=UserValue(field="active", value=User(active=False)))
    await directory.patch_user(user.id, [away])
    listed = [gone.id async for gone in product.list_deleted_users(page_size=1)]
    restored = (await product.restore_user(user.id)).user
    await product.purge_user(user.id)

    assert listed == [user.id]
    assert restored.active
    assert await product.count_users() == 1


async def test_members_join_and_leave(product, place):
    """Added twice is added once; removed twice is removed; the rest of the group stays."""
    first, second = [await add(product, place, name) for name in ("grace", "mary")]
    group = (await product.create_group(Group(display_name="Crew"))).group
    for _ in range(2):
        await product.add_members(group.id, [first.id, second.id])
    both = [member.member_id async for member in product.list_members(group.id, page_size=1)]
    for _ in range(2):
        await product.remove_members(group.id, [first.id])
    one = [member.member_id async for member in product.list_members(group.id)]
    await product.replace_group(Group(id=group.id, display_name="Choir"))

    assert both == sorted([first.id, second.id])
    assert one == [second.id]
    assert (await product.batch_get_groups([group.id]))[0].display_name == "Choir"
    assert [member async for member in product.list_members(group.id)] == []
    assert await product.count_groups() == 1


async def test_a_role_is_given_by_id_or_name(product, place):
    """Both lead to the same role; a name that no role has is refused as the directory does."""
    user = await add(product, place, "grace")
    by_id = (await product.set_role(user.id, place.roles["Manager"])).user
    by_name = (await product.set_role(user.id, "Member", etag=by_id.etag)).user
    with pytest.raises(DirectoryError) as stale:
        await product.set_role(user.id, "Manager", etag=by_id.etag)
    with pytest.raises(DirectoryError) as unknown:
        await product.set_role(user.id, "Captain")

    assert (by_id.role_id, by_name.role_id) == (place.roles["Manager"], place.roles["Member"])
    assert (await product.get_role(by_name.role_id)).name == "Member"
    assert (stale.value.reason, unknown.value.reason) == ("ETAG_MISMATCH", "NAME_UNKNOWN")


async def test_a_user_is_replaced(product, place):
    """What the new version leaves out is removed, unless it cannot be."""
    user = await add(product, place, "grace")
    user.title = "Admiral"
    titled = (await product.replace_user(user)).user
    titled.ClearField("title")
    bare = (await product.replace_user(titled)).user

    assert (titled.id, bare.id) == (user.id, user.id)
    assert not bare.HasField("title")
    assert bare.role_id == user.role_id


async def test_the_chart_is_read_from_the_top(product, place):
    """Level by level, over as many pages as it takes."""
    boss = await add(product, place, "boss")
    reports = [await add(product, place, name) for name in ("grace", "mary")]
    for report in reports:
        report.enterprise.manager.user_id = boss.id
        await product.update_user(report, "enterprise.manager.user_id")
    chart = [entry async for entry in product.get_org_chart(page_size=1)]

    assert [entry.user_id for entry in chart] == [boss.id, *sorted(each.id for each in reports)]
    assert [entry.level for entry in chart] == [0, 1, 1]


async def test_many_users_are_read_at_once(product, place):
    """In the order they were asked for; one that is missing is a refusal."""
    users = [await add(product, place, name) for name in ("grace", "mary")]
    ids = [users[1].id, users[0].id]

    assert await product.batch_get_users(ids) == users[::-1]
    with pytest.raises(DirectoryError) as caught:
        await product.batch_get_users([*ids, "0" * 32])
    assert caught.value.reason == "USER_NOT_FOUND"


async def test_a_create_can_be_repeated_by_another_process(product, place):
    """With a key of one's own the second call is answered as the first was, without it anew."""
    user = User(
        user_name=f"grace@{place.workspace_id}.example",
        name=Name(given_name="Grace", family_name="Hopper"),
    )
    first = await product.create_user(user, idempotency_key="import-7")
    again = await product.create_user(user, idempotency_key="import-7")
    bare = await product.create_user(user)

    assert again == first
    assert (again.existed, bare.existed) == (False, True)
