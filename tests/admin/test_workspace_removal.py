"""A workspace is deleted: with all that is in it, nothing beside it, and only when it may be."""

import asyncio

import pytest
import sqlalchemy as sa
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1.user_directory_pb2 import (
    CreateGroupRequest,
    CreateUserRequest,
    DeleteUserRequest,
    GetUserRequest,
    ListDeletedUsersRequest,
    ListGroupsRequest,
    ListRolesRequest,
    ListUsersRequest,
)
from userdirectory.v1.workspace_admin_pb2 import (
    CreateWorkspaceRequest,
    DeleteWorkspaceRequest,
    GetSeatsRequest,
    GetWorkspaceRequest,
    ListFailuresRequest,
    ListIntegrationsRequest,
    ListLogRequest,
    UpdateWorkspaceRequest,
)

from core_service import verify
from core_service.outbox import Worker
from core_service.storage import store
from core_service.storage.columns import METADATA
from core_service.storage.plans import SCAN
from tests import workspaces
from tests.contract.conftest import refusal
from tests.scim import person

HALF_HOUR = 30 * 60 * 1_000_000
TABLES = [table for table in METADATA.sorted_tables if "workspace_id" in table.c]


async def dump(core):
    """Return the rows of every table, each row by its columns."""

    async def work(tx):
        found = {}
        for table in METADATA.sorted_tables:
            rows = await tx.all(sa.select(table).execution_options(**{SCAN: True}))
            names = [column.name for column in table.c]
            found[table.name] = [dict(zip(names, row, strict=True)) for row in rows]
        return found

    return await core.storage.read(work)


def of_workspace(rows, workspace_id, *, but=False):
    """Return the rows of a workspace by table; the rows of all *but* it."""

    return {
        table.name: sorted(
            repr(row) for row in rows[table.name] if (row["workspace_id"] == workspace_id) != but
        )
        for table in TABLES
    }


def made_up(table, workspace_id):
    """Return a row of a table for which nothing else fills it."""
    values = {sa.Boolean: False, sa.BigInteger: 1, sa.LargeBinary: b"x"}
    row = {column.name: values.get(type(column.type), "x") for column in table.c}
    return row | {"workspace_id": workspace_id}


async def fill(admin, place):
    """Put something of every kind into a workspace; return the ids of its users."""
    core = admin.world.core
    users = [await admin.user(place, name, "Member") for name in ("grace", "alan", "purged")]
    made = await admin.scim(
        place.token, "POST", "/Users", person(f"x@{place.workspace_id}.example")
    )
    assert made.status == 201
    members = [{"member_id": user.id} for user in users]
    for name in ("Sales", "Support"):
        group = {"display_name": name, "members": members}
        await admin.ask(place, CreateGroupRequest(group=group))
    await admin.ask(place, DeleteUserRequest(user={"id": users[2].id}))
    filled = of_workspace(await dump(core), place.workspace_id)

    async def work(tx):
        for table in TABLES:
            if not filled.get(table.name):
                await tx.run(sa.insert(table), made_up(table, place.workspace_id))

    await core.storage.write(place.workspace_id, work)
    filled = of_workspace(await dump(core), place.workspace_id)
    assert [table.name for table in TABLES if not filled[table.name]] == []
    return [*(user.id for user in users), made.body["id"]]


async def delete(admin, place, token=None):
    """Return the answer to deleting a workspace as it is now."""
    read = await admin.ask(place, GetWorkspaceRequest())
    request = DeleteWorkspaceRequest(workspace_id=place.workspace_id, etag=read.workspace.etag)
    answer = await admin.world.ask(token or admin.token, request)
    workspaces.under_test[:] = [
        each for each in workspaces.under_test if each[1] != place.workspace_id
    ]
    return answer


async def test_a_workspace_goes_with_all_that_is_in_it(admin):
    """No table keeps a row of it; what others have is the same to the byte; all rules hold."""
    place, other = await admin.world.place("GROUP_MIRROR"), await admin.world.place()
    user_ids = await fill(admin, place)
    await admin.scim(other.token, "GET", "/Users")
    await admin.identity.uses.settled()
    before = await dump(admin.world.core)
    answer = await delete(admin, place)
    after = await dump(admin.world.core)
    left = of_workspace(after, place.workspace_id)

    # The admin came before, and one was purged.
    assert (answer.user_count, answer.group_count) == (1 + len(user_ids) - 1, 2)
    assert {name: rows for name, rows in left.items() if rows} == {}
    assert place.workspace_id not in {row["id"] for row in after["workspaces"]}
    for rows in (before, after):
        rows["workspaces"] = [r for r in rows["workspaces"] if r["id"] != place.workspace_id]
    assert of_workspace(before, place.workspace_id, but=True) == of_workspace(
        after, place.workspace_id, but=True
    )
    assert before["workspaces"] == after["workspaces"]
    assert await verify.findings(admin.world.core.storage) == []


