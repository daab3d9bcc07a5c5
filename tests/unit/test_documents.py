"""SCIM documents to messages and back."""

import json
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from userdirectory.attributes import GROUP, USER
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from scim_gateway.answers import rfc3339, write_group, write_user
from scim_gateway.documents import read_group, read_user
from scim_gateway.errors import ScimError

BASE = "https://scim.example.com/scim/v2"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"

READ: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"userName": "a"}, {"user_name": "a"}, ["user_name"]),
    # Names and URNs in any case, also qualified.
    (
        {"USERNAME": "a", f"{CORE}:title": "T"},
        {"user_name": "a", "title": "T"},
        ["user_name", "title"],
    ),
    (
        {ENTERPRISE.upper(): {"DEPARTMENT": "D"}},
        {"enterprise": {"department": "D"}},
        ["enterprise"],
    ),
    (
        {f"{ENTERPRISE}:department": "D", "name.givenName": "G"},
        {"enterprise": {"department": "D"}, "name": {"given_name": "G"}},
        ["enterprise.department", "name.given_name"],
    ),
    # Microsoft's Postman collection: parts in any case.
    (
        {"emails": [{"Primary": True, "VALUE": "a@x"}]},
        {"emails": [{"primary": True, "value": "a@x"}]},
        ["emails"],
    ),
    # Entra's documentation misspells the URN.
    (
        {"urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"division": "D"}},
        {"enterprise": {"division": "D"}},
        ["enterprise"],
    ),
    # onelogin-first-sync, google-autoprovision: schemas that are not these.
    (
        {"schemas": ["urn:scim:schemas:core:1.0"], "userName": "a"},
        {"user_name": "a"},
        ["user_name"],
    ),
    # entra-user-updates-default, entra-validator-users: booleans as text.
    (
        {"active": "True", "roles": [{"primary": "false", "value": "R"}]},
        {"active": True, "roles": [{"primary": False, "value": "R"}]},
        ["active", "roles"],
    ),
    # OneLogin's templates: one e-mail without a list; Entra: a text.
    ({"emails": {"value": "a@x"}}, {"emails": [{"value": "a@x"}]}, ["emails"]),
    ({"emails": "a@x"}, {"emails": [{"value": "a@x"}]}, ["emails"]),
    ({"emails": ["a@x", None, ""]}, {"emails": [{"value": "a@x"}]}, ["emails"]),
    # Keycloak with an old SCIM-SDK: scalars in lists of one.
    (
        {"userName": ["a"], "active": [True], "emails": [{"value": ["a@x"]}], "title": [None]},
        {"user_name": "a", "active": True, "emails": [{"value": "a@x"}]},
        ["user_name", "active", "emails", "title"],
    ),
    # "", null, [] and {} are no value, but the attribute is asserted (okta-profile-update).
    (
        {"title": "", "nickName": None, "emails": [], "name": {}, ENTERPRISE: {"costCenter": ""}},
        {},
        ["title", "nick_name", "emails", "name", "enterprise"],
    ),
    ({ENTERPRISE: None}, {}, ["enterprise"]),
    # scim2-client: `schemas` in extensions too.
    (
        {ENTERPRISE: {"schemas": [ENTERPRISE], "division": "D"}},
        {"enterprise": {"division": "D"}},
        ["enterprise"],
    ),
    # The product's own extension asserts what it names and nothing else.
    (
        {WORKPLACE: {"teams": "A, ,B", "userRole": ""}},
        {"workplace": {"teams": ["A", "B"]}},
        ["workplace.teams", "workplace.user_role"],
    ),
    (
        {WORKPLACE: {"teams": ["A,C", "B"]}},
        {"workplace": {"teams": ["A", "C", "B"]}},
        ["workplace.teams"],
    ),
    ({WORKPLACE: None}, {}, []),
    # entra-manager-dialects, okta-enterprise-manager, cyberark-required-calls
    ({ENTERPRISE: {"manager": "b"}}, {"enterprise": {"manager": {"user_id": "b"}}}, ["enterprise"]),
    (
        {ENTERPRISE: {"manager": [{"$ref": "x", "value": "b", "displayName": "B"}]}},
        {"enterprise": {"manager": {"user_id": "b"}}},
        ["enterprise"],
    ),
    ({ENTERPRISE: {"manager": {"displayName": "Nobody"}}}, {}, ["enterprise"]),
    ({ENTERPRISE: {"manager": {"value": ""}}}, {}, ["enterprise"]),
    # Entra's app roles: JSON text in the value.
    (
        {"roles": [{"value": '{"id":"1","value":"25","displayName":"R1"}', "primary": True}]},
        {"roles": [{"value": "25", "display": "R1", "primary": True}]},
        ["roles"],
    ),
    ({"roles": [{"value": "{not json"}]}, {"roles": [{"value": "{not json"}]}, ["roles"]),
    (
        {"roles": [{"value": '{"value":"\\ud800"}'}]},
        {"roles": [{"value": '{"value":"\\ud800"}'}]},
        ["roles"],
    ),
    # What nobody may write is ignored.
    (
        {"id": "x", "meta": {"version": "1"}, "groups": [{"value": "g"}], "userName": "a"},
        {"user_name": "a"},
        ["user_name"],
    ),
    (
        {"x509Certificates": [{"value": "AQID"}], "password": "p"},
        {"x509_certificates": [{"value": b"\x01\x02\x03"}], "password": "p"},
        ["x509_certificates", "password"],
    ),
    (
        {ENTERPRISE: {"department": "D"}, f"{ENTERPRISE}:division": "V"},
        {"enterprise": {"department": "D", "division": "V"}},
        ["enterprise"],
    ),
]


