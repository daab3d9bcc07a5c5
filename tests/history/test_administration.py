"""What is done to the workspace itself is in the same log."""

import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1 import integration_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from tests.history.conftest import changes


async def test_a_change_of_the_workspace_is_logged(office):
    """The field that changed, before and after; no entry for the same value again."""
    wanted = workspace_pb2.Workspace(display_name="The Office")
    for _ in range(2):
        await office.ask(api.UpdateWorkspaceRequest(workspace=wanted), product=True)
    newest, older = (await office.log())[:2]

    assert (newest.operation, newest.target_id) == ("UpdateWorkspace", office.place.workspace_id)
    assert changes(newest) == {"display_name": ("", '"The Office"')}
    assert older.operation != "UpdateWorkspace"


async def test_a_new_team_is_logged(office):
    """The list of names before and after."""
    await office.ask(api.CreateTeamRequest(name="Sales"), product=True)
    entry = (await office.log())[0]

    assert entry.operation == "CreateTeam"
    before, after = changes(entry)["teams"]
    assert "Sales" not in before
    assert "Sales" in after


@pytest.mark.rule("R-053", "D-23")
async def test_tokens_are_logged_without_their_secrets(office):
    """That an integration and its tokens were made and ended, never the tokens."""
    request = api.CreateIntegrationRequest(provider=integration_pb2.PROVIDER_OKTA, label="Okta")
    made = await office.ask(request, product=True)
    id_ = made.integration.id
    overlap = Duration(seconds=0)
    rotated = await office.ask(
        api.RotateTokenRequest(integration_id=id_, overlap=overlap), product=True
    )
    request = api.RevokeTokenRequest(integration_id=id_, token_id=rotated.token.id)
    await office.ask(request, product=True)
    await office.ask(api.DeleteIntegrationRequest(id=id_), product=True)
    entries = await office.log(target_id=id_)

    assert [entry.operation for entry in entries] == [
        "DeleteIntegration",
        "RevokeToken",
        "RotateToken",
        "CreateIntegration",
    ]
    for secret in (made.token, rotated.secret):
        assert secret.split("_", 2)[2] not in str(await office.log())
