"""The synchronous client, watched on the wire; what both clients have in common."""

import inspect
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc_testing
import pytest
from userdirectory import status
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.role_pb2 import Role
from userdirectory.v1.user_pb2 import Name, User, UserRef, Workplace

from clients import groups, users
from clients.calls import Budget, Client
from clients.directory import AsyncDirectory, Directory

SERVICE = api.DESCRIPTOR.services_by_name["UserDirectory"]
OK = grpc.StatusCode.OK


class Wire:
    """What a client sends, and what it is answered."""

    def __init__(self) -> None:
        self.channel = grpc_testing.channel([SERVICE], grpc_testing.strict_real_time())
        self.directory = Directory(self.channel, "ud_token", workspace_id="acme", timeout_seconds=5)
        self._pool = ThreadPoolExecutor(1)
        self.taken: list[Any] = []

    def begin(self, call: Callable[[Directory], Any]) -> Any:
        """Let the client call in a thread of its own; return the future of what it gets."""
        return self._pool.submit(call, self.directory)

    def answer(self, method: str, answer: Any, code=OK, details="", trailing=()) -> Any:
        """Wait for a call of *method*, answer it, and return its request."""
        metadata, request, rpc = self.channel.take_unary_unary(SERVICE.methods_by_name[method])
        self.taken.append(metadata)
        # There is no wire in between that would keep what was sent from changing.
        request = type(request).FromString(request.SerializeToString())
        rpc.terminate(answer, trailing, code, details)
        return request

    def refuse(self, method: str, error: DirectoryError) -> Any:
        """Wait for a call of *method* and refuse it."""
        trailing = ((status.DETAILS_KEY, status.details(error)),)
        return self.answer(method, None, error.code, error.message, trailing)


@pytest.fixture
def wire():
    return Wire()


CHANGE = UserChange(set=UserValue(field="active", value=User(active=False)))
JOIN = GroupChange(add=GroupValue(field="members", value=Group(members=[Member(member_id="u1")])))
LEAVE = GroupChange(discard=JOIN.add)
ACTIVE = Filter(equal=Comparison(field="active", flag=True))
USER, GROUP = User(id="u1"), Group(id="g1")

