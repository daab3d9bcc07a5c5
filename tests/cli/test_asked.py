"""What commands ask and tell, in front of a stand-in that answers what the test says."""

import asyncio
import signal
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.error_reason_pb2 import ERROR_REASON_LAST_ADMIN
from userdirectory.v1.integration_pb2 import PROVIDER_OKTA, Integration, Token
from userdirectory.v1.log_pb2 import ACTOR_KIND_IDENTITY_PROVIDER, FieldChange, LogEntry
from userdirectory.v1.notice_pb2 import Notice
from userdirectory.v1.policy_pb2 import (
    PRESET_ORG_CHART,
    SETTING_ORIGIN_OVERRIDE,
    Policy,
    PolicySetting,
)
from userdirectory.v1.service_credential_pb2 import ServiceCredential
from userdirectory.v1.user_directory_pb2 import UpdateUserRequest
from userdirectory.v1.user_pb2 import User
from userdirectory.v1.workspace_pb2 import PLAN_HOSTED, Workspace

from tests.cli.conftest import Userdir
from tests.gateway.standin import Core
from tests.processes import Program

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "ud_0k2m4p6r8t0v2x4z_secret"


async def test_all_pages_of_workspaces_are_listed(core: Core, before_core: Userdir):
    """Pages are asked for until there are no more, and are one document."""
    core.replies["ListWorkspaces"] = lambda request: api.ListWorkspacesResponse(
        workspaces=[
            Workspace(
                id=f"w{request.page_token or 1}",
                display_name="Acme",
                plan=PLAN_HOSTED,
                policy=Policy(preset=PRESET_ORG_CHART),
            )
        ],
        next_page_token="" if request.page_token else "2",
    )

    rows = (await before_core.done("workspace", "list")).rows
    printed = (await before_core.done("workspace", "list", "--json")).json

    assert [["w1", "Acme", "org-chart", "hosted"], ["w2", "Acme", "org-chart", "hosted"]] == rows
    assert ["w1", "w2"] == [workspace["id"] for workspace in printed["workspaces"]]
    assert "" == printed["next_page_token"]


async def test_a_workspace_is_deleted_as_it_was_seen(core: Core, before_core: Userdir):
    """The delete names the etag of what was shown before the question, and tells what went."""
    core.replies["GetWorkspace"] = api.GetWorkspaceResponse(
        workspace=Workspace(id="old", etag='W/"3"', display_name="Old")
    )
    core.replies["DeleteWorkspace"] = api.DeleteWorkspaceResponse(user_count=5, group_count=2)

    kept = await before_core("workspace", "delete", "old", stdin="n\n")
    done = await before_core.done("workspace", "delete", "old", stdin="y\n")

    assert 1 == kept.status
    assert "Delete Old (old) with all that is in it, for good?" in kept.err
    assert ["GetWorkspace", "GetWorkspace", "DeleteWorkspace"] == [c.method for c in core.asked]
    request = api.DeleteWorkspaceRequest(workspace_id="old", etag='W/"3"')
    assert request == core.asked[-1].request
    assert "old is gone, with 5 users and 2 groups." in done.out


def _integration(**values: Any) -> Integration:
    return Integration(id="i1", label="Okta", provider=PROVIDER_OKTA, enabled=True, **values)


async def test_an_integration_is_shown_with_its_tokens(core: Core, before_core: Userdir):
    """For each token its label, what it may, whose it is, until when, and the last use."""
    token = Token(
        id="t1",
        label="Audit",
        read_only=True,
        subject="ada@example.com",
        expire_time=Timestamp(seconds=1_800_000_000),
    )
    core.replies["ListIntegrations"] = api.ListIntegrationsResponse(integrations=[_integration()])
    core.replies["GetIntegration"] = api.GetIntegrationResponse(
        integration=_integration(tokens=[token])
    )

    done = await before_core.done("integration", "show")

    told = " ".join(done.out.split())
    assert "token t1 Audit, reads only, of ada@example.com, good until 2027-01-15" in told
    assert "last used never" in told


