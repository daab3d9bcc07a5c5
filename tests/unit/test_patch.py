"""PATCH documents: the changes they become, operation by operation."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from userdirectory.v1.change_pb2 import GroupChange, UserChange

from scim_gateway.errors import ScimError
from scim_gateway.patch import read_group_changes, read_user_changes

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"
MANAGER = f"{ENTERPRISE}:manager"
BOSS = {"enterprise": {"manager": {"user_id": "b1"}}}


def op(kind: str, path: str | None = None, *value: Any) -> dict[str, Any]:
    operation = {"op": kind} if path is None else {"op": kind, "path": path}
    return operation | ({"value": value[0]} if value else {})


def body(*operations: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def equal(field: str, **operand: Any) -> dict[str, Any]:
    return {"equal": {"field": field, **operand}}


def set_(field: str, value: Any = None, where: Any = None) -> dict[str, Any]:
    return {"set": {"field": field, "value": value, "where": where}}


def add(field: str, value: Any = None, where: Any = None) -> dict[str, Any]:
    return {"add": {"field": field, "value": value, "where": where}}


def remove(field: str, where: Any = None) -> dict[str, Any]:
    return {"remove": {"field": field, "where": where}}


WORK = equal("type", text="work")

USERS = [
    # entra-user-updates-default
    (op("Replace", "active", "False"), [set_("active", {"active": False})]),
    (
        op("Add", 'emails[type eq "work"].value', "a@x"),
        [add("emails.value", {"emails": [{"value": "a@x"}]}, WORK)],
    ),
    (op("Remove", "title"), [remove("title")]),
    (
        op("Remove", 'phoneNumbers[type eq "fax"].value'),
        [remove("phone_numbers.value", equal("type", text="fax"))],
    ),
    (
        op("Remove", 'phoneNumbers[type eq "mobile"]'),
        [remove("phone_numbers", equal("type", text="mobile"))],
    ),
    # entra-validator-users
    (
        op("replace", 'roles[primary eq "True"].value', "R"),
        [set_("roles.value", {"roles": [{"value": "R"}]}, equal("primary", flag=True))],
    ),
    # okta-roles-entitlements
    (
        op("replace", "emails[primary eq true].value", "a@x"),
        [set_("emails.value", {"emails": [{"value": "a@x"}]}, equal("primary", flag=True))],
    ),
    (
        op("replace", None, {"id": "u", "schemas": [CORE], "meta": {"x": 1}, "active": False}),
        [set_("active", {"active": False})],
    ),
    # sailpoint-discovery
    (op("add", None, {"active": False}), [add("active", {"active": False})]),
    # entra-user-updates-aadoptscim062020
    (
        op(
            "replace",
            None,
            {
                "displayName": "E",
                "name.givenName": "G",
                f"{ENTERPRISE}:employeeNumber": "1",
                "NAME.familyname": "F",
            },
        ),
        [
            set_("display_name", {"display_name": "E"}),
            set_("name.given_name", {"name": {"given_name": "G"}}),
            set_("enterprise.employee_number", {"enterprise": {"employee_number": "1"}}),
            set_("name.family_name", {"name": {"family_name": "F"}}),
        ],
    ),
    # Clients that put whole paths into a value, filters and all; inferred, not seen in the wild
    (
        op("replace", None, {'emails[type eq "work"].value': "a@x"}),
        [set_("emails.value", {"emails": [{"value": "a@x"}]}, equal("type", text="work"))],
    ),
    # entra-gallery-null-update clears every attribute; this clears them together
    (
        op("replace", ENTERPRISE, None),
        [
            set_(f"enterprise.{name}")
            for name in (
                "employee_number",
                "cost_center",
                "organization",
                "division",
                "department",
                "manager",
            )
        ],
    ),
    # okta-enterprise-manager
    (
        op("replace", None, {ENTERPRISE: {"department": "D", "manager": {"value": "b1"}}}),
        [
            set_("enterprise.department", {"enterprise": {"department": "D"}}),
            set_("enterprise.manager", BOSS),
        ],
    ),
    (
        op("add", ENTERPRISE, {"department": "D"}),
        [add("enterprise.department", {"enterprise": {"department": "D"}})],
    ),
    # scim2-client: `schemas` in extensions too
    (
        op("replace", ENTERPRISE, {"schemas": [ENTERPRISE], "department": "D"}),
        [set_("enterprise.department", {"enterprise": {"department": "D"}})],
    ),
    # entra-manager-dialects
    (op("Add", MANAGER, "b1"), [add("enterprise.manager", BOSS)]),
    (op("Replace", MANAGER, {"value": "b1"}), [set_("enterprise.manager", BOSS)]),
    (
        op("Replace", MANAGER, [{"$ref": None, "value": "b1"}]),
        [set_("enterprise.manager", BOSS)],
    ),
    (op("replace", f"{MANAGER}.value", "b1"), [set_("enterprise.manager.user_id", BOSS)]),
    (op("replace", None, {MANAGER: "b1"}), [set_("enterprise.manager", BOSS)]),
    (op("Add", "manager", [{"$ref": "x", "value": "b1"}]), [add("enterprise.manager", BOSS)]),
    (op("Replace", MANAGER, ""), [set_("enterprise.manager")]),
    (op("Replace", MANAGER, {"value": ""}), [set_("enterprise.manager")]),
    (op("Replace", MANAGER, None), [set_("enterprise.manager")]),
    (op("Add", MANAGER, ""), [set_("enterprise.manager")]),
    (op("Remove", MANAGER), [remove("enterprise.manager")]),
    # entra-gallery-null-update
    (op("replace", "title", ""), [set_("title")]),
    (op("replace", "title", None), [set_("title")]),
    (op("replace", "name.givenName", ""), [set_("name.given_name")]),
    (
        op("replace", 'phoneNumbers[type eq "work"].value', ""),
        [set_("phone_numbers.value", None, WORK)],
    ),
    (op("replace", "emails", []), [set_("emails")]),
    (op("add", "emails", []), []),
    # RFC 7644 section 3.5.2.3: the parts of `name` that are not sent stay.
    (
        op("replace", "name", {"givenName": "G", "familyName": ""}),
        [set_("name.given_name", {"name": {"given_name": "G"}}), set_("name.family_name")],
    ),
    (op("replace", "name", None), [set_("name")]),
    # An address has no value of its own and many elements.
    (
        op("add", "addresses", [{"type": "work", "locality": "Ulm"}]),
        [add("addresses", {"addresses": [{"type": "work", "locality": "Ulm"}]})],
    ),
    (
        op("replace", 'addresses[type eq "work"]', {"locality": "Ulm"}),
        [set_("addresses", {"addresses": [{"locality": "Ulm"}]}, WORK)],
    ),
    # One element without a list; a text where an e-mail belongs.
    (
        op("add", "emails", {"value": "a@x"}),
        [add("emails", {"emails": [{"value": "a@x"}]})],
    ),
    (op("add", "emails", "a@x"), [add("emails", {"emails": [{"value": "a@x"}]})]),
    # Entra's app roles: JSON text in the value.
    (
        op("Add", "roles", [{"value": '{"id":"1","value":"25","displayName":"Role1"}'}]),
        [add("roles", {"roles": [{"value": "25", "display": "Role1"}]})],
    ),
    # awork-extension-basic
    (
        op("replace", f"{WORKPLACE}:teams", "A , B"),
        [set_("workplace.teams", {"workplace": {"teams": ["A", "B"]}})],
    ),
    (op("replace", f"{WORKPLACE}:teams", ""), [set_("workplace.teams")]),
    (op("remove", f"{WORKPLACE}:absenceRegion"), [remove("workplace.absence_region")]),
    # Elements to remove as a list.
    (
        op("remove", "emails", [{"value": "a@x", "display": "A"}, {"type": "home"}]),
        [
            remove(
                "emails",
                {"any_of": {"filters": [equal("value", text="a@x"), equal("type", text="home")]}},
            )
        ],
    ),
    (
        op("remove", "x509Certificates", [{"value": "AQI="}]),
        [remove("x509_certificates", {"any_of": {"filters": [equal("value", text="AQI=")]}})],
    ),
    (
        op("remove", "addresses", [{"locality": "Ulm", "primary": True}]),
        [
            remove(
                "addresses",
                {
                    "any_of": {
                        "filters": [
                            {
                                "all_of": {
                                    "filters": [
                                        equal("locality", text="Ulm"),
                                        equal("primary", flag=True),
                                    ]
                                }
                            }
                        ]
                    }
                },
            )
        ],
    ),
    (
        op("remove", f"{WORKPLACE}:teams", "A"),
        [remove("workplace.teams", {"any_of": {"filters": [equal("value", text="A")]}})],
    ),
    (op("remove", "emails", []), []),
    (op("remove", "title", "anything"), [remove("title")]),
    (op("remove", ENTERPRISE), [remove("enterprise")]),
    (op("replace", "password", "S"), [set_("password", {"password": "S"})]),
    (op("add", "schemas", [ENTERPRISE]), []),
]


@pytest.mark.parametrize(("operation", "wanted"), USERS)
def test_one_operation_on_a_user(operation: dict[str, Any], wanted: list[dict[str, Any]]):
    """Every dialect becomes the same few changes."""
    changes, remarks = read_user_changes(body(operation))

    assert [UserChange(**change) for change in wanted] == changes
    assert remarks.unknown == []


U1 = {"members": [{"member_id": "u1"}]}
GROUPS = [
    # okta-group-push
    (
        op("replace", None, {"id": "g1", "displayName": "Quay"}),
        [set_("display_name", {"display_name": "Quay"})],
    ),
    (op("remove", 'members[value eq "u1"]'), [remove("members", equal("member_id", text="u1"))]),
    (
        op("add", "members", [{"value": "u1", "display": "a@x"}]),
        [add("members", U1)],
    ),
    (op("replace", "members", [{"value": "u1"}]), [set_("members", U1)]),
    # rippling-groups
    (op("add", "members", {"value": "u1"}), [add("members", U1)]),
    (op("add", None, {"members": [{"value": "u1"}]}), [add("members", U1)]),
    # entra-group-lifecycle
    (op("Add", "members", [{"$ref": None, "value": "u1"}]), [add("members", U1)]),
    (
        op("Remove", "members", [{"$ref": None, "value": "u1"}]),
        [{"discard": {"field": "members", "value": U1}}],
    ),
    (op("Remove", "members"), [remove("members")]),
    # keycloak: null stands for no value
    (op("remove", "members", None), [remove("members")]),
    # An empty list must not empty the group.
    (op("remove", "members", []), []),
    (op("remove", "members", ""), []),
    (op("remove", "members", {}), []),
    # Salesforce
    (
        op("remove", "members", {"members": [{"value": "u1"}]}),
        [{"discard": {"field": "members", "value": U1}}],
    ),
    # Microsoft's Postman collection: bare texts
    (op("add", "members", ["u1"]), [add("members", U1)]),
    (op("remove", "members", "u1"), [{"discard": {"field": "members", "value": U1}}]),
    # authentik: the whole object, read-only parts included
    (
        op("replace", None, {"schemas": ["x"], "id": "g", "displayName": "G", "members": []}),
        [set_("display_name", {"display_name": "G"}), set_("members")],
    ),
    (
        op("add", "members", [{"value": "u1", "type": "User", "$ref": "Users/u1"}]),
        [add("members", {"members": [{"member_id": "u1", "type": "User"}]})],
    ),
    (op("replace", "externalId", ""), [set_("external_id")]),
]


@pytest.mark.parametrize(("operation", "wanted"), GROUPS)
def test_one_operation_on_a_group(operation: dict[str, Any], wanted: list[dict[str, Any]]):
    """Every dialect becomes the same few changes."""
    changes, remarks = read_group_changes(body(operation))

    assert [GroupChange(**change) for change in wanted] == changes
    assert remarks.unknown == []


def test_operations_stay_in_order():
    """okta-group-push: several operations, applied as they come."""
    changes, _ = read_group_changes(
        body(
            op("replace", None, {"displayName": "A", "externalId": "x"}),
            op("remove", 'members[value eq "u1"]'),
            op("add", "members", [{"value": "u2"}]),
        )
    )

    steps = [
        (change.WhichOneof("step"), getattr(change, change.WhichOneof("step")).field)
        for change in changes
    ]
    assert steps == [
        ("set", "display_name"),
        ("set", "external_id"),
        ("remove", "members"),
        ("add", "members"),
    ]


def test_names_of_members_may_be_in_any_case():
    """Go clients send `operations`; keys beside it are ignored."""
    changes, _ = read_user_changes(
        {"id": "x", "name": "y", "operations": [{"OP": "REPLACE", "Path": "title", "Value": "T"}]}
    )

    assert changes == [UserChange(**set_("title", {"title": "T"}))]


def test_unknown_attributes_are_named():
    """They are left out of the changes, and the policy decides."""
    changes, remarks = read_user_changes(
        body(
            op("replace", "shoeSize", 42),
            op("replace", 'shoes[type eq "x"].size', 42),
            op("replace", "shoeSize", ""),
            op("remove", "hat"),
            op("replace", None, {"shoe": 1, "hat": None, "title": "T", ENTERPRISE: {"boot": 1}}),
            op("add", "emails", [{"value": "a@x", "shoe": 1}]),
            op("replace", MANAGER, {"value": "b1", "managerId": 7}),
        )
    )

    assert len(changes) == 3
    assert remarks.unknown == [
        "shoeSize",
        "shoes.size",
        "hat",
        "shoe",
        f"{ENTERPRISE}:boot",
        "emails.shoe",
        "manager.managerId",
    ]


@pytest.mark.parametrize(
    ("document", "scim_type"),
    [
        ({}, "invalidSyntax"),
        ({"Operations": []}, "invalidSyntax"),
        ({"Operations": {"op": "add"}}, "invalidSyntax"),
        ({"Operations": None}, "invalidSyntax"),
        (body("x"), "invalidSyntax"),
        (body({"path": "title", "value": "x"}), "invalidSyntax"),
        (body(op("frobnicate", "title", "x")), "invalidSyntax"),
        (body({"op": 1, "path": "title"}), "invalidSyntax"),
        (body(op("remove")), "noTarget"),
        (body(op("remove", "")), "noTarget"),
        (body({"op": "add", "path": 1, "value": "x"}), "invalidPath"),
        (body(op("add", "user name", "x")), "invalidPath"),
        (body(op("replace", 'emails[type eq "work"', "x")), "invalidFilter"),
        (body(op("replace", None, "x")), "invalidValue"),
        (body(op("replace", None, [])), "invalidValue"),
        (body({"op": "add"}), "invalidValue"),
        (body(op("replace", "active", "perhaps")), "invalidValue"),
        (body(op("replace", "title", 5)), "invalidValue"),
        (body(op("replace", "title", ["a", "b"])), "invalidValue"),
        (body(op("replace", "name", "Ada")), "invalidValue"),
        (body(op("replace", "emails", 5)), "invalidValue"),
        (body(op("replace", "emails", [5])), "invalidValue"),
        (body(op("replace", ENTERPRISE, "x")), "invalidValue"),
        (body(op("replace", "x509Certificates", [{"value": "?"}])), "invalidValue"),
        (body(op("remove", "emails", 5)), "invalidValue"),
        (body(op("replace", "id", "x")), "mutability"),
        (body(op("remove", "id")), "mutability"),
        (body(op("replace", "groups", [])), "mutability"),
        (body(op("add", "groups", [{"value": "g"}])), "mutability"),
        (body(op("replace", 'groups[value eq "g"].display', "x")), "mutability"),
        (body(op("replace", "meta", {})), "mutability"),
        (body(op("replace", "meta.version", "x")), "mutability"),
        (body(op("remove", "meta.created")), "mutability"),
        (body(op("replace", f"{MANAGER}.displayName", "x")), "mutability"),
    ],
)
def test_what_is_refused(document: dict[str, Any], scim_type: str):
    """RFC 7644 tables 9: which error for which mistake."""
    with pytest.raises(ScimError) as caught:
        read_user_changes(document)

    assert (caught.value.status, caught.value.scim_type) == (400, scim_type)


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        (op("replace", 'members[value eq "u1"].value', "u2"), "mutability"),
        (op("replace", "members.display", "x"), "mutability"),
        (op("add", "members", [{"display": "A"}]), "invalidValue"),
        (op("remove", "members", [{"display": "A"}]), "invalidValue"),
        (op("add", "members", 7), "invalidValue"),
    ],
)
def test_what_is_refused_of_members(operation: dict[str, Any], scim_type: str):
    """A member is its id, and that never changes."""
    with pytest.raises(ScimError) as caught:
        read_group_changes(body(operation))

    assert (caught.value.status, caught.value.scim_type) == (400, scim_type)


def test_too_many_operations():
    """A thousand are enough for one request, also after values were taken apart."""
    thousand = [op("replace", "title", "T")] * 1000
    assert len(read_user_changes(body(*thousand))[0]) == 1000
    two = op("replace", None, {"title": "T", "nickName": "N"})
    for operations in ([*thousand, thousand[0]], [two] * 501):
        with pytest.raises(ScimError) as caught:
            read_user_changes(body(*operations))
        assert caught.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "True", "a@x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "value",
                    "type",
                    "primary",
                    "$ref",
                    "op",
                    "name",
                    "givenName",
                    "emails",
                    "members",
                    'emails[type eq "x"].value',
                    "emails[",
                    ENTERPRISE,
                    MANAGER,
                    WORKPLACE,
                    "id",
                    "teams",
                    "x509Certificates",
                    "active",
                    "roles",
                    "meta.version",
                    "schemas",
                    ".",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove"])},
    optional={
        "path": st.sampled_from(
            [
                "emails",
                "name",
                "members",
                ENTERPRISE,
                MANAGER,
                f"{WORKPLACE}:teams",
                "active",
                'emails[type eq "x"].value',
                'addresses[type eq "x"]',
                "groups",
                "schemas",
                "roles",
            ]
        ),
        "value": JSON,
    },
)


@settings(max_examples=500, deadline=None)
@given(st.lists(OPERATION, min_size=1, max_size=4))
def test_any_patch_is_read_or_refused(operations: list[Any]):
    """No JSON makes the reader fail in another way; every change names a field of the contract."""
    for read in (read_user_changes, read_group_changes):
        changes: list[Any] = []
        refused = None
        try:
            changes, _ = read(body(*operations))
        except ScimError as error:
            refused = error
        for change in changes:
            step = change.WhichOneof("step")
            assert step is not None
            assert getattr(change, step).field
        assert refused is None or (refused.status == 400 and refused.scim_type)
