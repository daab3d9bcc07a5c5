"""What an administrator can declare, and what happens to values when a declaration changes."""

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.status import error_of_call
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin
from userdirectory.v1.filter_pb2 import CustomFilter, Filter
from userdirectory.v1.user_pb2 import User
from userdirectory.v1.workspace_pb2 import Workspace as WorkspaceMessage

from core_service import verify
from core_service.storage import store
from tests.custom.conftest import ATTRIBUTES, ENTRA, HR, value

BADGE = {"urn": HR, "name": "badge"}


async def refusal(call) -> DirectoryError:
    """Return why *call* is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        await call
    error = error_of_call(caught.value)
    assert error is not None
    return error


@pytest.mark.rule("R-130")
async def test_a_declaration_holds_from_the_next_call_on(bare):
    """No code and no migration: what was unknown a moment ago is an attribute."""
    before = await bare.idp.create("grace", **{HR: {"badge": "B-1"}})
    await bare.declare(BADGE)
    after = await bare.idp.set(before["id"], **{HR: {"badge": "B-1"}})

    assert HR not in before
    assert after.body[HR] == {"badge": "B-1"}


@pytest.mark.rule("R-130")
async def test_the_whole_list_is_declared(bare):
    """What is not in the list is no longer declared; a type that is not said is text."""
    await bare.declare(*ATTRIBUTES)
    kept = await bare.declare(BADGE)
    found = (await bare.ask(admin.GetWorkspaceRequest())).workspace

    assert [(each.name, each.type) for each in kept] == [("badge", 1)]
    assert list(found.custom_attributes) == kept


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ([{"urn": "", "name": "a"}], "urn"),
        ([{"urn": "http://example.com", "name": "a"}], "urn"),
        ([{"urn": "urn:example", "name": "a"}], "urn"),
        ([{"urn": "urn:example:a,b", "name": "a"}], "urn"),
        ([{"urn": 'urn:example:a"]', "name": "a"}], "urn"),
        ([{"urn": "urn:example:a b", "name": "a"}], "urn"),
        ([{"urn": "urn:example:" + "a" * 256, "name": "a"}], "urn"),
        ([{"urn": "urn:ietf:params:scim:schemas:core:2.0:User", "name": "a"}], "urn"),
        ([{"urn": "URN:IETF:params:scim:schemas:core:2.0:Group", "name": "a"}], "urn"),
        ([{"urn": "urn:ietf:params:scim:schemas:core:2.0:User:x", "name": "a"}], "urn"),
        ([{"urn": "urn:ietf:params:scim:schemas:core", "name": "a"}], "urn"),
        (
            [{"urn": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "name": "a"}],
            "urn",
        ),
        (
            [{"urn": "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User", "name": "a"}],
            "urn",
        ),
        ([{"urn": "urn:ietf:params:scim:api:messages:2.0:Error", "name": "a"}], "urn"),
        ([{"urn": HR, "name": "a"}, {"urn": HR.upper(), "name": "b"}], "urn"),
        ([{"urn": "urn:a1:b", "name": "c"}, {"urn": "urn:a1:b:c", "name": "d"}], "urn"),
        ([{"urn": HR, "name": ""}], "name"),
        ([{"urn": HR, "name": "1a"}], "name"),
        ([{"urn": HR, "name": "$ref"}], "name"),
        ([{"urn": HR, "name": "a.b"}], "name"),
        ([{"urn": HR, "name": "a:b"}], "name"),
        ([{"urn": HR, "name": "ü"}], "name"),
        ([{"urn": HR, "name": "a\n"}], "name"),
        ([{"urn": HR, "name": "a" * 65}], "name"),
        ([{"urn": HR, "name": "a"}, {"urn": HR, "name": "A"}], "name"),
        ([{"urn": HR, "name": "a", "type": 9}], "type"),
        ([{"urn": HR, "name": "a", "description": "x" * 1025}], "description"),
        ([{"urn": HR, "name": "a", "description": "\u0000"}], "description"),
        ([{"urn": HR, "name": "a", "canonical_values": ["x"] * 101}], "canonical_values"),
        ([{"urn": HR, "name": "a", "canonical_values": ["x" * 1025]}], "canonical_values"),
        ([{"urn": HR, "name": "a", "type": 3, "canonical_values": ["1"]}], "canonical_values"),
        ([{"urn": HR, "name": f"a{number}"} for number in range(101)], ""),
    ],
    ids=lambda case: str(case)[:60],
)
async def test_a_declaration_that_cannot_be_is_refused(bare, attributes, field):
    """Nothing is declared of a list with a mistake."""
    await bare.declare(BADGE)
    error = await refusal(bare.declare(BADGE | {"description": "New."}, *attributes))
    found = (await bare.ask(admin.GetWorkspaceRequest())).workspace

    assert error.reason == "FIELD_INVALID"
    assert error.metadata["field"] == f"attributes.{field}".rstrip(".")
    assert [each.description for each in found.custom_attributes] == [""]


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    "change",
    [
        None,
        BADGE | {"name": "Badge"},
        BADGE | {"type": "CUSTOM_TYPE_INTEGER"},
        BADGE | {"multi_valued": True},
        BADGE | {"case_exact": True},
    ],
    ids=str,
)
async def test_what_users_have_stays_declared_as_it_is(bare, change):
    """It is refused until the last value is gone, also that of a user who is away."""
    await bare.declare(BADGE)
    made = await bare.idp.create("grace", **{HR: {"badge": "1"}})
    path = f"/Users/{made['id']}"
    wanted = [] if change is None else [change]

    error = await refusal(bare.declare(*wanted))
    await bare.idp.send("DELETE", path)
    away = await refusal(bare.declare(*wanted))
    await bare.set(made["id"], value("badge"))
    await bare.declare(*wanted)

    for each in (error, away):
        assert (each.reason, each.metadata["field"]) == ("FIELD_INVALID", "attributes")
        assert each.metadata["count"] == "1"


@pytest.mark.rule("R-130")
async def test_what_no_value_depends_on_can_change(bare):
    """Descriptions, canonical values, and whether it is required."""
    await bare.declare(BADGE)
    await bare.idp.create("grace", **{HR: {"badge": "1"}})
    await bare.declare(BADGE | {"description": "d", "canonical_values": ["2"], "required": True})

    assert (await bare.idp.send("GET", f"/Schemas/{HR}")).body["attributes"][0]["required"]


@pytest.mark.rule("R-130")
async def test_a_required_attribute(bare):
    """Provisioning sends it with new users, the product need not; nobody takes it away."""
    await bare.declare(BADGE | {"required": True})
    missing = await bare.idp.post("grace")
    made = await bare.idp.create("grace", **{HR: {"badge": "1"}})
    removed = await bare.idp.patch(f"/Users/{made['id']}", {"op": "remove", "path": f"{HR}:badge"})
    user = User(user_name=bare.idp.mail("paul"))
    by_product = (await bare.ask(api.CreateUserRequest(user=user))).user
    error = await refusal(bare.set(made["id"], value("badge")))

    for answer in (missing, removed):
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
        assert f"{HR}:badge" in answer.body["detail"]
    assert not by_product.custom
    assert error.reason == "FIELD_INVALID"


@pytest.mark.rule("R-130")
async def test_a_list_made_for_another_version_is_refused(bare):
    """Two administrators do not overwrite each other."""
    etag = (await bare.ask(admin.GetWorkspaceRequest())).workspace.etag
    await bare.declare(BADGE, etag=etag)
    error = await refusal(bare.declare(etag=etag))

    assert error.reason == "ETAG_MISMATCH"


@pytest.mark.rule("R-130")
async def test_a_workspace_is_created_with_declarations_that_are_checked(bare):
    """The same mistakes are refused."""
    request = admin.CreateWorkspaceRequest(
        workspace=WorkspaceMessage(id="refused", custom_attributes=[{"urn": "x", "name": "y"}])
    )
    stub, metadata = bare._stubs[1], bare._metadata
    error = await refusal(stub.CreateWorkspace(request, metadata=metadata))

    assert error.metadata["field"] == "attributes.urn"


@pytest.mark.rule("R-130")
async def test_the_product_writes_what_it_names_and_no_more(workspace):
    """A mask `custom` sets the attributes in the list; an empty name clears an extension."""
    made = await workspace.idp.create(
        "grace", **{HR: {"badge": "B", "desk": 1}, ENTRA: {"floors": [1]}}
    )
    one = await workspace.set(made["id"], value("desk", 2, 2), value("languages", "en", "EN"))
    all_ = await workspace.set(made["id"], value(""), value("shirt", "S"))

    assert [(v.name, len(v.elements), v.multi_valued) for v in one.custom] == [
        ("badge", 1, False),
        ("desk", 1, False),
        ("languages", 1, True),
        ("floors", 1, True),
    ]
    assert [v.name for v in all_.custom] == ["shirt", "floors"]


@pytest.mark.rule("R-130")
async def test_the_log_has_what_changed(workspace):
    """A change of a value is a change of the field `custom`."""
    made = await workspace.idp.create("grace")
    await workspace.set(made["id"], value("badge", "B-1"))
    listed = await workspace.ask(admin.ListLogRequest(target_id=made["id"]))

    change = listed.entries[0].changes[-1]
    assert (change.field, "B-1" in change.after) == ("custom", True)


@pytest.mark.rule("R-130")
async def test_filters_of_the_contract(workspace):
    """A filter names the attribute, and what one of its values must pass."""
    made = await workspace.idp.create("grace", **{HR: {"desk": 7}})
    where = Filter(at_least={"field": "value", "number": 7})
    filter_ = Filter(custom=CustomFilter(urn=HR, name="desk", where=where))
    listed = await workspace.ask(api.ListUsersRequest(filter=filter_))
    counted = await workspace.ask(api.CountUsersRequest(filter=filter_))

    assert [user.id for user in listed.users] == [made["id"]]
    assert (listed.total_size, counted.count) == (1, 1)


@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    "filter_",
    [
        {"custom": {"urn": HR, "name": "none"}},
        {"custom": {"urn": HR, "name": "desk", "where": {}}},
        {"custom": {"urn": HR, "where": {"present": {"field": "value"}}}},
        {"custom": {"urn": HR, "name": "desk", "where": {"present": {"field": "x"}}}},
        {"custom": {"urn": HR, "name": "badge", "where": {"equal": {"field": "value"}}}},
        {
            "custom": {
                "urn": HR,
                "name": "badge",
                "where": {"custom": {"urn": HR, "name": "badge"}},
            }
        },
        {"element": {"field": "emails", "where": {"custom": {"urn": HR, "name": "badge"}}}},
    ],
    ids=str,
)
async def test_a_filter_of_the_contract_that_cannot_be_asked(workspace, filter_):
    """FILTER_INVALID, whatever is wrong."""
    error = await refusal(workspace.ask(api.ListUsersRequest(filter=Filter(**filter_))))

    assert error.reason == "FILTER_INVALID"


@pytest.mark.rule("R-130")
async def test_groups_have_no_custom_attributes(workspace):
    """A filter on groups cannot ask for one."""
    filter_ = Filter(custom=CustomFilter(urn=HR, name="desk"))
    error = await refusal(workspace.ask(api.ListGroupsRequest(filter=filter_)))

    assert error.reason == "FILTER_INVALID"


@pytest.mark.violates
@pytest.mark.rule("R-130")
@pytest.mark.parametrize(
    "broken",
    [value("gone", "x"), value("desk", "7"), value("badge", "a", "b"), value("badge")],
    ids=["undeclared", "another type", "two values", "no value"],
)
async def test_verify_finds_values_that_do_not_keep_their_declaration(workspace, broken):
    """Each is told with the user."""
    made = await workspace.idp.create("grace")
    place, storage = workspace.idp.place, workspace.core.storage

    async def work(tx):
        row = await store.user_by_id(tx, place.workspace_id, made["id"])
        document = User.FromString(row.document)
        document.custom.append(broken)
        await store.update_user(tx, row._replace(document=document.SerializeToString()), None)

    assert [] == await verify.findings(storage, [place.workspace_id])
    await storage.write(place.workspace_id, work)
    found = await verify.findings(storage, [place.workspace_id])

    assert [made["id"] in line for line in found] == [True]