async def test_a_further_token_is_issued(core: Core, before_core: Userdir):
    """What the token may, whose it is and how long it is good go with the request."""
    core.replies["ListIntegrations"] = api.ListIntegrationsResponse(integrations=[_integration()])
    core.replies["IssueToken"] = api.IssueTokenResponse(token=Token(id="t2"), secret=SECRET)

    done = await before_core.done(
        *("integration", "issue", "Okta", "--read-only", "--label", "Audit"),
        *("--lifetime", "30d", "--subject", "ada@example.com"),
    )

    assert core.asked[-1].request == api.IssueTokenRequest(
        workspace_id="acme",
        integration_id="i1",
        label="Audit",
        lifetime=Duration(seconds=30 * 86_400),
        subject="ada@example.com",
        read_only=True,
    )
    assert (f"{SECRET}\n", True) == (done.out, "shown only now" in done.err)


@pytest.mark.parametrize(
    ("options", "workspace"), [(("-w", "acme"), "acme"), (("-w", "", "--all-workspaces"), "")]
)
async def test_a_credential_is_for_one_workspace_or_all(
    core: Core, before_core: Userdir, options: tuple[str, ...], workspace: str
):
    """It is for the workspace that is named, and for all only if that is said."""
    made = ServiceCredential(id="c1")
    core.replies["CreateServiceCredential"] = api.CreateServiceCredentialResponse(
        credential=made, secret=SECRET
    )

    done = await before_core.done(
        *("credential", "create", "--scope", "users.read", "--scope", "log.read"),
        *("--label", "Reports", *options),
    )

    wanted = core.only.request.credential
    assert (workspace, "Reports") == (wanted.workspace_id, wanted.label)
    assert ["users.read", "log.read"] == wanted.scopes
    assert f"{SECRET}\n" == done.out


async def test_credentials_are_listed_rotated_and_revoked(core: Core, before_core: Userdir):
    """The list has no secret, the new secret is shown once, the old one ends as asked."""
    old = ServiceCredential(
        id="0k2m4p6r8t0v2x4z",
        label="Reports of the quarter",
        workspace_id="a-workspace-with-a-long-name",
        scopes=["users.read", "log.read"],
    )
    core.replies["ListServiceCredentials"] = api.ListServiceCredentialsResponse(credentials=[old])
    core.replies["RotateServiceCredential"] = api.RotateServiceCredentialResponse(
        credential=ServiceCredential(id="c2"), secret=SECRET
    )

    listed = await before_core.done("credential", "list")
    rotated = await before_core.done("credential", "rotate", "c1", "--overlap", "15m", "--json")
    await before_core.done("credential", "revoke", "c1", "--yes")

    _, rotate, revoke = (call.request for call in core.asked)
    # Long values are folded; the id, which is there to be copied, is not.
    assert "0k2m4p6r8t0v2x4z" == listed.rows[0][0]
    assert all(len(line) <= 80 for line in listed.out.splitlines())
    assert (900, "c1") == (rotate.overlap.seconds, rotate.id)
    assert not rotate.HasField("lifetime")
    assert SECRET == rotated.json["secret"]
    assert "c1" == revoke.id


def _entry(**values: Any) -> LogEntry:
    request = Packed()
    request.Pack(UpdateUserRequest(user=User(id="u1", title="Lead")))
    defaults: dict[str, Any] = {
        "sequence": 7,
        "time": Timestamp(seconds=1_800_000_000),
        "trace_id": TRACE,
        "workspace_id": "acme",
        "operation": "UpdateUser",
        "target_id": "u1",
        "actor": ACTOR_KIND_IDENTITY_PROVIDER,
        "integration_id": "i1",
        "credential_id": "t1",
        "request": request,
    }
    return LogEntry(**defaults | values)


