"""Causes of every reason over SCIM, with what the explanation of each must say."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import UserChange, UserValue
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User, UserRef

from core_service import credentials
from tests.contract.conftest import bearer, set_workspace
from tests.contract.test_access import UNKNOWN
from tests.contract.test_identity import LAPSED
from tests.scim import PATCH_OP, WORKPLACE, Answer, Scim, person
from tests.system import System
from tests.workspaces import Place, connect, new_place, switch

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SYNTAX = "RFC 7644 section 3.12"
BUSY = "RFC 9110 section 15.6.4"
NOT_CAUSED = {
    "GUEST_RESTRICTED",  # a last guard that no request reaches
    "RATE_LIMITED",  # no limit is set
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A refusal, and what its explanation must say.

    Attributes:
        detail: What the caller was told; for a SCIM client all that is known.
        rpc: The RPC whose request the explanation has.
        settings: Name, value and whether the workspace overrides its preset.
        token: What the caller showed; the explanation names its public id.
        known: Whether the credential was good, so that the actor is known.
    """

    detail: str
    rpc: str
    rule: str
    settings: tuple[tuple[str, str, bool], ...] = ()
    token: str = ""
    workspace_id: str = ""
    known: bool = True


@dataclass(slots=True)
class Desk:
    """An identity provider before a directory: new workspaces, and what it asks."""

    system: System
    kind: str

    async def place(self, preset: str = "SINGLE_ROLE", **settings: Any) -> Place:
        """Return a new workspace."""
        return await new_place(
            self.system.core, policy_pb2.Preset.Value(f"PRESET_{preset}"), **settings
        )

    async def ask(
        self,
        token: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        within: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a SCIM request; *within* names a workspace in the address."""
        base_url = self.system.base_url + (f"/w/{within}" if within else "")
        with Scim(base_url, token) as scim:
            return await asyncio.to_thread(scim.request, method, path, body, headers)

    async def made(self, place: Place, name: str = "grace", **attributes: Any) -> str:
        """Return the id of a new user."""
        sent = person(f"{name}@{place.workspace_id}.example", **attributes)
        answer = await self.ask(place.token, "POST", "/Users", sent)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    async def patch(self, place: Place, user_id: str, **operation: Any) -> Answer:
        """Return the answer to a PATCH of one operation."""
        body = {"schemas": [PATCH_OP], "Operations": [operation]}
        return await self.ask(place.token, "PATCH", f"/Users/{user_id}", body)

    async def by_grpc(self, token: str, request: Message) -> str:
        """Return what a product is told, with the trace id that its client adds."""
        stub = UserDirectoryStub(self.system.process)
        method = getattr(stub, request.DESCRIPTOR.name.removesuffix("Request"))
        try:
            await method(request, metadata=bearer(token) if token else (), timeout=20)
        except grpc.aio.AioRpcError as error:
            trailing = dict(error.trailing_metadata())
            return f"{error.details()} (trace {trailing[status.TRACE_KEY]})"
        raise AssertionError("The request was not refused.")


Cause = Callable[[Desk], Awaitable[Case]]
CAUSES: dict[str, Cause] = {}


def causes(name: str) -> Callable[[Cause], Cause]:
    """Mark what causes a reason; a reason of several rules has a cause `REASON field` for each."""

    def mark(function: Cause) -> Cause:
        CAUSES[name] = function
        return function

    return mark


def _case(place: Place, answer: Answer, rpc: str, rule: str, *settings: Any) -> Case:
    assert answer.status >= 400, answer
    return Case(
        detail=answer.body["detail"],
        rpc=rpc,
        rule=rule,
        settings=settings,
        token=place.token,
        workspace_id=place.workspace_id,
    )


async def _refused_create(desk: Desk, place: Place, rule: str, *settings: Any, **sent: Any) -> Case:
    wanted = person(f"grace@{place.workspace_id}.example", **sent)
    answer = await desk.ask(place.token, "POST", "/Users", wanted)
    return _case(place, answer, "CreateUser", rule, *settings)


@causes("USER_NOT_FOUND")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    return _case(place, await desk.ask(place.token, "GET", "/Users/nobody"), "GetUser", SYNTAX)


@causes("GROUP_NOT_FOUND")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    answer = await desk.ask(place.token, "GET", "/Groups/nothing")
    return _case(place, answer, "GetGroup", "R-148", ("groups", "GROUPS_MODE_GROUPS", False))


@causes("ROLE_NOT_FOUND")
async def _(desk: Desk) -> Case:
    # SCIM has no roles of their own: their groups are not found.
    place = await desk.place()
    return Case(
        detail=await desk.by_grpc(place.token, api.GetRoleRequest(id="nothing")),
        rpc="GetRole",
        rule="R-148",
        token=place.token,
        workspace_id=place.workspace_id,
    )


@causes("WORKSPACE_NOT_FOUND")
async def _(desk: Desk) -> Case:
    token = desk.system.service_token
    answer = await desk.ask(token, "GET", "/Users/nobody", within="no-such-workspace")
    return Case(detail=answer.body["detail"], rpc="GetUser", rule="R-016", token=token)


@causes("VALUE_TAKEN")
async def _(desk: Desk) -> Case:
    place = await desk.place("STRICT_RFC")
    await desk.made(place)
    setting = ("on_existing", "ON_EXISTING_REFUSE", False)
    return await _refused_create(desk, place, "R-162", setting)


@causes("VALUE_TAKEN display_name")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    for _ in range(2):
        answer = await desk.ask(place.token, "POST", "/Groups", {"displayName": "Crew"})
    return _case(place, answer, "CreateGroup", "R-176", ("group_names_unique", "true", False))


@causes("ETAG_MISMATCH")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    headers = {"If-Match": 'W/"99"'}
    path = f"/Users/{place.admin_id}"
    answer = await desk.ask(place.token, "DELETE", path, headers=headers)
    return _case(place, answer, "DeleteUser", "RFC 7644 section 3.14")


@causes("WRITE_CONFLICT")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    await desk.ask(place.token, "GET", "/Users/nobody")
    async with _held(desk, place):
        return await _refused_create(desk, place, BUSY)


@causes("STORAGE_UNAVAILABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # The credential is known for a moment.
    await desk.ask(place.token, "GET", "/Users/nobody")
    async with _read_only(desk):
        return await _refused_create(desk, place, BUSY)


@causes("FIELD_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    long = "x" * 300
    return await _refused_create(desk, place, SYNTAX, title=long)


@causes("FIELD_INVALID user_name")
async def _(desk: Desk) -> Case:
    setting = ("user_name", "USER_NAME_FORM_EMAIL", False)
    return await _refused_create(desk, await desk.place(), "R-067", setting, userName="no address")


@causes("FIELD_INVALID preferred_language")
async def _(desk: Desk) -> Case:
    setting = ("languages", "en-GB, de-DE", False)
    sent = {"preferredLanguage": "not a tag!"}
    return await _refused_create(desk, await desk.place(), "R-112", setting, **sent)


@causes("FIELD_INVALID time_zone")
async def _(desk: Desk) -> Case:
    return await _refused_create(desk, await desk.place(), "R-114", timezone="Nowhere/None")


@causes("FIELD_INVALID missing")
async def _(desk: Desk) -> Case:
    setting = ("required", "name.given_name, name.family_name", False)
    place = await desk.place("GROUP_MIRROR")
    return await _refused_create(desk, place, "R-139", setting, name={"givenName": "Grace"})


@causes("FIELD_INVALID enterprise.manager.user_id")
async def _(desk: Desk) -> Case:
    place = await desk.place("ORG_CHART")
    id_ = await desk.made(place)
    path = f"{ENTERPRISE}:manager.value"
    answer = await desk.patch(place, id_, op="replace", path=path, value=id_)
    return _case(place, answer, "PatchUser", "D-30")


@causes("FIELD_INVALID members.member_id")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    sent = {"displayName": "Crew", "members": [{"value": "nobody"}]}
    answer = await desk.ask(place.token, "POST", "/Groups", sent)
    setting = ("nested_groups", "NESTED_GROUPS_SKIP", False)
    return _case(place, answer, "CreateGroup", "R-177", setting)


@causes("FIELD_READ_ONLY")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # The gateway knows from the contract what is read-only and refuses it itself.
    step = UserChange(set=UserValue(field="id", value=User(id="mine")))
    request = api.PatchUserRequest(user=UserRef(id=place.admin_id), changes=[step])
    return Case(
        detail=await desk.by_grpc(place.token, request),
        rpc="PatchUser",
        rule=SYNTAX,
        token=place.token,
        workspace_id=place.workspace_id,
    )


@causes("FIELD_UNKNOWN")
async def _(desk: Desk) -> Case:
    setting = ("unknown_attributes", "UNKNOWN_ATTRIBUTES_REFUSE", False)
    place = await desk.place("STRICT_RFC")
    return await _refused_create(desk, place, "R-094", setting, favouriteColour="red")


@causes("FILTER_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # Only the core knows which attributes a workspace has declared.
    path = "/Users?filter=urn:example:hr:2.0:User:badge%20eq%20%224711%22"
    answer = await desk.ask(place.token, "GET", path)
    return _case(place, answer, "ListUsers", "RFC 7644 section 3.4.2.2")


@causes("NO_TARGET")
async def _(desk: Desk) -> Case:
    place = await desk.place("STRICT_RFC")
    id_ = await desk.made(place)
    path = 'emails[type eq "home"].value'
    answer = await desk.patch(place, id_, op="replace", path=path, value="a@example.com")
    setting = ("missing_element", "MISSING_ELEMENT_REFUSE", False)
    return _case(place, answer, "PatchUser", "D-43", setting)


@causes("PAGE_TOKEN_INVALID")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "GET", "/Users?cursor=forged")
    return _case(place, answer, "ListUsers", "RFC 9865 section 2.1")


@causes("NAME_UNKNOWN")
async def _(desk: Desk) -> Case:
    sent = {WORKPLACE: {"absenceRegion": "Atlantis"}}
    return await _refused_create(desk, await desk.place(), "R-124", **sent)


@causes("NAME_UNKNOWN workplace.user_role")
async def _(desk: Desk) -> Case:
    sent = {WORKPLACE: {"userRole": "manager"}}
    return await _refused_create(desk, await desk.place(), "R-125", **sent)


@causes("SECOND_ROLE")
async def _(desk: Desk) -> Case:
    roles = [{"value": "Manager"}, {"value": "Member"}]
    return await _refused_create(desk, await desk.place(), "R-144", roles=roles)


@causes("ROLE_NOT_REMOVABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_ = await desk.made(place)
    answer = await desk.patch(place, id_, op="remove", path=f"{WORKPLACE}:userRole")
    return _case(place, answer, "PatchUser", "R-151")


@causes("REGION_NOT_REMOVABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_ = await desk.made(place, **{WORKPLACE: {"absenceRegion": "Bayern"}})
    answer = await desk.patch(place, id_, op="remove", path=f"{WORKPLACE}:absenceRegion")
    return _case(place, answer, "PatchUser", "R-121")


@causes("ACCOUNT_SHARED")
async def _(desk: Desk) -> Case:
    here, there = await desk.place(), await desk.place()
    shared = f"shared@{here.workspace_id}.example"
    for place in (there, here):
        made = await desk.ask(place.token, "POST", "/Users", person(shared))
    new = f"new@{here.workspace_id}.example"
    answer = await desk.patch(here, made.body["id"], op="replace", path="userName", value=new)
    setting = ("account_email", "ACCOUNT_EMAIL_ALLOW", False)
    return _case(here, answer, "PatchUser", "R-161", setting)


@causes("LAST_ADMIN")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.patch(place, place.admin_id, op="replace", path="active", value=False)
    return _case(place, answer, "PatchUser", "R-150")


@causes("ADMIN_ROLE_LOCKED")
async def _(desk: Desk) -> Case:
    place = await desk.place("ORG_CHART")
    id_ = await desk.made(place)
    value = [{"value": "Admin"}]
    answer = await desk.patch(place, id_, op="replace", path="roles", value=value)
    setting = ("admin_role", "ADMIN_ROLE_PRODUCT_ONLY", False)
    return _case(place, answer, "PatchUser", "R-154", setting)


@causes("ROLE_CATALOGUE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "POST", "/Groups", {"displayName": "Sales"})
    return _case(place, answer, "CreateGroup", "R-143", ("groups", "GROUPS_MODE_ROLES", False))


@causes("NO_SEAT")
async def _(desk: Desk) -> Case:
    place = await desk.place(seats=1)
    return await _refused_create(desk, place, "R-044", ("seats", "SEATS_METERED", False))


@causes("LIMIT_REACHED")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    one = workspace_pb2.Workspace(policy=policy_pb2.Policy(max_users=1))
    await set_workspace(desk.system.core, place.workspace_id, one)
    return await _refused_create(desk, place, "R-174", ("max_users", "1", True))


@causes("INTEGRATION_OFF")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_, token = await connect(desk.system.core, place.workspace_id)
    await switch(desk.system.core, place.workspace_id, id_, enabled=False)
    answer = await desk.ask(token, "GET", "/Users/nobody")
    return Case(
        detail=answer.body["detail"],
        rpc="GetUser",
        rule="R-062",
        settings=(("integration_enabled", "true", True),),
        token=token,
        workspace_id=place.workspace_id,
    )


@causes("NOT_ENTITLED")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    await set_workspace(desk.system.core, place.workspace_id, LAPSED)
    answer = await desk.ask(place.token, "GET", "/Users/nobody")
    setting = ("plan_needed", "PLAN_NEEDED_ENTERPRISE", True)
    return _case(place, answer, "GetUser", "R-009", setting)


@causes("SIGN_ON_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    signed_off = workspace_pb2.Workspace(sign_on=workspace_pb2.SIGN_ON_NONE)
    await set_workspace(desk.system.core, place.workspace_id, signed_off)
    setting = ("sign_on_needed", "SIGN_ON_NEEDED_OPENID_CONNECT", False)
    return await _refused_create(desk, place, "R-013", setting)


@causes("CREDENTIAL_MISSING")
async def _(desk: Desk) -> Case:
    # The gateway itself refuses who shows nothing at all.
    return Case(
        detail=await desk.by_grpc("", api.CountUsersRequest()),
        rpc="CountUsers",
        rule="R-060",
        known=False,
    )


@causes("CREDENTIAL_INVALID")
async def _(desk: Desk) -> Case:
    answer = await desk.ask(UNKNOWN, "GET", "/Users/nobody")
    return Case(
        detail=answer.body["detail"], rpc="GetUser", rule="R-060", token=UNKNOWN, known=False
    )


@causes("SCOPE_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    core = desk.system.core
    token = await credentials.issue_service_token(core, "Reader", "users.read", place.workspace_id)
    answer = await desk.ask(token, "DELETE", "/Users/nobody")
    return Case(
        detail=answer.body["detail"],
        rpc="DeleteUser",
        rule="RFC 6750 section 3.1",
        token=token,
        workspace_id=place.workspace_id,
    )


@causes("WORKSPACE_MISMATCH")
async def _(desk: Desk) -> Case:
    here, there = await desk.place(), await desk.place()
    answer = await desk.ask(here.token, "GET", "/Users/nobody", within=there.workspace_id)
    return _case(here, answer, "GetUser", "R-016")


@causes("SUBJECT_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "GET", "/Me")
    return _case(place, answer, "GetUser", "RFC 7644 section 3.11")


@contextlib.asynccontextmanager
async def _held(desk: Desk, place: Place) -> AsyncIterator[None]:
    """Hold what a write must have: the workspace's row, or SQLite's lock."""
    url = desk.system.database_url
    if desk.kind == "sqlite":
        other = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()
        return
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    lock = "SELECT id FROM workspaces WHERE id = $1 FOR UPDATE"
    await connection.execute(lock, place.workspace_id)
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


@contextlib.asynccontextmanager
async def _read_only(desk: Desk) -> AsyncIterator[None]:
    """Let the database take no writes."""
    await _writable(desk, "off")
    try:
        yield
    finally:
        await _writable(desk, "on")


async def _writable(desk: Desk, state: str) -> None:
    if desk.kind == "sqlite":
        writer = desk.system.core.storage._writer._connection  # type: ignore[attr-defined]
        writer.execute(f"PRAGMA query_only = {'off' if state == 'on' else 'on'}")
        return
    url = desk.system.database_url
    connection = await asyncpg.connect(
        url, server_settings={"default_transaction_read_only": "off"}
    )
    name = await connection.fetchval("SELECT current_database()")
    read_only = "off" if state == "on" else "on"
    await connection.execute(
        f'ALTER DATABASE "{name}" SET default_transaction_read_only = {read_only}'
    )
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'user-directory' AND datname = current_database()"
    )
    await connection.close()
