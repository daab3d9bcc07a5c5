"""/Groups: this JSON becomes exactly these calls, the cost is that of the change."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.group_pb2 import Group, Member

from tests.gateway.conftest import BASE, Http
from tests.gateway.standin import Core

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
TIMES = ["etag", "create_time", "update_time", "member_count"]
WITHOUT = ["id", "external_id", "display_name", *TIMES]
ALL = ["id", "external_id", "display_name", "members", *TIMES]
U1 = Member(member_id="u1", type="User", display_name="Ada")
U1_JSON = {"value": "u1", "type": "User", "display": "Ada", "$ref": f"{BASE}/Users/u1"}


def crew(*members: Member, count: int | None = None) -> Group:
    """Return a group with members, or with more than it came with."""
    count = len(members) if count is None else count
    return Group(id="g1", etag='W/"3"', display_name="Crew", members=members, member_count=count)


def document(*members: Any) -> dict[str, Any]:
    """Return the group as SCIM shows it."""
    return {
        "schemas": [GROUP],
        "id": "g1",
        "displayName": "Crew",
        **({"members": list(members)} if members else {}),
        "meta": {"resourceType": "Group", "location": f"{BASE}/Groups/g1", "version": 'W/"3"'},
    }


async def test_create(http: Http, core: Core):
    """A POST is one CreateGroup that asks for the members back."""
    core.replies["CreateGroup"] = rpc.CreateGroupResponse(group=crew(U1))

    answer = await http.post(
        "/Groups", {"displayName": "Crew", "members": [{"value": "u1", "display": "x"}], "x": 1}
    )

    assert core.only.request == rpc.CreateGroupRequest(
        group=Group(display_name="Crew", members=[Member(member_id="u1")]),
        unknown_attributes=["x"],
        read_mask=FieldMask(paths=ALL),
    )
    assert (answer.status, answer.body) == (201, document(U1_JSON))
    assert answer.headers["location"] == f"{BASE}/Groups/g1"


async def test_read_asks_for_members(http: Http, core: Core):
    """SCIM's default has the members, the core's has not."""
    core.replies["GetGroup"] = rpc.GetGroupResponse(group=crew(U1))

    answer = await http.get("/Groups/g1")

    assert core.only.request == rpc.GetGroupRequest(id="g1", read_mask=FieldMask(paths=ALL))
    assert answer.body == document(U1_JSON)
    assert answer.headers["etag"] == 'W/"3"'


async def test_read_without_members(http: Http, core: Core):
    """entra-initial-cycle: what is excluded is not read at all."""
    core.replies["GetGroup"] = rpc.GetGroupResponse(group=crew(count=5))

    answer = await http.get("/Groups/g1?excludedAttributes=members")

    assert list(core.only.request.read_mask.paths) == WITHOUT
    assert answer.body == document()


async def test_large_groups_are_read_in_pages(http: Http, core: Core):
    """Members that did not fit come by ListGroupMembers, from where the first answer ended."""
    core.replies["GetGroup"] = rpc.GetGroupResponse(
        group=crew(U1, count=3), next_member_page_token="t1"
    )
    core.replies["ListGroupMembers"] = lambda request: (
        rpc.ListGroupMembersResponse(members=[Member(member_id="u2")], next_page_token="t2")
        if request.page_token == "t1"
        else rpc.ListGroupMembersResponse(members=[Member(member_id="u3")])
    )

    answer = await http.get("/Groups/g1")

    assert [m["value"] for m in answer.body["members"]] == ["u1", "u2", "u3"]
    assert [call.method for call in core.asked] == ["GetGroup"] + ["ListGroupMembers"] * 2


async def test_list_fills_up_groups_that_came_short(http: Http, core: Core):
    """A page of groups has limited room for members; those left out are read after it."""
    core.replies["ListGroups"] = rpc.ListGroupsResponse(
        groups=[crew(U1), Group(id="g2", member_count=2)], total_size=2
    )
    core.replies["ListGroupMembers"] = rpc.ListGroupMembersResponse(
        members=[Member(member_id="u2"), Member(member_id="u3")]
    )

    answer = await http.get("/Groups?filter=displayName+sw+C&count=2")

    first, second = answer.body["Resources"]
    assert [m["value"] for m in first["members"]] == ["u1"]
    assert [m["value"] for m in second["members"]] == ["u2", "u3"]
    assert [call.method for call in core.asked] == ["ListGroups", "ListGroupMembers"]
    assert core.asked[1].request.id == "g2"


async def test_list_without_members(http: Http, core: Core):
    """entra-test-connection: one call, whatever the sizes."""
    core.replies["ListGroups"] = rpc.ListGroupsResponse(groups=[crew(count=9)], total_size=1)

    answer = await http.get("/Groups?excludedAttributes=MEMBERS&filter=displayName eq Crew")

    assert list(core.only.request.read_mask.paths) == WITHOUT
    assert "members" not in answer.body["Resources"][0]


async def test_count_only(http: Http, core: Core):
    """Asking for no groups counts them."""
    core.replies["CountGroups"] = rpc.CountGroupsResponse(count=4)

    answer = await http.get("/Groups?count=0")

    assert core.only.method == "CountGroups"
    assert answer.body["totalResults"] == 4


async def test_replace_empties(http: Http, core: Core):
    """keycloak-plugin-put: a document without members empties the group; externalId stays."""
    core.replies["UpdateGroup"] = rpc.UpdateGroupResponse(group=crew())

    answer = await http.put("/Groups/g1", {"id": "g1", "displayName": "Crew"})

    request = core.only.request
    assert request.group == Group(id="g1", display_name="Crew")
    assert set(request.update_mask.paths) == {"display_name", "members"}
    assert list(request.read_mask.paths) == ALL
    assert (answer.status, answer.body) == (200, document())


async def test_replace_sets_the_external_id_that_is_sent(http: Http, core: Core):
    """pingfederate-put-only."""
    core.replies["UpdateGroup"] = rpc.UpdateGroupResponse(group=crew())

    await http.put("/Groups/g1", {"displayName": "Crew", "externalId": "x", "members": []})

    assert set(core.only.request.update_mask.paths) == {"display_name", "external_id", "members"}


ADD = {"op": "add", "path": "members", "value": [{"value": "u1"}]}


async def test_a_change_of_a_small_group_shows_it(http: Http, core: Core):
    """The change itself loads no member; few of them are read for the answer."""
    core.replies["PatchGroup"] = rpc.PatchGroupResponse(group=crew(count=1))
    core.replies["ListGroupMembers"] = rpc.ListGroupMembersResponse(members=[U1])

    answer = await http.patch("/Groups/g1", ADD, headers={"if-match": 'W/"2"'})

    assert core.asked[0].request == rpc.PatchGroupRequest(
        id="g1",
        changes=[
            GroupChange(
                add=GroupValue(field="members", value=Group(members=[Member(member_id="u1")]))
            )
        ],
        etag='W/"2"',
        read_mask=FieldMask(paths=WITHOUT),
    )
    assert (answer.status, answer.body) == (200, document(U1_JSON))


async def test_a_change_of_a_large_group_is_one_call(http: Http, core: Core):
    """The cost is that of the change: 204 without a body."""
    core.replies["PatchGroup"] = rpc.PatchGroupResponse(group=crew(count=100_000))

    answer = await http.patch("/Groups/g1", ADD)

    assert core.only.method == "PatchGroup"
    assert (answer.status, answer.body) == (204, None)
    assert answer.headers["etag"] == 'W/"3"'


async def test_a_change_answers_what_is_asked_for(http: Http, core: Core):
    """With `attributes` or `excludedAttributes` there is always a body."""
    core.replies["PatchGroup"] = rpc.PatchGroupResponse(group=crew(count=100_000))

    answer = await http.patch("/Groups/g1?excludedAttributes=members", ADD)

    assert core.only.method == "PatchGroup"
    assert (answer.status, answer.body) == (200, document())


async def test_delete(http: Http, core: Core):
    """A DELETE is one DeleteGroup."""
    answer = await http.delete("/Groups/g1", headers={"if-match": "*"})

    assert core.only.request == rpc.DeleteGroupRequest(id="g1")
    assert (answer.status, answer.body) == (204, None)