CALLS = [
    (
        lambda d: d.get_user("u1"),
        api.GetUserRequest(user=UserRef(id="u1")),
        api.GetUserResponse(user=USER),
        USER,
    ),
    (
        lambda d: d.find_user("ada"),
        api.GetUserRequest(user=UserRef(user_name="ada")),
        api.GetUserResponse(user=USER),
        USER,
    ),
    (
        lambda d: d.create_user(USER),
        api.CreateUserRequest(user=USER),
        api.CreateUserResponse(existed=True),
        api.CreateUserResponse(existed=True),
    ),
    (
        lambda d: d.update_user(User(id="u1", name=Name(given_name="A")), "name.given_name"),
        api.UpdateUserRequest(
            user=User(id="u1", name=Name(given_name="A")),
            update_mask={"paths": ["name.given_name"]},
        ),
        api.UpdateUserResponse(user=USER),
        api.UpdateUserResponse(user=USER),
    ),
    (
        lambda d: d.update_user(USER),
        api.UpdateUserRequest(user=USER),
        api.UpdateUserResponse(user=USER),
        api.UpdateUserResponse(user=USER),
    ),
    (
        lambda d: d.patch_user("u1", [CHANGE], etag='W/"1"'),
        api.PatchUserRequest(user=UserRef(id="u1"), changes=[CHANGE], etag='W/"1"'),
        api.PatchUserResponse(user=USER),
        api.PatchUserResponse(user=USER),
    ),
    (
        lambda d: d.delete_user("u1", etag='W/"1"'),
        api.DeleteUserRequest(user=UserRef(id="u1"), etag='W/"1"'),
        api.DeleteUserResponse(),
        None,
    ),
    (
        lambda d: d.get_group("g1"),
        api.GetGroupRequest(id="g1"),
        api.GetGroupResponse(group=GROUP),
        GROUP,
    ),
    (
        lambda d: d.create_group(GROUP),
        api.CreateGroupRequest(group=GROUP),
        api.CreateGroupResponse(group=GROUP),
        api.CreateGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.update_group(GROUP, "display_name"),
        api.UpdateGroupRequest(group=GROUP, update_mask={"paths": ["display_name"]}),
        api.UpdateGroupResponse(group=GROUP),
        api.UpdateGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.patch_group("g1", [JOIN]),
        api.PatchGroupRequest(id="g1", changes=[JOIN]),
        api.PatchGroupResponse(group=GROUP),
        api.PatchGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.delete_group("g1"),
        api.DeleteGroupRequest(id="g1"),
        api.DeleteGroupResponse(),
        None,
    ),
    (
        lambda d: d.replace_user(USER),
        api.UpdateUserRequest(user=USER, update_mask={"paths": ["*"]}),
        api.UpdateUserResponse(user=USER),
        api.UpdateUserResponse(user=USER),
    ),
    (
        lambda d: d.batch_get_users(["u1"]),
        api.BatchGetUsersRequest(ids=["u1"]),
        api.BatchGetUsersResponse(users=[USER]),
        [USER],
    ),
    (
        lambda d: d.count_users(ACTIVE),
        api.CountUsersRequest(filter=ACTIVE),
        api.CountUsersResponse(count=7),
        7,
    ),
    (
        lambda d: d.restore_user("u1"),
        api.RestoreUserRequest(id="u1"),
        api.RestoreUserResponse(user=USER),
        api.RestoreUserResponse(user=USER),
    ),
    (
        lambda d: d.purge_user("u1"),
        api.PurgeUserRequest(id="u1"),
        api.PurgeUserResponse(),
        None,
    ),
    (
        lambda d: d.batch_get_groups(["g1"]),
        api.BatchGetGroupsRequest(ids=["g1"]),
        api.BatchGetGroupsResponse(groups=[GROUP]),
        [GROUP],
    ),
    (
        lambda d: d.count_groups(),
        api.CountGroupsRequest(),
        api.CountGroupsResponse(count=3),
        3,
    ),
    (
        lambda d: d.replace_group(GROUP),
        api.UpdateGroupRequest(group=GROUP, update_mask={"paths": ["*"]}),
        api.UpdateGroupResponse(group=GROUP),
        api.UpdateGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.add_members("g1", ["u1"]),
        api.PatchGroupRequest(id="g1", changes=[JOIN]),
        api.PatchGroupResponse(group=GROUP),
        api.PatchGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.remove_members("g1", ["u1"]),
        api.PatchGroupRequest(id="g1", changes=[LEAVE]),
        api.PatchGroupResponse(group=GROUP),
        api.PatchGroupResponse(group=GROUP),
    ),
    (
        lambda d: d.get_role("r1"),
        api.GetRoleRequest(id="r1"),
        api.GetRoleResponse(role=Role(id="r1")),
        Role(id="r1"),
    ),
    (
        lambda d: d.list_roles(),
        api.ListRolesRequest(),
        api.ListRolesResponse(roles=[Role(id="r1")]),
        [Role(id="r1")],
    ),
]


@pytest.mark.parametrize(("call", "request_", "answer", "result"), CALLS)
def test_a_method_is_one_call(wire, call, request_, answer, result):
    """Each method sends one request about the client's workspace, with its token."""
    future = wire.begin(call)
    sent = wire.answer(request_.DESCRIPTOR.name.removesuffix("Request"), answer)
    request_.workspace_id = "acme"

    assert future.result(5) == result
    assert sent == request_
    assert ("authorization", "Bearer ud_token") in [tuple(each) for each in wire.taken[0]]


@pytest.mark.parametrize(
    ("call", "method", "page", "item"),
    [
        (lambda d: list(d.list_users(page_size=2)), "ListUsers", api.ListUsersResponse, "users"),
        (lambda d: list(d.list_groups()), "ListGroups", api.ListGroupsResponse, "groups"),
        (
            lambda d: list(d.list_members("g1")),
            "ListGroupMembers",
            api.ListGroupMembersResponse,
            "members",
        ),
        (
            lambda d: list(d.list_deleted_users()),
            "ListDeletedUsers",
            api.ListDeletedUsersResponse,
            "users",
        ),
        (
            lambda d: list(d.get_org_chart("u1", depth=3)),
            "GetOrgChart",
            api.GetOrgChartResponse,
            "entries",
        ),
    ],
)
def test_lists_follow_their_pages(wire, call, method, page, item):
    """A listing asks for page after page until none is left."""
    future = wire.begin(call)
    first = wire.answer(method, page(**{item: [{}, {}]}, next_page_token="next"))
    second = wire.answer(method, page(**{item: [{}]}))

    assert len(future.result(5)) == 3
    assert (first.page_token, second.page_token) == ("", "next")
    assert first.page_size == second.page_size