@pytest.mark.rule("R-163")
async def test_accounts_go_with_their_last_user(admin):
    """One that another workspace shares stays, with a user less; those of nobody else are gone."""
    here, there = await admin.world.place(), await admin.world.place()
    shared, own = [f"{name}@{here.workspace_id}.example" for name in ("both", "own")]
    await admin.scim(here.token, "POST", "/Users", person(own))
    made = [
        await admin.scim(each.token, "POST", "/Users", person(shared)) for each in (here, there)
    ]
    await delete(admin, here)
    accounts = {
        row["email"]: row["users_count"] for row in (await dump(admin.world.core))["accounts"]
    }
    kept = await admin.get(there, made[1].body["id"])

    assert accounts[shared] == 1
    assert own not in accounts
    assert (kept.user_name, kept.etag) == (shared, made[1].body["meta"]["version"])
    assert await verify.findings(admin.world.core.storage) == []


async def test_its_tokens_open_nothing_any_more(admin):
    """Those of identity providers and of products, from the next call on."""
    place = await admin.world.place()
    bound = await admin.world.service("*", place.workspace_id)
    await admin.world.ask(bound, ListUsersRequest())
    await delete(admin, place, bound)
    refused = [
        (await refusal(admin.world.ask(token, ListUsersRequest()))).reason
        for token in (place.token, bound)
    ]

    assert refused == ["CREDENTIAL_INVALID"] * 2
    assert (await admin.scim(place.token, "GET", "/Users")).status == 401
    assert (await admin.refused(place, ListUsersRequest())).reason == "WORKSPACE_NOT_FOUND"


async def test_the_id_can_be_used_anew(admin):
    """Nothing of the old workspace is in the new one, also if both are of the same instant."""
    place = await admin.world.place("GROUP_MIRROR")
    user_ids = await fill(admin, place)
    await delete(admin, place)
    wanted = workspace_pb2.Workspace(
        id=place.workspace_id, policy=policy_pb2.Policy(preset="PRESET_STRICT_RFC")
    )
    roles = [
        role_pb2.Role(name=name, kind=f"ROLE_KIND_{name.upper()}") for name in ("Admin", "Regular")
    ]
    await admin.world.ask(admin.token, CreateWorkspaceRequest(workspace=wanted, roles=roles))
    workspaces.under_test.append((admin.world.core, place.workspace_id))
    new = await admin.user(place, "grace", "Admin")
    listed = await admin.ask(place, ListUsersRequest())
    named = await admin.ask(place, ListRolesRequest())
    entries = (await admin.ask(place, ListLogRequest())).entries
    policy = (await admin.ask(place, GetWorkspaceRequest())).workspace.policy
    empty = [
        await admin.ask(place, request)
        for request in (
            ListGroupsRequest(),
            ListDeletedUsersRequest(),
            ListIntegrationsRequest(),
            ListFailuresRequest(),
        )
    ]
    gone = [
        (await admin.refused(place, GetUserRequest(user={"id": user_id}))).reason
        for user_id in (*user_ids, place.admin_id)
    ]

    assert [user.id for user in listed.users] == [new.id]
    assert new.id not in user_ids
    assert [role.name for role in named.roles] == ["Admin", "Regular"]
    assert policy.preset == policy_pb2.PRESET_STRICT_RFC
    assert [entry.target_id for entry in entries] == [new.id]
    assert [len(message.ListFields()) for message in empty] == [0] * len(empty)
    assert gone == ["USER_NOT_FOUND"] * len(gone)
    assert (await admin.scim(place.token, "GET", "/Users")).status == 401


async def test_who_may_not_delete_it_leaves_it_as_it_is(admin):
    """Another workspace's product, a product without the scope, and its identity provider."""
    place, other = await admin.world.place(), await admin.world.place()
    etag = (await admin.ask(place, GetWorkspaceRequest())).workspace.etag
    request = DeleteWorkspaceRequest(workspace_id=place.workspace_id, etag=etag)
    tokens = [
        await admin.world.service("*", other.workspace_id),
        await admin.world.service("workspaces.read users.write"),
        place.token,
    ]
    reasons = [(await refusal(admin.world.ask(token, request))).reason for token in tokens]

    assert reasons == ["WORKSPACE_MISMATCH", "SCOPE_MISSING", "SCOPE_MISSING"]
    assert (await admin.ask(place, GetWorkspaceRequest())).workspace.etag == etag


