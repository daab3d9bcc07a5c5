"""The core called directly, without the gateway before it."""

import grpc
import pytest
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin
from userdirectory.v1.change_pb2 import UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, FieldPresence, Filter, FilterList
from userdirectory.v1.user_pb2 import User, UserRef, Workplace

from core_service import credentials
from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.fuzz.wire import Sent, Wire
from tests.hostile.conftest import Caller
from tests.system import System

_PRESENT = Filter(present=FieldPresence(field="user_name"))


def _deep(levels: int) -> Filter:
    found = _PRESENT
    for _ in range(levels):
        found = Filter(negate=found)
    return found


async def test_credentials_of_products(directory: System, caller: Caller, idp: Idp):
    """G02: an unknown credential is UNAUTHENTICATED, one without the scope PERMISSION_DENIED."""
    own = idp.place.workspace_id
    narrow = await credentials.issue_service_token(directory.core, "Tests", "users.read", own)
    request = api.DeleteUserRequest(user=UserRef(id=idp.place.admin_id))

    wrong = await caller.refused("ud_" + "0" * 16 + "_" + "A" * 43, request)
    assert grpc.StatusCode.UNAUTHENTICATED is wrong.code
    assert "SCOPE_MISSING" == (await caller.refused(narrow, request)).reason
    assert 1 == (await caller.ask(narrow, api.CountUsersRequest())).count


async def test_a_message_for_another_workspace(caller: Caller, neighbours: tuple[Idp, Idp]):
    """G03: PERMISSION_DENIED, nothing changed."""
    here, there = neighbours
    request = api.CreateUserRequest(
        workspace_id=there.place.workspace_id, user=User(user_name=there.mail("eve"))
    )

    refused = await caller.refused(here.place.token, request)

    assert grpc.StatusCode.PERMISSION_DENIED is refused.code
    assert [there.place.admin_id] == [user["id"] for user in await there.find("Users")]


async def test_a_message_above_four_mebibytes(caller: Caller, idp: Idp):
    """G06: RESOURCE_EXHAUSTED, and the next call is answered."""
    request = api.CreateUserRequest(user=User(title="x" * (4 * 1024 * 1024 + 1)))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await caller.ask(idp.place.token, request)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code()
    assert 1 == (await caller.ask(idp.place.token, api.CountUsersRequest())).count


@pytest.mark.parametrize(
    "token", [b"a\x00b", b"\xff\xfe", b"\xc3\xa9", b"x" * 4097, b"x y", b"\x01", b"a\tb"]
)
async def test_tokens_that_are_no_metadata(wire: Wire, token: bytes):
    """G07: refused at the gateway, by HTTP's own rules or with 401."""
    sent = Sent("GET", b"/scim/v2/Users", (("Authorization", b"Bearer " + token),))

    assert (await wire.send(sent)).status in (400, 401)


@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "STRICT_RFC"])
async def test_rules_hold_without_the_gateway(
    directory: System, caller: Caller, new_idp: NewIdp, preset: str
):
    """G09, L01: by every RPC a product can take the last admin away, and none does."""
    idp = await new_idp(preset)
    named = {"workspace_id": idp.place.workspace_id}
    ref = UserRef(id=idp.place.admin_id)
    member = User(id=idp.place.admin_id, workplace=Workplace(user_role="Member"))
    step = UserValue(field="active", value=User(active=False))
    delete = api.DeleteUserRequest(user=ref, **named)
    requests = [
        delete,
        api.PurgeUserRequest(id=idp.place.admin_id, **named),
        api.UpdateUserRequest(user=member, **named),
        api.UpdateUserRequest(user=User(id=idp.place.admin_id, active=False), **named),
        api.PatchUserRequest(user=ref, changes=[UserChange(set=step)], **named),
        admin.DeleteRoleRequest(
            id=idp.place.roles["Admin"], replacement_id=idp.place.roles["Member"], **named
        ),
    ]
    before = await idp.get(idp.place.admin_id)
    for request in requests:
        refused = await caller.refused(directory.service_token, request)
        assert refused.reason in ("LAST_ADMIN", "FIELD_INVALID"), request
    batch = api.BatchWriteRequest(operations=[api.WriteOperation(delete_user=delete)], **named)
    written = await caller.ask(directory.service_token, batch)

    assert "LAST_ADMIN" in str(written.results[0].error)
    assert before == await idp.get(idp.place.admin_id)


