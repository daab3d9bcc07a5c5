"""/Users: this JSON becomes exactly this one RPC, this answer exactly this JSON."""

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.change_pb2 import Removal, UserChange, UserValue
from userdirectory.v1.deviation_pb2 import DEVIATION_KIND_VALUE, Deviation
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.user_pb2 import (
    Email,
    EnterpriseUser,
    GroupMembership,
    Manager,
    Name,
    User,
    UserRef,
    Workplace,
)

from tests.gateway.conftest import BASE, TOKEN, Http
from tests.gateway.standin import Core

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"

ADA = User(
    id="u1",
    etag='W/"7"',
    create_time=Timestamp(seconds=1_700_000_000),
    update_time=Timestamp(seconds=1_700_000_001, nanos=5_000_000),
    external_id="00u1",
    user_name="ada@example.com",
    name=Name(given_name="Ada", family_name="Lovelace"),
    active=True,
    emails=[Email(value="ada@example.com", type="work", primary=True)],
    groups=[GroupMembership(group_id="g1", display="Crew", type="direct")],
    enterprise=EnterpriseUser(
        department="Care", manager=Manager(user_id="u2", display_name="Grace")
    ),
    workplace=Workplace(teams=["Design", "Support"], user_role="Member"),
    role_id="r1",
    account_id="a1",
)
ADA_JSON = {
    "schemas": [USER, ENTERPRISE, WORKPLACE],
    "id": "u1",
    "externalId": "00u1",
    "userName": "ada@example.com",
    "name": {"givenName": "Ada", "familyName": "Lovelace"},
    "active": True,
    "emails": [{"value": "ada@example.com", "type": "work", "primary": True}],
    "groups": [{"value": "g1", "$ref": f"{BASE}/Groups/g1", "display": "Crew", "type": "direct"}],
    ENTERPRISE: {
        "department": "Care",
        "manager": {"value": "u2", "$ref": f"{BASE}/Users/u2", "displayName": "Grace"},
    },
    WORKPLACE: {"teams": "Design, Support", "userRole": "Member"},
    "meta": {
        "resourceType": "User",
        "created": "2023-11-14T22:13:20.000Z",
        "lastModified": "2023-11-14T22:13:21.005Z",
        "location": f"{BASE}/Users/u1",
        "version": 'W/"7"',
    },
}


async def test_create(http: Http, core: Core):
    """A POST is one CreateUser, answered 201 with everything and where it is."""
    core.replies["CreateUser"] = rpc.CreateUserResponse(user=ADA)

    answer = await http.post(
        "/Users",
        {
            "schemas": [USER],
            "id": None,
            "userName": "ada@example.com",
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": "ada@example.com", "type": "work", "primary": True}],
            "password": "1mz050nq",
            "groups": [],
            "photos": [],
            "shoeSize": 42,
            ENTERPRISE: {"department": "Care", "manager": {"managerId": "7", "value": "u2"}},
        },
    )

    assert core.only.method == "CreateUser"
    assert core.only.request == rpc.CreateUserRequest(
        user=User(
            user_name="ada@example.com",
            name=Name(given_name="Ada", family_name="Lovelace"),
            emails=[Email(value="ada@example.com", type="work", primary=True)],
            password="1mz050nq",
            enterprise=EnterpriseUser(department="Care", manager=Manager(user_id="u2")),
        ),
        unknown_attributes=["shoeSize", "manager.managerId"],
    )
    assert (answer.status, answer.body) == (201, ADA_JSON)
    assert answer.headers["location"] == f"{BASE}/Users/u1"
    assert answer.headers["etag"] == 'W/"7"'


async def test_read(http: Http, core: Core):
    """A GET is one GetUser for all fields."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=ADA)

    answer = await http.get("/Users/u1")

    assert core.only.request == rpc.GetUserRequest(user=UserRef(id="u1"))
    assert core.only.metadata["authorization"] == f"Bearer {TOKEN}"
    assert (answer.status, answer.body) == (200, ADA_JSON)


async def test_list(http: Http, core: Core):
    """A GET of the collection is one ListUsers with everything translated."""
    core.replies["ListUsers"] = rpc.ListUsersResponse(users=[ADA], total_size=12)

    answer = await http.get(
        "/Users?filter=userName+eq+%22ada%2Btest%22&startIndex=11&count=5&sortBy=name.familyName"
        "&sortOrder=descending&attributes=userName,meta.version&"
    )

    assert core.only.request == rpc.ListUsersRequest(
        filter=Filter(equal=Comparison(field="user_name", text="ada+test")),
        order_by="name.family_name desc",
        page_size=5,
        skip=10,
        read_mask=FieldMask(paths=["id", "user_name", "etag", "create_time", "update_time"]),
    )
    assert answer.status == 200
    assert answer.body == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 12,
        "startIndex": 11,
        "itemsPerPage": 1,
        "Resources": [
            {
                "schemas": [USER],
                "id": "u1",
                "userName": "ada@example.com",
                "meta": {"version": 'W/"7"'},
            }
        ],
    }


async def test_count_only(http: Http, core: Core):
    """Asking for no resources counts them."""
    core.replies["CountUsers"] = rpc.CountUsersResponse(count=6)

    answer = await http.get("/Users?count=0")

    assert core.only.method == "CountUsers"
    assert answer.body["totalResults"] == 6
    assert answer.body["Resources"] == []


async def test_replace(http: Http, core: Core):
    """A PUT is one UpdateUser with what the document names, empty values included."""
    core.replies["UpdateUser"] = rpc.UpdateUserResponse(user=ADA)

    answer = await http.put(
        "/Users/u1?",
        ADA_JSON | {"title": "", "emails": [], WORKPLACE: {"userRole": "Admin"}},
        headers={"if-match": 'W/"7"'},
    )

    request = core.only.request
    assert list(request.update_mask.paths) == [
        "external_id",
        "user_name",
        "name",
        "active",
        "emails",
        "enterprise",
        "workplace.user_role",
        "title",
    ]
    assert request.whole
    assert (request.user.id, request.user.etag) == ("u1", 'W/"7"')
    assert not request.user.HasField("title")
    assert not request.user.emails
    assert request.user.enterprise.manager == Manager(user_id="u2")
    assert (answer.status, answer.body) == (200, ADA_JSON)


async def test_change(http: Http, core: Core):
    """A PATCH is one PatchUser with its operations in order."""
    core.replies["PatchUser"] = rpc.PatchUserResponse(user=ADA)

    answer = await http.patch(
        "/Users/u1",
        {"op": "replace", "path": "active", "value": "False"},
        {"op": "remove", "path": "title"},
        headers={"if-match": '"7"'},
    )

    assert core.only.request == rpc.PatchUserRequest(
        user=UserRef(id="u1"),
        changes=[
            UserChange(set=UserValue(field="active", value=User(active=False))),
            UserChange(remove=Removal(field="title")),
        ],
        etag='W/"7"',
        deviation=Deviation(
            kind=DEVIATION_KIND_VALUE,
            message="Attribute active is a text. Send true or false without quotes.",
        ),
    )
    assert (answer.status, answer.body) == (200, ADA_JSON)
    assert answer.headers["etag"] == 'W/"7"'


async def test_delete(http: Http, core: Core):
    """A DELETE is one DeleteUser, answered without a body."""
    answer = await http.delete("/Users/u1")

    assert core.only.request == rpc.DeleteUserRequest(user=UserRef(id="u1"))
    assert (answer.status, answer.body) == (204, None)