async def test_it_is_deleted_as_it_was_seen(admin):
    """Workspace and etag are named, whoever asks, and the etag is the current one."""
    place = await admin.world.place()
    bound = await admin.world.service("*", place.workspace_id)
    seen = (await admin.ask(place, GetWorkspaceRequest())).workspace.etag
    link = workspace_pb2.Workspace(link="https://acme.example")
    await admin.ask(place, UpdateWorkspaceRequest(workspace=link))
    errors = [
        await refusal(admin.world.ask(bound, DeleteWorkspaceRequest(**named)))
        for named in (
            {"etag": seen},
            {"workspace_id": place.workspace_id},
            {"workspace_id": place.workspace_id, "etag": seen},
        )
    ]

    assert [error.reason for error in errors] == ["FIELD_INVALID", "FIELD_INVALID", "ETAG_MISMATCH"]
    assert [error.metadata.get("field") for error in errors] == ["workspace_id", "etag", None]
    assert (await admin.ask(place, ListUsersRequest())).total_size == 1


@pytest.mark.rule("R-049")
async def test_booked_seats_are_invoiced_first(admin):
    """Refused, with the time, until the invoice is made; nothing that was used goes unpaid."""
    place = await admin.world.place(seats=1)
    plan = workspace_pb2.SeatPlan(total=1, automatic_booking=True)
    await admin.ask(place, UpdateWorkspaceRequest(workspace={"seat_plan": plan}))
    await admin.user(place, "grace", "Member")
    window = (await admin.ask(place, GetSeatsRequest())).open_window
    error = await refusal(delete(admin, place))
    admin.world.clock.micros += HALF_HOUR
    closed = await refusal(delete(admin, place))
    await Worker(admin.world.core).deliver_due()
    answer = await delete(admin, place)

    assert error.reason == closed.reason == "INVOICE_PENDING"
    assert error.metadata == {"seats": "1", "close_time": window.close_time.ToJsonString()}
    assert answer.user_count == 2


async def test_writes_that_race_with_it_happen_or_do_not(admin):
    """Who comes too late is told so; nobody is left without a workspace."""
    place = await admin.world.place()

    async def create(number):
        user = {"user_name": f"u{number}@{place.workspace_id}.example"}
        try:
            await admin.ask(place, CreateUserRequest(user=user))
        except Exception as error:  # noqa: BLE001 - refusal() looks at it
            return (await refusal(_raised(error))).reason
        return "OK"

    creating = [asyncio.ensure_future(create(number)) for number in range(20)]
    answer = await delete(admin, place)
    outcomes = await asyncio.gather(*creating)

    assert set(outcomes) <= {"OK", "WORKSPACE_NOT_FOUND"}
    assert answer.user_count == 1 + outcomes.count("OK")
    assert await verify.findings(admin.world.core.storage) == []


async def _raised(error):
    raise error


async def test_two_that_share_every_account_go_at_once(admin):
    """In any order, and no account is left."""
    one, other = await admin.world.place("STRICT_RFC"), await admin.world.place("STRICT_RFC")
    names = [f"u{number}@{one.workspace_id}.example" for number in range(20)]
    for place in (one, other):
        for name in names:
            await admin.ask(place, CreateUserRequest(user={"user_name": name}))
    answers = await asyncio.gather(delete(admin, one), delete(admin, other))
    left = {row["email"] for row in (await dump(admin.world.core))["accounts"]}

    assert [answer.user_count for answer in answers] == [21, 21]
    assert left.isdisjoint(names)
    assert await verify.findings(admin.world.core.storage) == []


class Counted:
    """A transaction that counts its writes."""

    def __init__(self, tx):
        self._tx = tx
        self.runs = 0

    async def run(self, statement, values):
        self.runs += 1
        return await self._tx.run(statement, values)


async def test_many_users_cost_no_more_statements(admin):
    """One for each table and two for the accounts."""
    place = await admin.world.place()
    for number in range(5):
        await admin.user(place, f"u{number}", "Member")
    counted = []

    async def work(tx):
        counted.append(Counted(tx))
        await store.delete_workspace(counted[0], place.workspace_id)
        raise DirectoryError("WRITE_CONFLICT", "It was only asked what it costs. Go on.")

    with pytest.raises(DirectoryError):
        await admin.world.core.storage.write(place.workspace_id, work)

    assert counted[0].runs == len(TABLES) + 3
