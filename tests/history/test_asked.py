"""What the log keeps of a request: all of it but secrets, if it is not too long."""

from typing import Any

import pytest
from google.protobuf.message import Message
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter, FilterList
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User, UserRef

from core_service import asked
from tests.history.conftest import office_in

CANARY = "canary-Pa55word"

HIDING = [
    api.CreateUserRequest(user=User(user_name="ada", password=CANARY)),
    api.UpdateUserRequest(user=User(id="u1", password=CANARY)),
    api.PatchUserRequest(
        changes=[
            UserChange(set=UserValue(field="password", value=User(password=CANARY))),
            UserChange(add=UserValue(field="title", value=User(title="x", password=CANARY))),
        ]
    ),
    api.PatchUserRequest(
        changes=[
            UserChange(
                set=UserValue(
                    field="emails",
                    where=Filter(equal=Comparison(field="password", text=CANARY)),
                )
            )
        ]
    ),
    api.ListUsersRequest(
        filter=Filter(
            any_of=FilterList(
                filters=[
                    Filter(negate=Filter(starts_with=Comparison(field="password", text=CANARY)))
                ]
            )
        )
    ),
    api.BatchWriteRequest(
        operations=[
            api.WriteOperation(create_user=api.CreateUserRequest(user=User(password=CANARY)))
        ]
    ),
    # The names of others, who may be purged and are not looked for here.
    api.CreateGroupRequest(group=Group(members=[Member(member_id="u1", display_name=CANARY)])),
    api.PatchGroupRequest(
        changes=[
            GroupChange(
                add=GroupValue(value=Group(members=[Member(member_id="u1", display_name=CANARY)]))
            )
        ]
    ),
    api.CreateUserRequest(
        user=User(enterprise={"manager": {"user_id": "u2", "display_name": CANARY}})
    ),
]


@pytest.mark.rule("D-31", "R-030")
@pytest.mark.parametrize("request_", HIDING, ids=lambda each: type(each).__name__)
def test_no_secret_is_kept(request_: Any):
    """Wherever in a request a password is, the log has the request without it; it is left as is."""
    before = request_.SerializeToString()
    packed = asked.packed(request_)
    again = type(request_)()

    assert packed is not None
    assert packed.Unpack(again)
    assert CANARY.encode() not in packed.value
    assert CANARY.encode() in before == request_.SerializeToString()
    assert again != type(request_)()


def test_what_nobody_knows_is_not_kept():
    """A field of a later contract might be a secret."""
    request = api.DeleteGroupRequest.FromString(b"\x0a\x01w\xc2\x3e\x06canary")
    packed = asked.packed(request)

    assert packed is not None
    assert b"canary" not in packed.value


@pytest.mark.parametrize(
    "request_",
    [
        api.CreateUserRequest(user=User(user_name="ada", title="Countess")),
        api.ListUsersRequest(filter=Filter(equal=Comparison(field="user_name", text="ada"))),
        admin.RotateTokenRequest(integration_id="i1", label="Okta"),
        api.GetUserRequest(user=UserRef(user_name="ada")),
    ],
)
def test_everything_else_is_kept(request_: Message):
    """A request without secrets is kept as it was sent."""
    packed = asked.packed(request_)
    again = type(request_)()

    assert packed is not None
    assert packed.Unpack(again)
    assert again == request_


def test_a_long_request_is_left_out():
    """4 KiB are kept, and not a byte more."""
    fits = api.DeleteGroupRequest(id="x" * (asked.MOST_BYTES - 3))
    longer = api.DeleteGroupRequest(id="x" * (asked.MOST_BYTES - 2))

    assert fits.ByteSize() == asked.MOST_BYTES
    assert asked.packed(fits) is not None
    assert asked.packed(longer) is None
    assert asked.packed(None) is None


async def test_the_log_of_a_password_has_no_password(world):
    """Created, changed, patched and refused by a filter: no row holds a byte of it."""
    office = await office_in(world, "ORG_CHART")
    made = await office.create("grace", password=CANARY)
    await office.set(made.id, password=CANARY + "2", title="Admiral")
    step = UserChange(set=UserValue(field="password", value=User(password=CANARY + "3")))
    await office.ask(api.PatchUserRequest(user=UserRef(id=made.id), changes=[step]))
    wanted = Filter(equal=Comparison(field="password", text=CANARY))
    await office.refused(api.ListUsersRequest(filter=wanted))
    entries = await office.log()

    assert [entry.operation for entry in entries[:4]] == [
        "ListUsers",
        "PatchUser",
        "UpdateUser",
        "CreateUser",
    ]
    assert all(entry.HasField("request") for entry in entries[:4])
    assert CANARY not in "".join(str(entry) for entry in entries)


@pytest.mark.rule("R-171", "D-20")
async def test_of_a_purged_user_no_request_is_kept(world):
    """Neither what was done nor what was refused, nor the request that purged by name."""
    office = await office_in(world, "GROUP_MIRROR")
    boss = await office.create("boss")
    report = await office.create("grace", enterprise={"manager": {"user_id": boss.id}})
    await office.refused(api.UpdateUserRequest(user=User(id=boss.id, time_zone="Boss/Zone")))
    await office.ask(api.DeleteUserRequest(user=UserRef(user_name=boss.user_name)), product=True)
    about = await office.log(target_id=boss.id)
    of_report = await office.log(target_id=report.id)

    assert [entry.operation for entry in about] == ["DeleteUser", "UpdateUser", "CreateUser"]
    assert not any(entry.HasField("request") for entry in about)
    assert about[1].rule == "RFC 7644 section 3.12"
    assert boss.user_name not in "".join(str(entry) for entry in [*about, *of_report])
    assert "Boss" not in "".join(str(entry) for entry in about)