@pytest.mark.parametrize(("document", "fields", "mask"), READ)
def test_a_user_is_read(document: dict[str, Any], fields: dict[str, Any], mask: list[str]):
    """What identity providers send, however they write it, is one message and one mask."""
    user, read = read_user(document)

    assert User(**fields) == user
    assert mask == read.mask
    assert read.remarks.unknown == []


def test_unknown_names_are_told_if_they_have_a_value():
    """An empty unknown attribute asks for nothing (authentik-users sends `"photos": []`)."""
    _, read = read_user(
        {
            "photos": [],
            "shoeSize": 42,
            "emails": [{"value": "a@x", "shoe": 1, "hat": None}],
            "name": {"shoe": 1},
            ENTERPRISE: {"shoe": 1, "manager": {"managerId": "7"}},
            "urn:example:custom 2.0:User": {"x": 1},
            "emails.value": "a@x",
        }
    )

    assert read.remarks.unknown == [
        "shoeSize",
        "emails.shoe",
        "name.shoe",
        f"{ENTERPRISE}:shoe",
        "manager.managerId",
        "urn:example:custom 2.0:User",
        "emails.value",
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"userName": 5},
        {"userName": True},
        {"userName": {"value": "a"}},
        {"userName": ["a", "b"]},
        {"active": "perhaps"},
        {"active": 1},
        {"active": {}, "title": 0.5},
        {"name": "Ada"},
        {"name": [{"givenName": "A"}, {"givenName": "B"}]},
        {"emails": 5},
        {"emails": [5]},
        {"emails": [["a@x"]]},
        {"emails": [{"primary": "perhaps"}]},
        {"addresses": ["Ulm"]},
        {"x509Certificates": [{"value": "***"}]},
        {"x509Certificates": [{"value": "é"}]},
        {ENTERPRISE: "x"},
        {ENTERPRISE: ["x"]},
        {ENTERPRISE: {"manager": 5}},
        {WORKPLACE: {"teams": 5}},
        {WORKPLACE: {"teams": [5]}},
    ],
)
def test_wrong_types_are_refused(document: dict[str, Any]):
    """The type of every value is that of the attribute, or the document is invalid."""
    with pytest.raises(ScimError) as caught:
        read_user(document)

    assert (caught.value.status, caught.value.scim_type) == (400, "invalidValue")


