"""What the log says of each write: one entry, field by field, in the write's own transaction."""

import json

import pytest
import sqlalchemy as sa
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import Name, User, UserRef
from userdirectory.v1.workspace_admin_pb2 import GetWorkspaceRequest, ListLogRequest

from tests.history.conftest import changes, codes, office_in, trace, world_on

PASSWORD = "canary-Pa55word-canary"


def members(*ids):
    return Group(members=[Member(member_id=id_) for id_ in ids])


async def test_a_create_is_logged_field_by_field(office):
    """One entry says when, by whom, in which trace, what and to whom; nothing was before."""
    id_ = trace()
    request = api.CreateUserRequest(user=office.person("grace", title="Admiral"))
    made = (await office.ask(request, trace=id_)).user
    [entry] = await office.log(trace_id=id_)
    kept = changes(entry)

    assert entry.operation == "CreateUser"
    assert entry.target_id == made.id
    assert entry.trace_id == id_
    assert entry.time == made.create_time
    assert entry.integration_id == made.managed_by
    assert entry.credential_id in office.place.token
    assert entry.reason == entry.message == ""
    assert kept["title"] == ("", '"Admiral"')
    assert kept["name.given_name"] == ("", '"Grace"')
    assert kept["active"] == ("", "true")
    assert kept["role_id"] == ("", json.dumps(made.role_id))
    assert json.loads(kept["emails"][1])[0]["value"] == made.user_name


async def test_an_update_is_logged_before_and_after(office):
    """Only what differs is in the entry, with both values; parts of a name one by one."""
    made = await office.create("grace", title="Admiral", nick_name="G")
    await office.set(made.id, title="Captain", name=Name(given_name="Amazing"))
    entry = (await office.log(target_id=made.id))[0]

    assert entry.operation == "UpdateUser"
    assert changes(entry) == {
        "name.family_name": ('"Tester"', ""),
        "name.given_name": ('"Grace"', '"Amazing"'),
        "display_name": ('"Grace Tester"', '"Amazing"'),
        "title": ('"Admiral"', '"Captain"'),
    }


async def test_what_changes_nothing_leaves_no_entry(office):
    """The same values again: no entry; with something to tell: an entry without changes."""
    made = await office.create("grace", title="Admiral")
    await office.set(made.id, title="Admiral")
    quiet = await office.log(target_id=made.id)
    request = api.UpdateUserRequest(
        user=User(id=made.id, title="Admiral"), unknown_attributes=["favouriteColour"]
    )
    await office.ask(request)
    told = (await office.log(target_id=made.id))[0]

    assert [entry.operation for entry in quiet] == ["CreateUser"]
    assert not told.changes
    assert codes(told.notices) == ["ATTRIBUTES_IGNORED"]


async def test_notices_are_logged_as_they_are_told(office):
    """What the caller is told is in the log too, once."""
    first = await office.create("grace", product=True)
    request = api.CreateUserRequest(user=office.person("grace", preferred_language="fr"))
    answer = await office.ask(request)
    entry = (await office.log(target_id=first.id))[0]

    assert list(entry.notices) == list(answer.notices)
    assert "LINKED_BY_EMAIL" in codes(entry.notices)
    assert changes(entry)["managed_by"] == ("", json.dumps(answer.user.managed_by))


async def test_the_entries_of_a_workspace_are_numbered(office):
    """Sequences rise by one in the order of the writes; refusals are among them."""
    made = await office.create("grace")
    await office.refused(api.DeleteUserRequest(user=UserRef(id="nobody")))
    await office.set(made.id, title="Admiral")
    newest = (await office.log())[:3]

    assert [entry.operation for entry in newest] == ["UpdateUser", "DeleteUser", "CreateUser"]
    assert [newest[0].sequence - entry.sequence for entry in newest] == [0, 1, 2]


async def test_the_members_of_a_group_are_logged_by_id(world):
    """Who came and who went, net of the whole request, on the group's entry."""
    office = await office_in(world, "GROUP_MIRROR")
    one, two, three = [await office.create(name) for name in ("one", "two", "three")]
    request = api.CreateGroupRequest(
        group=Group(display_name="Crew", members=members(one.id).members)
    )
    group = (await office.ask(request)).group
    steps = [
        GroupChange(set=GroupValue(field="members", value=members(two.id, three.id))),
        GroupChange(discard=GroupValue(field="members", value=members(three.id))),
        GroupChange(set=GroupValue(field="display_name", value=Group(display_name="Staff"))),
    ]
    await office.ask(api.PatchGroupRequest(id=group.id, changes=steps))
    await office.ask(api.DeleteGroupRequest(id=group.id))
    deleted, patched, created = await office.log(target_id=group.id)

    assert changes(created) == {"display_name": ("", '"Crew"'), "members": ("", f'["{one.id}"]')}
    assert changes(patched) == {
        "display_name": ('"Crew"', '"Staff"'),
        "members": (f'["{one.id}"]', f'["{two.id}"]'),
    }
    assert changes(deleted) == {"display_name": ('"Staff"', "")}


