"""Use a service through scim2-client, whose models are made of its discovery documents."""

import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import BulkOperation, BulkRequest, PatchOp, PatchOperation, SearchRequest

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def main(base_url: str, token: str) -> None:
    """Discover, create, query, search, replace, modify, delete, and some of it in one request."""
    http = Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    scim = SyncSCIMClient(http)
    scim.discover()
    user_model, group_model = scim.get_resource_model("User"), scim.get_resource_model("Group")

    ada = scim.create(user_model(user_name="ada.round.trip", active=True, title="Countess"))
    assert ada.meta.version
    assert ada.meta.location.endswith(f"/Users/{ada.id}")
    assert scim.query(user_model, ada.id) == ada
    asked = SearchRequest(filter='userName eq "ADA.round.trip"', attributes=["title"])
    found = scim.query(user_model, query_parameters=asked)
    assert [(each.id, each.title, each.user_name) for each in found.resources] == [
        (ada.id, "Countess", None)
    ]
    both = scim.search(SearchRequest(cursor="", count=1))
    assert both.total_results >= 2
    assert both.next_cursor
    assert both.start_index is None

    ada.title, ada.nick_name = None, "Ada"
    replaced = scim.replace(ada)
    assert (replaced.title, replaced.nick_name) == (None, "Ada")
    operation = PatchOperation(op="replace", path=f"{ENTERPRISE}:costCenter", value="C1")
    modified = scim.modify(user_model, ada.id, PatchOp[user_model](operations=[operation]))
    assert modified[scim_extension(user_model)].cost_center == "C1"
    assert modified.meta.version != replaced.meta.version

    team = group_model(display_name="Round trip", members=[{"value": ada.id, "type": "User"}])
    team = scim.create(team)
    assert [member.value for member in team.members] == [ada.id]
    assert [group.value for group in scim.query(user_model, ada.id).groups] == [team.id]

    bob = BulkOperation[user_model](
        method="POST",
        path="/Users",
        bulk_id="bob",
        data=user_model(user_name="bob.round.trip", active=True),
    )
    gone = BulkOperation[user_model](method="DELETE", path=f"/Users/{ada.id}")
    answer = scim.bulk(BulkRequest[user_model](operations=[bob, gone]))
    assert [each.status for each in answer.operations] == [201, 204], answer
    scim.delete(user_model, answer.operations[0].location.rpartition("/")[2])
    scim.delete(group_model, team.id)
    print("round trip done")


def scim_extension(user_model):
    """Return the model of the enterprise extension in the discovered model of users."""
    return user_model.get_extension_models()[ENTERPRISE]


main(*sys.argv[1:])