def test_a_refusal_is_raised_as_it_was_meant(wire):
    """The caller gets the reason, the sentence and the metadata."""
    error = DirectoryError("LAST_ADMIN", "User u1 is the last active admin.", user_id="u1")
    future = wire.begin(lambda d: d.delete_user("u1"))
    wire.refuse("DeleteUser", error)

    with pytest.raises(DirectoryError) as caught:
        future.result(5)
    assert caught.value.reason == "LAST_ADMIN"
    assert caught.value.message == error.message
    assert caught.value.metadata == {"user_id": "u1"}


def test_a_failure_without_a_reason_is_raised_as_it_is(wire):
    """What is not the directory's refusal stays a grpc.RpcError."""
    future = wire.begin(lambda d: d.get_user("u1"))
    wire.answer("GetUser", None, grpc.StatusCode.INTERNAL, "Something went wrong here.")

    with pytest.raises(grpc.RpcError) as caught:
        future.result(5)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_a_read_is_tried_again_when_the_directory_is_away(wire):
    """UNAVAILABLE twice, then an answer: the caller sees the answer (R03)."""
    future = wire.begin(lambda d: d.get_user("u1"))
    for _ in range(2):
        wire.answer("GetUser", None, grpc.StatusCode.UNAVAILABLE, "away")
    wire.answer("GetUser", api.GetUserResponse(user=USER))

    assert future.result(5) == USER


def test_a_read_is_tried_three_times_at_most(wire):
    """The third UNAVAILABLE is the caller's."""
    future = wire.begin(lambda d: d.get_user("u1"))
    for _ in range(3):
        wire.answer("GetUser", None, grpc.StatusCode.UNAVAILABLE, "away")

    with pytest.raises(grpc.RpcError) as caught:
        future.result(5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_many_ids_are_asked_for_in_parts(wire):
    """One call asks for at most a thousand; the caller sees one list."""
    future = wire.begin(lambda d: d.batch_get_users(f"u{number}" for number in range(1001)))
    asked = [
        wire.answer("BatchGetUsers", api.BatchGetUsersResponse(users=[USER])) for _ in range(2)
    ]

    assert future.result(5) == [USER, USER]
    assert [len(request.ids) for request in asked] == [1000, 1]


def test_nobody_is_asked_about_no_ids(wire):
    """An empty batch is an empty list, without a call."""
    assert wire.begin(lambda d: d.batch_get_users([])).result(5) == []


@pytest.mark.parametrize("role", ["r2", "Editor"])
def test_a_role_is_set_by_id_or_name(wire, role):
    """The directory knows roles of users by name: an id is looked up, a name goes as it is."""
    future = wire.begin(lambda d: d.set_role("u1", role, etag='W/"1"'))
    roles = [Role(id="r1", name="Admin"), Role(id="r2", name="Editor")]
    wire.answer("ListRoles", api.ListRolesResponse(roles=roles))
    sent = wire.answer("UpdateUser", api.UpdateUserResponse(user=USER))

    user = User(id="u1", etag='W/"1"', workplace=Workplace(user_role="Editor"))
    assert future.result(5).user == USER
    assert sent.user == user
    assert list(sent.update_mask.paths) == ["workplace.user_role"]


def test_the_two_clients_have_the_same_methods():
    """Names, parameters and docstrings agree; only what is awaited differs."""
    found = [_methods(client) for client in (Directory, AsyncDirectory)]

    assert found[0] == found[1]
    assert len(found[0]) > 25


def _methods(client: type) -> dict[str, tuple[Any, str | None]]:
    return {
        name: (dict(inspect.signature(method).parameters), method.__doc__)
        for name, method in vars(client).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


def test_every_rpc_of_people_groups_and_roles_has_a_method():
    """What the contract offers to products can be asked for; batches are for gateways."""
    written = inspect.getsource(users) + inspect.getsource(groups)
    asked = set(re.findall(r"pb\.(\w+)Request", written))

    assert asked == {method.name for method in SERVICE.methods} - {"BatchWrite"}


def test_retries_are_a_small_part_of_the_calls_during_an_outage():
    """Once the budget is spent, calls fail at once; answers fill it again (R04)."""
    budget = Budget()
    retries = sum(budget.failed() for _ in range(1000))
    for _ in range(100):
        budget.answered()

    assert retries == 4
    assert budget.failed()


@pytest.mark.parametrize("token", ["", "a b", "a\n", "ä", "x" * 4097])
def test_a_token_that_cannot_be_sent_is_refused_at_once(token):
    """A line break, a blank or a letter outside ASCII never reaches a header (G07)."""
    with pytest.raises(ValueError, match="visible ASCII"):
        Client(token, "", 1)


def test_a_client_does_not_show_its_token():
    """The repr of a client may be logged (X01)."""
    assert "ud_secret" not in repr(Client("ud_secret", "", 1))
