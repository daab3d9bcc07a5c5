"""The commands of operations in front of a real directory, end to end, for the RPCs it serves."""

import asyncio
import json
import secrets

import pytest

from core_service.service.access import SCOPES, WORKSPACE_ADMIN
from tests.cli.conftest import Userdir
from tests.processes import Program
from tests.scim import Scim
from tests.system import System
from tests.workspaces import Place


def served(*methods: str) -> pytest.MarkDecorator:
    """Leave a test out while the core does not serve these methods of WorkspaceAdmin."""
    missing = [name for name in methods if f"{WORKSPACE_ADMIN}/{name}" not in SCOPES]
    return pytest.mark.skipif(bool(missing), reason=f"the core does not serve {missing}")


async def _scim(directory: System, token: str, method: str, path: str, body: object = None):
    def ask():
        with Scim(directory.base_url, token) as client:
            return client.request(method, path, body)

    return await asyncio.to_thread(ask)


@served("ListWorkspaces", "DeleteWorkspace")
async def test_a_workspace_comes_and_goes(userdir: Userdir):
    """A new workspace is in the list, and deleted it is gone with its users."""
    name = f"w{secrets.token_hex(8)}"
    await userdir.done("workspace", "create", name, "--preset", "strict-rfc", "--name", "Short")
    await userdir.done("user", "create", "grace@example.com", "-w", name)

    before = (await userdir.done("workspace", "list", "--json")).json["workspaces"]
    deleted = await userdir.done("workspace", "delete", name, "--yes", "--json")
    after = (await userdir.done("workspace", "list", "--json")).json["workspaces"]
    shown = await userdir("workspace", "show", name)

    assert name in [workspace["id"] for workspace in before]
    assert "1" == deleted.json["user_count"]
    assert name not in [workspace["id"] for workspace in after]
    assert 1 == shown.status


@served("GetIntegration", "IssueToken")
async def test_a_token_that_only_reads(directory: System, place: Place, userdir: Userdir):
    """A further token with --read-only lists users and creates none; the first one stays good."""
    done = await userdir.done("integration", "issue", "--read-only", "--label", "Audit")
    token = done.out.strip()

    read = await _scim(directory, token, "GET", "/Users")
    write = await _scim(directory, token, "POST", "/Users", {"userName": "grace@example.com"})
    first = await _scim(directory, place.token, "GET", "/Users")
    shown = await userdir.done("integration", "show")

    assert (200, 403, 200) == (read.status, write.status, first.status)
    assert "Audit, reads only" in " ".join(shown.out.split())


@served(
    "CreateServiceCredential",
    "ListServiceCredentials",
    "RotateServiceCredential",
    "RevokeServiceCredential",
)
async def test_a_credential_of_a_product(userdir: Userdir, place: Place):
    """It can do what its scopes say, is listed without its secret, rotated, and revoked."""
    options = ("-w", place.workspace_id, "--scope", "users.read", "--label", "Reports")
    secret = (await userdir.done("credential", "create", *options)).out.strip()
    public_id = secret.split("_")[1]

    allowed = await userdir("user", "list", "--token", secret)
    refused = await userdir("seats", "--token", secret)
    listed = await userdir.done("credential", "list")
    new = (await userdir.done("credential", "rotate", public_id, "--overlap", "0")).out.strip()
    old = await userdir("user", "list", "--token", secret)
    rotated = await userdir("user", "list", "--token", new)
    await userdir.done("credential", "revoke", new.split("_")[1], "--yes")
    revoked = await userdir("user", "list", "--token", new)

    assert (0, 1) == (allowed.status, refused.status)
    assert "Reason: SCOPE_MISSING" in refused.err
    assert public_id in listed.out
    assert secret not in listed.out
    assert (1, 0, 1) == (old.status, rotated.status, revoked.status)


@served("ExplainTrace")
async def test_a_refusal_is_explained_from_the_text_of_the_error(
    directory: System, place: Place, userdir: Userdir
):
    """The whole answer that an identity provider got leads to who, what, why, and the remedy."""
    change = {"op": "replace", "path": "active", "value": False}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
    answer = await _scim(directory, place.token, "PATCH", f"/Users/{place.admin_id}", body)

    done = await userdir.done("explain", answer.body["detail"])
    unknown = await userdir("explain", "0" * 31 + "1")

    told = " ".join(done.out.split())
    assert "was refused: LAST_ADMIN" in told
    assert "an identity provider, with credential" in told
    assert f"workspace {place.workspace_id}" in told
    assert f"about {place.admin_id}" in told
    assert "rule R-150" in told
    assert "changed nothing" in told
    assert "what to do" in told
    assert 1 == unknown.status


@served("ExplainTrace")
async def test_a_change_is_explained(userdir: Userdir):
    """The trace of what was done tells the values before and after."""
    await userdir.done("user", "create", "grace@example.com")
    entry = (await userdir.done("log", "--limit", "1", "--json")).json["entries"][0]

    done = await userdir.done("explain", entry["trace_id"])

    assert "CreateUser was done" in done.out
    assert 'user_name: nothing -> "grace@example.com"' in " ".join(done.out.split())


@served("ExplainTrace")
@pytest.mark.parametrize(
    ("options", "operations"),
    [
        (("--operation", "CreateUser"), {"CreateUser"}),
        (("--refused",), {"UpdateUser"}),
        (("--reason", "LAST_ADMIN"), {"UpdateUser"}),
        (("--reason", "NO_SEAT"), set()),
        (("--integration", "Tests"), set()),
        (("--until", "1h"), set()),
    ],
)
async def test_the_log_is_filtered(userdir: Userdir, place: Place, options, operations):
    """Only what passes every option is listed."""
    await userdir.done("user", "create", "grace@example.com")
    await userdir("user", "set-role", place.admin_id, "Member")

    entries = (await userdir.done("log", *options, "--limit", "0", "--json")).json["entries"]

    assert operations == {entry["operation"] for entry in entries}


@served("WatchChanges")
async def test_a_watch_tells_changes_and_goes_on(userdir: Userdir):
    """What happens is told as it happens; the token of the last one leads to what came after."""
    await userdir.done("team", "add", "Before")
    arguments = ("watch", "--from-beginning", "--json")
    with Program("clients.cli.main", *arguments, settings=userdir.settings) as program:
        await asyncio.to_thread(program.wait_for, '"CreateTeam"')
        await userdir.done("user", "create", "grace@example.com")
        await asyncio.to_thread(program.wait_for, "grace@example.com")
        lines = [json.loads(line) for line in program.output.splitlines()]
    await userdir.done("team", "add", "After")

    token = lines[-1]["resume_token"]
    after = await userdir.done("watch", "--resume", token, "--count", "1", "--json")

    sequences = [int(line["entry"]["sequence"]) for line in lines]
    event = json.loads(after.out)
    assert sorted(set(sequences)) == sequences
    assert "CreateTeam" == event["entry"]["operation"]
    assert int(event["entry"]["sequence"]) > sequences[-1]