def test_a_group_is_read():
    """keycloak-plugin-put, entra-group-lifecycle: members as they come."""
    group, read = read_group(
        {
            "displayName": "Crew",
            "externalId": "x",
            "members": [{"value": "u1", "$ref": "Users/u1", "display": "A"}, "u2", None],
            "schemas": ["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        }
    )

    assert group == Group(
        display_name="Crew",
        external_id="x",
        members=[{"member_id": "u1"}, {"member_id": "u2"}],
    )
    assert read.mask == ["display_name", "external_id", "members"]


def test_a_member_without_an_id_is_refused():
    """Else somebody would believe they had been added."""
    with pytest.raises(ScimError):
        read_group({"members": [{"display": "Ada"}]})


def test_empty_values_are_left_out():
    """No null, no empty text, no empty object: entra-gallery-null-update."""
    user = User(
        id="u1",
        title="",
        name={"given_name": ""},
        emails=[{"value": ""}],
        enterprise={"manager": {}, "department": ""},
        workplace={},
        x509_certificates=[{"value": b""}],
    )

    assert write_user(user, BASE) == {
        "schemas": [CORE],
        "id": "u1",
        "meta": {"resourceType": "User", "location": f"{BASE}/Users/u1"},
    }


def test_secrets_are_never_written():
    """`returned: never`, and what is no attribute at all."""
    user = User(id="u1", password="Qz7!lantern", account_id="acc", last_trace_id="tr", role_id="ro")

    text = json.dumps(write_user(user, BASE))

    assert not any(secret in text for secret in ("Qz7", "acc", 'tr"', '"ro"', "password"))


def test_addresses_are_made_from_the_base():
    """References point to where clients find the resource; a stranger's id points nowhere."""
    user = User(
        id="a/b ä",
        groups=[{"group_id": "g1", "type": "direct"}],
        enterprise={"manager": {"user_id": "LKJHGFDSAMNB"}},
    )
    group = Group(
        id="g1",
        members=[
            {"member_id": "u1", "type": "User", "display_name": "A"},
            {"member_id": "g2", "type": "Group"},
        ],
    )

    written = write_user(user, BASE)

    assert written["meta"]["location"] == f"{BASE}/Users/a%2Fb%20%C3%A4"
    assert written["groups"] == [{"value": "g1", "type": "direct", "$ref": f"{BASE}/Groups/g1"}]
    assert written[ENTERPRISE]["manager"] == {"value": "LKJHGFDSAMNB"}
    assert write_group(group, BASE)["members"] == [
        {"value": "u1", "display": "A", "type": "User", "$ref": f"{BASE}/Users/u1"},
        {"value": "g2", "type": "Group", "$ref": f"{BASE}/Groups/g2"},
    ]


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (Timestamp(), "1970-01-01T00:00:00.000Z"),
        (Timestamp(seconds=1_769_851_800, nanos=999_999_999), "2026-01-31T09:30:00.999Z"),
        (Timestamp(seconds=-1), "1969-12-31T23:59:59.000Z"),
        (Timestamp(seconds=951_782_400), "2000-02-29T00:00:00.000Z"),
    ],
)
def test_times_are_rfc_3339(time: Timestamp, text: str):
    """UTC, to the millisecond."""
    assert text == rfc3339(time)


TEXT = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=8
)
ELEMENT = st.fixed_dictionaries(
    {"value": TEXT}, optional={"type": TEXT, "primary": st.booleans(), "display": TEXT}
)
ELEMENTS = st.lists(ELEMENT, min_size=1, max_size=3)
NAME = TEXT.filter(lambda text: "," not in text and text == text.strip() != "")
USERS = st.fixed_dictionaries(
    {"userName": TEXT},
    optional={
        "externalId": TEXT,
        "displayName": TEXT,
        "timezone": TEXT,
        "userType": TEXT,
        "active": st.booleans(),
        "name": st.dictionaries(
            st.sampled_from(["givenName", "familyName", "formatted"]), TEXT, min_size=1
        ),
        "emails": ELEMENTS,
        "ims": ELEMENTS,
        "entitlements": ELEMENTS,
        "addresses": st.lists(
            st.fixed_dictionaries({"locality": TEXT}, optional={"type": TEXT}),
            min_size=1,
            max_size=2,
        ),
        ENTERPRISE: st.fixed_dictionaries(
            {"department": TEXT}, optional={"manager": st.fixed_dictionaries({"value": TEXT})}
        ),
        WORKPLACE: st.fixed_dictionaries({"userRole": TEXT}, optional={"teams": NAME}),
    },
)


@settings(max_examples=200, deadline=None)
@given(USERS)
def test_what_was_written_comes_back(document: dict[str, Any]):
    """Every writable value that is read is written as it was sent."""
    user, read = read_user(document)
    written = write_user(user, BASE)

    assert read.remarks.unknown == []
    assert {key: written[key] for key in document} == document
    assert read_user(written)[0] == user


def test_every_writable_attribute_can_be_read_and_written():
    """The plans cover the attribute table."""
    for resource, read, write in ((USER, read_user, write_user), (GROUP, read_group, write_group)):
        for attribute in resource.by_name.values():
            top = "." not in attribute.scim_path and attribute.mutability == "readWrite"
            if top and attribute.type == "string":
                name = f"{attribute.urn}:{attribute.scim_path}"
                message, found = read({name: "x"})
                assert found.mask == [attribute.path]
                written = write(message, BASE)
                held = written if attribute.urn == resource.urn else written[attribute.urn]
                assert held[attribute.name] == "x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "type", "primary", "manager", "givenName", "teams", "$ref", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [a.name for a in USER.attributes]
    + [
        ENTERPRISE,
        WORKPLACE,
        f"{ENTERPRISE}:manager",
        "members",
        "meta",
        "schemas",
        "name.givenName",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_any_document_is_read_or_refused(document: dict[str, Any]):
    """No JSON makes the reader fail in another way, and what is read can be written."""
    for read, write in ((read_user, write_user), (read_group, write_group)):
        refused = None
        try:
            message, _ = read(document)
        except ScimError as error:
            refused = error
        if refused is None:
            json.dumps(write(message, BASE), allow_nan=False)
        else:
            assert (refused.status, refused.scim_type) == (400, "invalidValue")
