"""A trace id alone leads to what was asked, by whom, what decided and what became of it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf import symbol_database
from typer.testing import CliRunner
from userdirectory.errors import reasons
from userdirectory.v1 import log_pb2
from userdirectory.v1 import workspace_admin_pb2 as admin_api
from userdirectory.v1.policy_pb2 import SETTING_ORIGIN_OVERRIDE
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients.cli.main import app
from core_service import credentials
from core_service.rate_limits import Limits
from tests import workspaces
from tests.conftest import DATABASES
from tests.contract.conftest import bearer
from tests.history.causes import CAUSES_OF_CALLS
from tests.history.causes_of_values import CAUSES_OF_VALUES
from tests.history.conftest import changes, codes, find_the_rules_kept
from tests.history.desk import Case, Desk
from tests.scim import PATCH_OP, person
from tests.system import System, running

# What is caused once for all these tests is caused in one process.
pytestmark = pytest.mark.xdist_group("explain")

CAUSES = CAUSES_OF_CALLS | CAUSES_OF_VALUES

Explained = list[admin_api.Explanation]


@pytest.fixture(scope="session", params=DATABASES)
async def place_of_data(
    request: pytest.FixtureRequest, new_database: Callable[[str], Awaitable[str]]
) -> tuple[str, str]:
    """The kind and the URL of a database that outlives the systems on it."""
    return request.param, await new_database(request.param)


# Reasons that no request is given.
NOT_CAUSED = {
    "GUEST_RESTRICTED",  # a last guard that no request reaches
}


@contextlib.asynccontextmanager
async def desk_on(place_of_data: tuple[str, str]) -> AsyncIterator[Desk]:
    """Give a directory with its gateway, started on a database; its workspaces keep the rules."""
    kind, url = place_of_data
    async with running(url, limits=Limits(None)) as system:
        yield Desk(system, kind)
        await find_the_rules_kept(system.core)


async def explained(
    system: System, text: str, token: str = "", workspace_id: str = ""
) -> Explained:
    """Return the explanations of a text that holds a trace id, once there are some."""
    stub = WorkspaceAdminStub(system.process)
    request = admin_api.ExplainTraceRequest(trace_id=text, workspace_id=workspace_id)
    metadata = bearer(token or system.service_token)
    for _ in range(200):
        with contextlib.suppress(grpc.aio.AioRpcError):  # while the database comes back
            answer = await stub.ExplainTrace(request, metadata=metadata)
            if answer.explanations:
                return list(answer.explanations)
        await asyncio.sleep(0.05)
    return []


async def printed_by_userdir(system: System, detail: str) -> str:
    """Return what `userdir explain` prints of an error, given nothing but its text."""
    settings = {
        "USERDIR_SERVER": system.address,
        "USERDIR_TOKEN": system.service_token,
        "COLUMNS": "200",
    }
    runner = CliRunner()
    result = await asyncio.to_thread(runner.invoke, app, ["explain", detail], env=settings)
    assert result.exit_code == 0, result.output
    return result.stdout


def asked(entry: log_pb2.LogEntry) -> Any:
    """Return the request of an entry."""
    name = entry.request.type_url.rpartition("/")[2]
    message = symbol_database.Default().GetSymbol(name)()
    assert entry.request.Unpack(message)
    return message


def test_every_reason_is_caused_here():
    """A new reason needs a cause."""
    assert {name.partition(" ")[0] for name in CAUSES} | NOT_CAUSED == set(reasons())
    assert not NOT_CAUSED & CAUSES.keys()


@dataclass(slots=True)
class Story:
    """A refusal, and what was explained of it before and after a restart."""

    case: Case
    found: Explained
    again: Explained = field(default_factory=list)
    printed: str = ""


@pytest.fixture(scope="session")
async def stories(place_of_data: tuple[str, str]) -> dict[str, Story]:
    """Every reason caused in one directory, and explained by it and by the next on its database."""
    told: dict[str, Story] = {}
    workspaces.under_test.clear()  # those of the test before, which were verified
    async with desk_on(place_of_data) as desk:
        # Who was told to slow down is told nothing else for a while.
        for name in sorted(CAUSES, key=lambda name: name == "RATE_LIMITED"):
            case = await CAUSES[name](desk)
            told[name] = Story(case, await explained(desk.system, case.detail))
    async with desk_on(place_of_data) as desk:
        for story in told.values():
            story.again = await explained(desk.system, story.case.detail)
            story.printed = await printed_by_userdir(desk.system, story.case.detail)
    return told


@pytest.mark.rule("R-180", "R-181", "R-103", "D-39")
@pytest.mark.parametrize("name", CAUSES)
async def test_a_refusal_is_explained_by_its_detail_alone(stories, name):
    """Request, credential, rule, setting with its origin; the same after a restart (X04)."""
    case, printed = stories[name].case, stories[name].printed
    [explanation] = stories[name].found
    entry = explanation.entry

    assert stories[name].again == stories[name].found
    assert entry.reason == f"ERROR_REASON_{name.partition(' ')[0]}"
    assert entry.trace_id in case.detail
    assert (entry.operation, type(asked(entry)).__name__) == (case.rpc, f"{case.rpc}Request")
    assert entry.workspace_id == case.workspace_id
    assert entry.credential_id == (case.token.split("_")[1] if case.token else "")
    assert (entry.actor == log_pb2.ACTOR_KIND_UNKNOWN) != case.known
    assert entry.rule == case.rule
    assert case.settings == tuple(
        (setting.name, setting.value, setting.origin == SETTING_ORIGIN_OVERRIDE)
        for setting in entry.settings
    )
    told = [case.rpc, name.partition(" ")[0], case.rule, entry.trace_id, entry.credential_id]
    for setting in entry.settings:
        overridden = setting.origin == SETTING_ORIGIN_OVERRIDE
        told += [
            f"{setting.name} = ",
            "set for this workspace" if overridden else "from the preset",
        ]
    assert [] == [text for text in told if text not in printed]
    assert entry.message[-1] in ".?"
    assert explanation.rule_text
    assert explanation.remedy
    assert not entry.changes


@pytest.mark.rule("R-181", "D-39")
async def test_what_was_done_is_explained_with_before_and_after(place_of_data):
    """A create and a patch by SCIM: who, what was asked, what changed; after a restart too."""
    async with desk_on(place_of_data) as desk:
        place = await desk.place()
        sent = person(f"grace@{place.workspace_id}.example", title="Admiral", password="canary")
        made = await desk.ask(place.token, "POST", "/Users", sent)
        operations = [
            {"op": "replace", "path": "title", "value": "Captain"},
            {"op": "replace", "path": "active", "value": "False"},
        ]
        body = {"schemas": [PATCH_OP], "Operations": operations}
        path = f"/Users/{made.body['id']}"
        patched = await desk.ask(place.token, "PATCH", path, body)
        traces = [answer.headers["trace-id"] for answer in (made, patched)]
        found = [await explained(desk.system, trace) for trace in traces]
    async with desk_on(place_of_data) as desk:
        again = [await explained(desk.system, trace) for trace in traces]
    [create], [patch] = found

    assert again == found
    assert asked(create.entry).user.title == "Admiral"
    assert b"canary" not in create.SerializeToString()
    assert codes(create.entry.notices) == ["PASSWORD_IGNORED"]
    assert (create.entry.rule, create.entry.settings[0].name) == ("D-31", "password")
    assert create.entry.actor == log_pb2.ACTOR_KIND_IDENTITY_PROVIDER
    assert (create.credential_label, create.integration_label) == ("Tests", "Tests")
    assert create.remedy == patch.remedy == ""
    assert changes(create.entry)["title"] == ("", '"Admiral"')
    assert len(asked(patch.entry).changes) == 2
    assert changes(patch.entry) == {
        "title": ('"Admiral"', '"Captain"'),
        "active": ("true", "false"),
    }
    assert patch.entry.rule == "R-022"
    assert [setting.name for setting in patch.entry.settings] == ["on_deactivate"]
    assert patch.rule_text


async def test_a_trace_of_nothing_has_no_explanation(place_of_data):
    """What the gateway refuses itself is in no log; a text without a trace id is told."""
    async with desk_on(place_of_data) as desk:
        place = await desk.place()
        answer = await desk.ask(place.token, "GET", "/Nothing")
        stub = WorkspaceAdminStub(desk.system.process)
        metadata = bearer(desk.system.service_token)
        request = admin_api.ExplainTraceRequest(trace_id=answer.body["detail"])
        found = await stub.ExplainTrace(request, metadata=metadata)
        with pytest.raises(Exception, match="no trace id in the text"):
            await stub.ExplainTrace(
                admin_api.ExplainTraceRequest(trace_id="All seats are taken."), metadata=metadata
            )

    assert answer.status == 404
    assert not found.explanations


@pytest.mark.rule("R-016")
async def test_a_workspace_explains_its_own_traces_alone(place_of_data):
    """Who is of one workspace sees nothing of another, nor of nobody; who is of all does."""
    async with desk_on(place_of_data) as desk:
        core = desk.system.core
        here, there = await desk.place(), await desk.place()
        trace = "ab" * 16
        headers = {"traceparent": f"00-{trace}-{'1' * 16}-01"}
        for token in (here.token, there.token, "wrong"):
            await desk.ask(token, "GET", "/Users/nobody", headers=headers)
        own = await credentials.issue_service_token(core, "Support", "log.read", here.workspace_id)
        mine = await explained(desk.system, trace, own)
        every = await explained(desk.system, f"trace-id: {trace.upper()}")
        named = await explained(desk.system, trace, workspace_id=there.workspace_id)

    assert [each.entry.workspace_id for each in mine] == [here.workspace_id]
    assert [each.entry.workspace_id for each in named] == [there.workspace_id]
    assert [each.entry.workspace_id for each in every] == [
        here.workspace_id,
        there.workspace_id,
        "",
    ]


async def test_the_trace_id_is_found_among_other_ids(place_of_data):
    """The id of a user in the text of an error is not taken for the trace id."""
    async with desk_on(place_of_data) as desk:
        place = await desk.place()
        answer = await desk.ask(place.token, "DELETE", f"/Users/{place.admin_id}")
        [found] = await explained(desk.system, answer.body["detail"])

    assert re.findall(r"[0-9a-f]{32}", answer.body["detail"]) == [
        place.admin_id,
        found.entry.trace_id,
    ]
    assert found.entry.target_id == place.admin_id


async def test_labels_that_are_gone_are_empty(place_of_data):
    """After its integration is deleted a trace is explained without the integration's label."""
    async with desk_on(place_of_data) as desk:
        place = await desk.place()
        answer = await desk.ask(place.token, "GET", "/Users/nobody")
        [before] = await explained(desk.system, answer.body["detail"])
        stub = WorkspaceAdminStub(desk.system.process)
        await stub.DeleteIntegration(
            admin_api.DeleteIntegrationRequest(
                workspace_id=place.workspace_id, id=before.entry.integration_id
            ),
            metadata=bearer(desk.system.service_token),
        )
        [after] = await explained(desk.system, answer.body["detail"])

    assert (before.integration_label, after.integration_label) == ("Tests", "")
    assert after.entry == before.entry
