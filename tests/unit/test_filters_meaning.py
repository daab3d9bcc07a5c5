"""SCIM filters against the attribute table: which filter of the contract they become."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.v1.filter_pb2 import Filter

from scim_gateway.conditions import read_filter
from scim_gateway.errors import ScimError
from scim_gateway.remarks import Remarks

BASE = "https://scim.example.com/scim/v2"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"
ALWAYS = {"all_of": {}}
NEVER = {"any_of": {}}


def element(field: str, **where: Any) -> dict[str, Any]:
    return {"element": {"field": field, "where": where}}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('userName eq "A@x"', {"equal": {"field": "user_name", "text": "A@x"}}),
        ('USERNAME ne "A@x"', {"not_equal": {"field": "user_name", "text": "A@x"}}),
        (f'{CORE}:userName sw "a"', {"starts_with": {"field": "user_name", "text": "a"}}),
        (
            f'{CORE.upper()}:name.GIVENNAME ew "a"',
            {"ends_with": {"field": "name.given_name", "text": "a"}},
        ),
        ('timezone eq "Europe/Berlin"', {"equal": {"field": "time_zone", "text": "Europe/Berlin"}}),
        ("active eq true", {"equal": {"field": "active", "flag": True}}),
        ('active eq "False"', {"equal": {"field": "active", "flag": False}}),
        ("externalId eq 12", {"equal": {"field": "external_id", "text": "12"}}),
        ("externalId eq true", {"equal": {"field": "external_id", "text": "true"}}),
        ("title pr", {"present": {"field": "title"}}),
        ("title eq null", {"negate": {"present": {"field": "title"}}}),
        ("title ne null", {"present": {"field": "title"}}),
        ('emails co "x"', element("emails", contains={"field": "value", "text": "x"})),
        ('emails.type ne "x"', element("emails", not_equal={"field": "type", "text": "x"})),
        ("emails pr", {"present": {"field": "emails"}}),
        ("emails eq null", {"negate": {"present": {"field": "emails"}}}),
        ("emails.primary eq True", element("emails", equal={"field": "primary", "flag": True})),
        ('roles[primary eq "True"]', element("roles", equal={"field": "primary", "flag": True})),
        ("groups.value pr", element("groups", present={"field": "group_id"})),
        ('groups eq "g"', element("groups", equal={"field": "group_id", "text": "g"})),
        (
            'addresses[type eq "work" and not (locality pr)]',
            element(
                "addresses",
                all_of={
                    "filters": [
                        {"equal": {"field": "type", "text": "work"}},
                        {"negate": {"present": {"field": "locality"}}},
                    ]
                },
            ),
        ),
        (
            f'{ENTERPRISE}:department eq "D"',
            {"equal": {"field": "enterprise.department", "text": "D"}},
        ),
        (
            f'{ENTERPRISE}:manager eq "m"',
            {"equal": {"field": "enterprise.manager.user_id", "text": "m"}},
        ),
        (
            f'{ENTERPRISE}:manager.value eq "m"',
            {"equal": {"field": "enterprise.manager.user_id", "text": "m"}},
        ),
        ('manager eq "m"', {"equal": {"field": "enterprise.manager.user_id", "text": "m"}}),
        (
            f'{WORKPLACE}:teams eq "T"',
            element("workplace.teams", equal={"field": "value", "text": "T"}),
        ),
        (f"{WORKPLACE}:teams pr", {"present": {"field": "workplace.teams"}}),
        (
            'meta.created gt "2026-01-31T10:30:00.5+01:00"',
            {
                "greater_than": {
                    "field": "create_time",
                    "time": Timestamp(seconds=1_769_851_800, nanos=500_000_000),
                }
            },
        ),
        (
            'meta.lastModified le "2026-01-31T09:30:00"',
            {"at_most": {"field": "update_time", "time": Timestamp(seconds=1_769_851_800)}},
        ),
        ('meta.version eq "W/\\"7\\""', {"equal": {"field": "etag", "text": 'W/"7"'}}),
        ('meta.resourceType eq "User"', ALWAYS),
        ('meta.resourceType eq "Group"', NEVER),
        ('meta.resourceType ne "User"', {"negate": ALWAYS}),
        (f'meta.location eq "{BASE}/Users/u1"', {"equal": {"field": "id", "text": "u1"}}),
        (f'meta.location eq "{BASE}/Groups/u1"', NEVER),
        ("meta pr", ALWAYS),
        (f'schemas eq "{CORE}"', ALWAYS),
        ('schemas eq "urn:example:hr"', {"custom": {"urn": "urn:example:hr"}}),
        ('schemas eq "nonsense"', NEVER),
        (
            f'schemas eq "{WORKPLACE}"',
            {
                "any_of": {
                    "filters": [
                        {"present": {"field": "workplace.teams"}},
                        {"present": {"field": "workplace.absence_region"}},
                        {"present": {"field": "workplace.user_role"}},
                    ]
                }
            },
        ),
        (
            "manager pr or id pr",
            {
                "any_of": {
                    "filters": [
                        {
                            "any_of": {
                                "filters": [
                                    {"present": {"field": "enterprise.manager.user_id"}},
                                    {"present": {"field": "enterprise.manager.display_name"}},
                                ]
                            }
                        },
                        {"present": {"field": "id"}},
                    ]
                }
            },
        ),
    ],
)
def test_users(text: str, wanted: dict[str, Any]):
    """Names become paths, values get the type of the attribute."""
    assert Filter(**wanted) == read_filter(text, USER, BASE, Remarks())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('displayName eq "Crew"', {"equal": {"field": "display_name", "text": "Crew"}}),
        ('members eq "u1"', element("members", equal={"field": "member_id", "text": "u1"})),
        ('members[value eq "u1"]', element("members", equal={"field": "member_id", "text": "u1"})),
        ('members.type eq "User"', element("members", equal={"field": "type", "text": "User"})),
    ],
)
def test_groups(text: str, wanted: dict[str, Any]):
    """Groups have their own attributes (entra-group-lifecycle)."""
    assert Filter(**wanted) == read_filter(text, GROUP, BASE, Remarks())


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ('shoeSize eq "42"', USER),
        ('userName eq "x"', GROUP),
        ('password eq "secret"', USER),
        ("password pr", USER),
        ('manager.$ref eq "x"', USER),
        ('members.$ref eq "x"', GROUP),
        ('members[$ref eq "x"]', GROUP),
        ('emails[shoe eq "x"]', USER),
        ('emails[type[a eq "b"]]', USER),
        ('name eq "x"', USER),
        ('addresses eq "x"', USER),
        ('name[givenName eq "x"]', USER),
        ("active gt true", USER),
        ('active eq "perhaps"', USER),
        ("active co true", USER),
        ("title gt null", USER),
        ('meta.created gt "yesterday"', USER),
        ("meta.created gt 5", USER),
        ('meta.created co "2026"', USER),
        ('meta.created gt "0001-01-01T00:00:00+23:00"', USER),
        ('meta eq "x"', USER),
        ('schemas co "x"', USER),
        (f'{ENTERPRISE} eq "x"', USER),
        (f"{ENTERPRISE} pr", USER),
        ('urn:example:none:User:x[type eq "y"]', USER),
        ('urn:example:none:User:x eq "y"', GROUP),
    ],
)
def test_what_cannot_be_asked(text: str, resource: Resource):
    """Unknown, hidden and unsuitable attributes are invalidFilter, and so are wrong types."""
    with pytest.raises(ScimError) as caught:
        read_filter(text, resource, BASE, Remarks())

    assert (caught.value.status, caught.value.scim_type) == (400, "invalidFilter")