async def test_the_members_of_a_role_are_logged_by_id(office):
    """Joining and leaving a role's group is one entry on the role; again is none."""
    made = await office.create("grace")
    role_id = office.place.roles["Manager"]
    join = GroupChange(add=GroupValue(field="members", value=members(made.id)))
    leave = GroupChange(discard=GroupValue(field="members", value=members(made.id)))
    for step in (join, join, leave, leave):
        await office.ask(api.PatchGroupRequest(id=role_id, changes=[step]))
    left, joined = await office.log(target_id=role_id)

    assert changes(joined) == {"members": ("", f'["{made.id}"]')}
    assert changes(left) == {"members": (f'["{made.id}"]', "")}


async def test_the_log_is_read_page_by_page(office):
    """Newest first, every entry once, also while new ones are written."""
    made = await office.create("grace")
    for number in range(6):
        await office.set(made.id, title=f"T{number}")
    request = ListLogRequest(target_id=made.id, page_size=3)
    first = await office.ask(request, product=True)
    await office.set(made.id, title="late")
    request.page_token = first.next_page_token
    second = await office.ask(request, product=True)
    request.page_token = second.next_page_token
    third = await office.ask(request, product=True)
    listed = [entry.sequence for page in (first, second, third) for entry in page.entries]

    assert listed == list(range(listed[0], listed[0] - 7, -1))
    assert not third.next_page_token


async def test_a_page_token_belongs_to_its_listing(office):
    """With other filters it is refused."""
    for name in ("a", "b", "c"):
        await office.create(name)
    token = (await office.ask(ListLogRequest(page_size=1), product=True)).next_page_token
    other = ListLogRequest(page_size=1, target_id="other", page_token=token)
    error = await office.refused(other, product=True)

    assert error.reason == "PAGE_TOKEN_INVALID"


async def test_the_log_is_filtered_by_time(office):
    """Only entries from the time on."""
    made = await office.create("grace")
    await office.set(made.id, title="Admiral")
    entry = (await office.log(target_id=made.id))[0]
    found = await office.log(target_id=made.id, since=entry.time)

    assert [one.operation for one in found] == ["UpdateUser"]


async def test_the_log_is_not_for_identity_providers(office):
    """An integration's token reads no log."""
    error = await office.refused(ListLogRequest())

    assert (error.reason, error.metadata["scope"]) == ("SCOPE_MISSING", "log.read")


@pytest.mark.rule("R-016")
async def test_no_workspace_reads_the_log_of_another(world):
    """Entries of one workspace are in no listing of another."""
    one, other = await office_in(world), await office_in(world)
    made = await one.create("grace")

    assert not await other.log(target_id=made.id)
    assert made.id not in {entry.target_id for entry in await other.log()}


@pytest.mark.rule("R-030", "D-31")
async def test_no_secret_gets_into_the_log(world):
    """Neither a password nor its hash nor a token is in any entry; that it changed is."""
    office = await office_in(world, "ORG_CHART")
    made = await office.create("grace", password=PASSWORD)
    await office.set(made.id, password=PASSWORD + "2")
    await office.set(made.id, password=PASSWORD + "3", title="Admiral")
    await office.refused(
        api.UpdateUserRequest(user=User(id=made.id, password=PASSWORD, time_zone="Nowhere/None"))
    )
    await office.refused(api.UpdateUserRequest(user=User(id=made.id, password=PASSWORD + "\0")))
    entries = await office.log()
    text = "".join(str(entry) for entry in entries)

    assert [change.field for change in entries[-1].changes if change.field == "password"] == []
    changed = [entry.target_id for entry in entries if "password" in changes(entry)]
    assert changed == [made.id] * 3
    assert all(changes(entry).get("password", ("", "")) == ("", "") for entry in entries)
    for secret in (PASSWORD, "argon2", office.place.token, office.product):
        assert secret not in text


@pytest.mark.rule("R-171", "D-20")
async def test_of_a_purged_user_the_log_keeps_no_value(world):
    """When, by whom and in which trace stays; what the person was called does not."""
    office = await office_in(world, "GROUP_MIRROR")
    made = await office.create("grace", title="Admiral")
    await office.set(made.id, title="Captain")
    await office.delete(made.id)
    entries = await office.log(target_id=made.id)

    assert [entry.operation for entry in entries] == ["DeleteUser", "UpdateUser", "CreateUser"]
    assert all(entry.trace_id and not entry.changes for entry in entries)
    assert "Grace" not in "".join(str(entry) for entry in await office.log())


@pytest.mark.violates
async def test_without_its_entry_a_write_does_not_happen(database_url):
    """Where the log cannot be written nothing is; a refusal is answered all the same."""
    async with world_on(database_url) as world:
        office = await office_in(world)
        made = await office.create("grace")
        await world.core.storage.write("", lambda tx: tx.all(sa.text("DROP TABLE log")))
        with pytest.raises(Exception, match=r"Something went wrong|does not answer"):
            await office.set(made.id, title="Admiral")
        kept = await office.get(made.id)
        error = await office.refused(api.DeleteUserRequest(user=UserRef(id="nobody")))

    assert kept == made
    assert error.reason == "USER_NOT_FOUND"


async def test_reads_leave_an_entry_only_if_they_are_refused(office):
    """A read that is answered is not logged; one that is refused is, once."""
    before = (await office.log())[0].sequence
    await office.ask(GetWorkspaceRequest())
    answered = (await office.log())[0].sequence
    error = await office.refused(api.GetUserRequest(user=UserRef(id="nobody")))
    entry = (await office.log())[0]

    assert answered == before
    assert entry.sequence == before + 1
    assert (entry.operation, entry.message) == ("GetUser", error.message)
