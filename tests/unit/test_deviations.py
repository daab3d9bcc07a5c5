"""What deviates from the RFCs is understood, and told to the core."""

from typing import Any

import pytest
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.v1.deviation_pb2 import DeviationKind

from scim_gateway.conditions import read_filter
from scim_gateway.documents import read_group, read_user
from scim_gateway.patch import read_group_changes, read_user_changes
from scim_gateway.remarks import Remarks

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"
OWN = "urn:example:hr:2.0:User"


def kind_of(remarks: Remarks) -> str:
    """Return the kind of what deviates without its prefix; empty if nothing does."""
    if remarks.deviation is None:
        return ""
    assert remarks.deviation.message.count(". ") == 1, "what is wrong, and what to do"
    return DeviationKind.Name(remarks.deviation.kind).removeprefix("DEVIATION_KIND_")


def op(kind: str, path: str | None = None, **value: Any) -> dict[str, Any]:
    return {"op": kind} | ({} if path is None else {"path": path}) | value


USERS = [
    # To the letter: RFC 7644 section 3.5.2 and its examples.
    (op("add", value={"emails": [{"value": "babs@x", "type": "home"}], "nickName": "Babs"}), ""),
    (op("add", "emails", value=[{"value": "babs@x"}]), ""),
    (op("add", "emails", value={"value": "babs@x"}), ""),
    (op("remove", 'emails[type eq "work" and value ew "example.com"]'), ""),
    (op("remove", "nickName"), ""),
    (
        op("replace", 'addresses[type eq "work"]', value={"locality": "Ulm", "type": "work"}),
        "",
    ),
    (op("replace", 'addresses[type eq "work"].streetAddress', value="1010 Broadway"), ""),
    (op("replace", "addresses", value=[{"locality": "Ulm"}]), ""),
    (op("replace", "name", value={"givenName": "G"}), ""),
    (op("replace", "TITLE", value=None), ""),
    (op("replace", "active", value=False), ""),
    (op("add", f"{ENTERPRISE}:department", value="D"), ""),
    (op("add", f"{ENTERPRISE}:manager", value={"value": "b1"}), ""),
    (op("add", "urn:ietf:params:scim:schemas:core:2.0:User:title", value="T"), ""),
    (op("add", value={ENTERPRISE: {"department": "D", "schemas": [ENTERPRISE]}}), ""),
    (op("add", value={"schemas": [ENTERPRISE], OWN: {"badge": "x"}}), ""),
    (op("replace", "roles[primary eq true].display", value="R"), ""),
    # And what identity providers send.
    (op("Replace", "title", value="T"), "FORM"),
    (op("replace", "title"), "FORM"),
    (op("remove", "emails", value=[{"value": "a@x"}]), "FORM"),
    (op("remove", f"{OWN}:badge", value=["x"]), "FORM"),
    (op("replace", "active", value="False"), "VALUE"),
    (op("replace", "title", value=["T"]), "VALUE"),
    (op("replace", "emails", value={"value": "a@x"}), "VALUE"),
    (op("replace", "emails", value=["a@x"]), "VALUE"),
    (op("add", f"{ENTERPRISE}:manager", value="b1"), "VALUE"),
    (op("add", f"{ENTERPRISE}:manager", value=[{"value": "b1"}]), "VALUE"),
    (op("replace", "name", value=[{"givenName": "G"}]), "VALUE"),
    (op("add", "roles", value=[{"value": '{"value": "R"}'}]), "VALUE"),
    (op("add", f"{WORKPLACE}:teams", value=["A", "B"]), "VALUE"),
    (op("add", "manager", value={"value": "b1"}), "NAME"),
    (op("add", ENTERPRISE.replace(":User", "User") + ":department", value="D"), "NAME"),
    (op("replace", value={"name.givenName": "G"}), "NAME"),
    (op("replace", value={f"{ENTERPRISE}:department": "D"}), "NAME"),
    (op("replace", value={f"{OWN}:badge": "x"}), "NAME"),
    (op("replace", value={'emails[type eq "work"].value': "a@x"}), "NAME"),
    (op("replace", value={ENTERPRISE: {"manager.value": "b1"}}), "NAME"),
    (op("replace", 'roles[primary eq "True"].display', value="R"), "FILTER"),
    (op("replace", "emails[type eq work].value", value="a@x"), "FILTER"),
    (op("replace", value={"id": "u1", "title": "T"}), "READ_ONLY"),
    (op("replace", value={"meta": {}, "title": "T"}), "READ_ONLY"),
]