async def test_a_refusal_is_explained(core: Core, before_core: Userdir):
    """Who asked what with which credential, what decided, from where, and what to do."""
    entry = _entry(
        reason="ERROR_REASON_LAST_ADMIN",
        message="User u1 is the last active admin.",
        rule="R-150",
        settings=[
            PolicySetting(
                name="admin_role",
                value="ADMIN_ROLE_ASSIGNABLE",
                origin=SETTING_ORIGIN_OVERRIDE,
            )
        ],
    )
    core.replies["ExplainTrace"] = api.ExplainTraceResponse(
        explanations=[
            api.Explanation(
                entry=entry,
                rule_text="At least one admin must always exist.",
                credential_label="Production",
                integration_label="Okta",
                provider=PROVIDER_OKTA,
                remedy="Make someone else admin first.",
            )
        ]
    )
    text = f"User u1 is the last active admin. (trace {TRACE})"

    done = await before_core.done("explain", *text.split())
    printed = (await before_core.done("explain", "-", "--json", stdin=text)).json

    told = " ".join(done.out.split())
    assert [text, text] == [call.request.trace_id for call in core.asked]
    for fact in (
        "UpdateUser was refused: LAST_ADMIN",
        "workspace acme",
        "an identity provider, with credential t1 (Production), of integration i1 (Okta), okta",
        '"title": "Lead"',
        "rule R-150: At least one admin must always exist.",
        "settings admin_role = assignable (set for this workspace)",
        "changed nothing",
        "what to do Make someone else admin first.",
    ):
        assert fact in told
    explained = printed["explanations"][0]
    assert "Lead" == explained["entry"]["request"]["user"]["title"]
    assert "2027-01-15T08:00:00Z" == explained["entry"]["time"]


async def test_what_was_done_is_explained(core: Core, before_core: Userdir):
    """What changed is told from before to after, with what was done differently."""
    entry = _entry(
        changes=[FieldChange(field="title", before='"Engineer"', after='"Lead"')],
        notices=[Notice(message="The password was dropped.")],
    )
    core.replies["ExplainTrace"] = api.ExplainTraceResponse(
        explanations=[api.Explanation(entry=entry), api.Explanation(entry=_entry())]
    )

    done = await before_core.done("explain", TRACE)

    told = " ".join(done.out.split())
    assert 2 == told.count("UpdateUser was done")
    assert 'changed title: "Engineer" -> "Lead"' in told
    assert "notices The password was dropped." in told


async def test_a_trace_that_nobody_knows_is_a_finding(core: Core, before_core: Userdir):
    """Nothing known has the status 1, and says why that may be."""
    done = await before_core("explain", TRACE)
    printed = await before_core("explain", TRACE, "--json")

    assert (1, "") == (done.status, done.out)
    assert "Nothing is known of it" in done.err
    assert (1, {"explanations": []}) == (printed.status, printed.json)


async def test_explaining_is_about_all_workspaces_unless_one_is_named(
    core: Core, before_core: Userdir, standing: tuple[Core, str], tmp_path
):
    """With the demo's credential a trace is looked for, and credentials listed, everywhere."""
    (tmp_path / "demo.json").write_text(
        f'{{"grpc": "{standing[1]}", "service_token": "ud_t",'
        ' "workspaces": {"first": {"base_url": "", "token": ""}}}'
    )
    empty = {"USERDIR_SERVER": "", "USERDIR_TOKEN": "", "USERDIR_WORKSPACE": ""}

    await before_core("explain", TRACE, **empty)
    await before_core("credential", "list", **empty)
    await before_core("explain", TRACE, "-w", "other", **empty)

    assert ["", "", "other"] == [call.request.workspace_id for call in core.asked]