BAD = {
    "a deep filter": api.ListUsersRequest(filter=_deep(50)),
    "10,000 nodes": api.ListUsersRequest(
        filter=Filter(any_of=FilterList(filters=[_PRESENT] * 10_000))
    ),
    "an empty filter": api.ListUsersRequest(filter=Filter()),
    "NUL in a filter": api.ListUsersRequest(
        filter=Filter(equal=Comparison(field="user_name", text="a\0b"))
    ),
    "an unknown field": api.ListUsersRequest(
        filter=Filter(equal=Comparison(field="nothing", text="a"))
    ),
    "a secret field": api.ListUsersRequest(
        filter=Filter(starts_with=Comparison(field="password", text="a"))
    ),
    "a negative page": api.ListUsersRequest(page_size=-1),
    "a negative skip": api.ListUsersRequest(skip=-1),
    "SQL in the order": api.ListUsersRequest(order_by="user_name; DROP TABLE users"),
    "NUL in a name": api.CreateUserRequest(user=User(user_name="a\0b@x.example")),
    "an unknown preset": admin.UpdatePolicyRequest(
        policy=policy_pb2.Policy(preset=99)  # type: ignore[arg-type]
    ),
    "NUL in a page token": api.ListUsersRequest(page_token="\0"),
    "1,001 ids": api.BatchGetUsersRequest(ids=["x"] * 1001),
}


@pytest.mark.parametrize("name", BAD)
async def test_messages_that_nobody_should_send(
    directory: System, caller: Caller, idp: Idp, name: str
):
    """G10: INVALID_ARGUMENT."""
    request = type(BAD[name])()
    request.CopyFrom(BAD[name])  # type: ignore[arg-type]
    request.workspace_id = idp.place.workspace_id

    refused = await caller.refused(directory.service_token, request)

    assert grpc.StatusCode.INVALID_ARGUMENT is refused.code


async def test_a_filter_of_a_thousand_levels(caller: Caller, idp: Idp):
    """G10: it does not even become a message; the core goes on."""
    raw = _deep(0).SerializeToString()
    for _ in range(1000):
        raw = _field(3, raw)
    send = caller.channel.unary_unary("/userdirectory.v1.UserDirectory/ListUsers")
    metadata = (("authorization", f"Bearer {idp.place.token}"),)
    with pytest.raises(grpc.aio.AioRpcError):
        await send(_field(2, raw), metadata=metadata, timeout=20)

    assert 1 == (await caller.ask(idp.place.token, api.CountUsersRequest())).count


async def test_page_tokens_are_authenticated(caller: Caller, neighbours: tuple[Idp, Idp]):
    """G11: forged, cut, another listing's, another workspace's: INVALID_ARGUMENT."""
    here, there = neighbours
    for idp in neighbours:
        for name in ("grace", "eve"):
            await idp.create(name)
    own = here.place.token
    token = (await caller.ask(own, api.ListUsersRequest(page_size=1))).next_page_token
    foreign = await caller.ask(there.place.token, api.ListUsersRequest(page_size=1))
    ordered = await caller.ask(own, api.ListUsersRequest(page_size=1, order_by="user_name"))
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    flipped = ("A" if token[0] != "A" else "B") + token[1:]

    for bad in (
        forged,
        flipped,
        token[:-4],
        token * 2,
        "' OR 1=1 --",
        "x" * 10_000,
        foreign.next_page_token,
        ordered.next_page_token,
    ):
        refused = await caller.refused(own, api.ListUsersRequest(page_size=1, page_token=bad))
        assert "PAGE_TOKEN_INVALID" == refused.reason
    assert (await caller.ask(own, api.ListUsersRequest(page_size=1, page_token=token))).users


def _field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field as it is on the wire."""
    length, left = b"", len(value)
    while left > 127:
        length, left = length + bytes([left & 127 | 128]), left >> 7
    return bytes([number << 3 | 2]) + length + bytes([left]) + value