@pytest.mark.parametrize(("operation", "kind"), USERS)
def test_a_change_of_a_user(operation: dict[str, Any], kind: str):
    """RFC 7644 section 3.5.2."""
    _, remarks = read_user_changes({"Operations": [operation]})

    assert kind == kind_of(remarks)
    assert remarks.unknown == []


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (op("add", "members", value=[{"display": "B", "$ref": "https://x/1", "value": "u1"}]), ""),
        (op("remove", 'members[value eq "u1"]'), ""),
        (op("remove", "members"), ""),
        (op("replace", "members", value=[]), ""),
        (op("remove", "members", value=[{"value": "u1"}]), "FORM"),
        (op("remove", "members", value=[]), "FORM"),
        (op("replace", value={"id": "g1", "displayName": "Crew"}), "READ_ONLY"),
        (op("add", "members", value=["u1"]), "VALUE"),
    ],
)
def test_a_change_of_a_group(operation: dict[str, Any], kind: str):
    """RFC 7644 section 3.5.2."""
    _, remarks = read_group_changes({"Operations": [operation]})

    assert kind == kind_of(remarks)


def test_the_first_is_told():
    """One is enough to refuse, and a thousand operations may all have one."""
    operations = [op("replace", "active", value="True"), op("Replace", "title", value="T")]
    _, remarks = read_user_changes({"operations": operations})

    assert kind_of(remarks) == "VALUE"


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (
            {
                "id": "u1",
                "USERNAME": "ada",
                "active": True,
                "name": {"givenName": "Ada"},
                "emails": [{"value": "a@x", "primary": True}],
                "nickName": None,
                "photos": [],
                "meta": {"resourceType": "User"},
                ENTERPRISE.upper(): {"manager": {"value": "b1"}},
                WORKPLACE: {"teams": "A, B"},
                OWN: {"badge": "x"},
            },
            "",
        ),
        ({"active": "true"}, "VALUE"),
        ({"title": ["T"]}, "VALUE"),
        ({"emails": {"value": "a@x"}}, "VALUE"),
        ({"emails": [{"value": "a@x", "primary": "True"}]}, "VALUE"),
        ({"name.givenName": "Ada"}, "NAME"),
        ({f"{ENTERPRISE}:department": "D"}, "NAME"),
        ({ENTERPRISE.replace(":User", "User"): {"department": "D"}}, "NAME"),
    ],
)
def test_a_user(document: dict[str, Any], kind: str):
    """RFC 7643 sections 2 and 3."""
    _, read = read_user(document)

    assert kind == kind_of(read.remarks)


def test_a_group():
    """RFC 7643 section 4.2."""
    assert kind_of(read_group({"members": [{"value": "u1"}]})[1].remarks) == ""
    assert kind_of(read_group({"members": ["u1"]})[1].remarks) == "VALUE"


@pytest.mark.parametrize(
    ("text", "resource", "kind"),
    [
        ('USERNAME Eq "ada" AND not (active eq true)', USER, ""),
        ('emails[type eq "work" and value co "@x"]', USER, ""),
        (f'{ENTERPRISE}:manager eq "b1" or {ENTERPRISE.lower()}:department pr', USER, ""),
        ('meta.lastModified gt "2011-05-13T04:42:34Z"', USER, ""),
        ('members.value eq "u1"', GROUP, ""),
        ("userName eq ada", USER, "FILTER"),
        ('emails[type eq "work"].value eq "a@x"', USER, "FILTER"),
        ('active eq "True"', USER, "FILTER"),
        ('department eq "D"', USER, "FILTER"),
    ],
)
def test_a_filter(text: str, resource: Resource, kind: str):
    """RFC 7644 section 3.4.2.2."""
    remarks = Remarks()
    read_filter(text, resource, "https://scim.example.com", remarks)

    assert kind == kind_of(remarks)