async def test_the_log_is_filtered_by_the_directory(core: Core, before_core: Userdir):
    """Every option goes with the request, in the contract's values."""
    core.replies["ListIntegrations"] = api.ListIntegrationsResponse(integrations=[_integration()])

    await before_core.done(
        *("log", "--operation", "UpdateUser", "--reason", "LAST_ADMIN", "--refused"),
        *("--integration", "Okta", "--target", "u1", "--until", "2026-01-31T09:30:00+00:00"),
    )
    await before_core.done("log", "--done", "--limit", "5")

    refused, done = (call.request for call in core.asked if call.method == "ListLog")
    assert ("UpdateUser", "i1", "u1") == (
        refused.operation,
        refused.integration_id,
        refused.target_id,
    )
    assert (ERROR_REASON_LAST_ADMIN, api.LOG_OUTCOME_REFUSED) == (refused.reason, refused.outcome)
    assert "2026-01-31T09:30:00Z" == refused.until.ToJsonString()
    assert (api.LOG_OUTCOME_DONE, 5) == (done.outcome, done.page_size)


def _told(number: int) -> api.WatchChangesResponse:
    entry = _entry(sequence=number, operation=f"Operation{number}")
    return api.WatchChangesResponse(resume_token=f"r{number}", entry=entry)


async def test_a_watch_that_breaks_goes_on_where_it_was(core: Core, before_core: Userdir):
    """A new stream begins behind the last response, heartbeats included; nothing is told twice."""
    heartbeat = api.WatchChangesResponse(resume_token="r1b")
    streams = {
        "r0": [_told(1), heartbeat, (grpc.StatusCode.UNAVAILABLE, "restarting")],
        "r1b": [_told(2)],  # it ends without an error, as when a server stops
        "r2": [_told(3), _told(4)],
    }
    core.replies["WatchChanges"] = lambda request: streams[request.resume_token]

    done = await before_core.done("watch", "--resume", "r0", "--count", "3", "--json")

    lines = [line for line in done.out.splitlines() if line]
    assert ["r1", "r2", "r3"] == [line.split('"')[3] for line in lines]
    assert ["r0", "r1b", "r2"] == [call.request.resume_token for call in core.asked][:3]
    assert 2 == done.err.count("The connection broke")
    assert "Go on from here: userdir watch --resume r3" in done.err


async def test_a_watch_tells_people_what_happened(core: Core, before_core: Userdir):
    """Changes are told as the log tells them; what else was asked for goes with the request."""
    core.replies["WatchChanges"] = [_told(1)]

    done = await before_core.done(
        "watch", "--from-beginning", "--refusals", "--resources", "--count", "1"
    )

    request = core.only.request
    assert "Operation1  done" in done.out
    assert f"trace {TRACE}" in done.out
    assert (True, True, True) == (
        request.from_beginning,
        request.include_refusals,
        request.include_resources,
    )


async def test_a_watch_that_cannot_begin_is_an_error(core: Core, before_core: Userdir):
    """A directory that is away at the start is 3, one that refuses is 1; neither is waited for."""
    core.replies["WatchChanges"] = [(grpc.StatusCode.UNAVAILABLE, "gone")]
    away = await before_core("watch")
    core.replies["WatchChanges"] = [DirectoryError("PAGE_TOKEN_INVALID", "Too old. Begin anew.")]
    refused = await before_core("watch", "--resume", "r0")

    assert (3, 1) == (away.status, refused.status)
    assert "Too old. Begin anew." in refused.err


async def test_ctrl_c_ends_a_watch_and_tells_how_to_go_on(core: Core, before_core: Userdir):
    """The end of a watch is no failure: status 0, and the token on standard error."""
    core.replies["WatchChanges"] = lambda request: [] if request.resume_token else [_told(1)]

    with Program("clients.cli.main", "watch", settings=before_core.settings) as program:
        await asyncio.to_thread(program.wait_for, "Operation1")
        program.signal(signal.SIGINT)
        status = await asyncio.to_thread(program.ended)

    assert 0 == status
    assert "userdir watch --resume r1" in program.output
