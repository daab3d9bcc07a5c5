"""What an administrator copies to support leads to the request: trace id, reason, text."""

import asyncio

import pytest
from userdirectory.v1.workspace_admin_pb2 import ListFailuresRequest, ListLogRequest
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.contract.conftest import bearer
from tests.history.conftest import trace
from tests.scim import PATCH_OP, WORKPLACE, Scim, person
from tests.workspaces import new_place


async def in_thread(function, *arguments):
    return await asyncio.to_thread(function, *arguments)


@pytest.mark.rule("R-103", "R-181", "R-180", "D-39")
async def test_an_error_can_be_copied_to_support(directory):
    """One line that names the trace id, under which the log has the same text."""
    place = await new_place(directory.core)
    admin = WorkspaceAdminStub(directory.process)
    metadata = bearer(directory.service_token)
    id_ = trace()
    with Scim(directory.base_url, place.token) as scim:
        sent = person("no address", **{WORKPLACE: {"userRole": "Member"}})
        headers = {"traceparent": f"00-{id_}-{'1' * 16}-01"}
        refused = await in_thread(scim.request, "POST", "/Users", sent, headers)
        body = {
            "schemas": [PATCH_OP],
            "Operations": [{"op": "replace", "path": "active", "value": "False"}],
        }
        last = await in_thread(scim.request, "PATCH", f"/Users/{place.admin_id}", body)
    request = ListLogRequest(workspace_id=place.workspace_id, trace_id=id_)
    [entry] = (await admin.ListLog(request, metadata=metadata)).entries
    listed = await admin.ListFailures(
        ListFailuresRequest(workspace_id=place.workspace_id), metadata=metadata
    )

    for answer in (refused, last):
        detail = answer.body["detail"]
        assert "\n" not in detail
        assert answer.headers["trace-id"] in detail
    assert refused.headers["trace-id"] == id_
    assert entry.message.removeprefix("user_name") in refused.body["detail"]
    assert (entry.operation, entry.reason) == ("CreateUser", "ERROR_REASON_FIELD_INVALID")
    traces = {failure.last_trace_id: failure for failure in listed.failures}
    assert list(traces[last.headers["trace-id"]].user_ids) == [place.admin_id]
    assert traces[id_].last_message == entry.message


@pytest.mark.rule("R-181", "D-39")
async def test_what_was_done_is_found_by_the_trace_id_of_its_answer(directory):
    """Every answer names its trace; the log has what the request did."""
    place = await new_place(directory.core)
    admin = WorkspaceAdminStub(directory.process)
    with Scim(directory.base_url, place.token) as scim:
        made = await in_thread(scim.post, "/Users", person(f"grace@{place.workspace_id}.example"))
    request = ListLogRequest(workspace_id=place.workspace_id, trace_id=made.headers["trace-id"])
    [entry] = (await admin.ListLog(request, metadata=bearer(directory.service_token))).entries

    assert (entry.operation, entry.target_id) == ("CreateUser", made.body["id"])
