"""The paths of PATCH operations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.v1.filter_pb2 import Comparison, Filter

from scim_gateway.errors import ScimError
from scim_gateway.paths import read_path
from scim_gateway.remarks import Remarks

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def where(field: str, **operand: object) -> Filter:
    return Filter(equal=Comparison(field=field, **operand))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "resource", "field", "selected"),
    [
        ("userName", USER, "user_name", None),
        ("DISPLAYNAME", GROUP, "display_name", None),
        ("name.familyName", USER, "name.family_name", None),
        ("emails.type", USER, "emails.type", None),
        ('emails[type eq "work"]', USER, "emails", where("type", text="work")),
        ('emails[type eq "work"].value', USER, "emails.value", where("type", text="work")),
        ('roles[primary eq "True"].display', USER, "roles.display", where("primary", flag=True)),
        (f"{CORE}:userName", USER, "user_name", None),
        (f"{CORE}:name.givenName", USER, "name.given_name", None),
        (f'{CORE}:emails[type eq "home"].value', USER, "emails.value", where("type", text="home")),
        (f"{ENTERPRISE}:department", USER, "enterprise.department", None),
        (f"{ENTERPRISE.lower()}:MANAGER.value", USER, "enterprise.manager.user_id", None),
        (ENTERPRISE, USER, "enterprise", None),
        # Entra's documentation misspells the URN, its older samples leave it out.
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department",
            USER,
            "enterprise.department",
            None,
        ),
        (
            "urn:scim:schemas:extension:enterprise:2.0:department",
            USER,
            "enterprise.department",
            None,
        ),
        ("manager", USER, "enterprise.manager", None),
        ("meta.version", USER, "etag", None),
        ('members[value eq "u1"]', GROUP, "members", where("member_id", text="u1")),
        (
            'members[value eq "u1"].display',
            GROUP,
            "members.display_name",
            where("member_id", text="u1"),
        ),
    ],
)
def test_a_path_points_to_a_field(
    text: str, resource: Resource, field: str, selected: Filter | None
):
    """Every form of RFC 7644 figure 7."""
    path = read_path(text, resource, Remarks())

    assert path.attribute is not None
    assert (field, selected) == (path.attribute.path, path.where)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shoeSize", "shoeSize"),
        ("name.shoe", "name.shoe"),
        ('shoes[type eq "x"].value', "shoes.value"),
        ('emails[type eq "work"].shoe', "emails.shoe"),
        ("urn:example:x:2.0:User:y", "urn:example:x:2.0:User:y"),
        (f"{ENTERPRISE}:shoe", f"{ENTERPRISE}:shoe"),
    ],
)
def test_an_unknown_attribute_is_no_error_yet(text: str, name: str):
    """The policy of the workspace decides what unknown names are."""
    path = read_path(text, USER, Remarks())

    assert (None, name, False) == (path.attribute, path.name, path.derived)


@pytest.mark.parametrize("text", ["schemas", "meta", "meta.resourceType", f"{CORE}:meta.location"])
def test_what_the_server_derives_is_told_apart(text: str):
    """`schemas` and `meta` are known to every resource, and to no message."""
    assert read_path(text, USER, Remarks()).derived


@pytest.mark.parametrize(
    ("text", "scim_type"),
    [
        (" ", "invalidPath"),
        ("[x]", "invalidPath"),
        ("1name", "invalidPath"),
        ("user name", "invalidPath"),
        ('"userName"', "invalidPath"),
        ('name[givenName eq "x"]', "invalidPath"),
        ('userName[a eq "x"]', "invalidPath"),
        ('emails[type eq "work"]value', "invalidPath"),
        ('emails[type eq "work"].', "invalidPath"),
        ('emails[type eq "work"].value.x y', "invalidPath"),
        ('emails[type eq "work"][x]', "invalidPath"),
        ('emails[type eq "work"', "invalidFilter"),
        ("emails[type]", "invalidFilter"),
        ("emails[]", "invalidFilter"),
        ('emails[shoe eq "x"]', "invalidFilter"),
        ('groups[$ref eq "x"]', "invalidFilter"),
        ("x." + "y" * 9000, "invalidPath"),
        ("user\x00name", "invalidPath"),
        ("emails[" + "(" * 100 + "a pr" + ")" * 100 + "]", "invalidFilter"),
    ],
)
def test_nonsense_is_refused(text: str, scim_type: str):
    """A path is read as a whole or refused."""
    with pytest.raises(ScimError) as caught:
        read_path(text, USER, Remarks())

    assert (caught.value.status, caught.value.scim_type) == (400, scim_type)


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from(list('emailsvuty.[]()" $:eqwork1\x00\ud800')), max_size=40))
def test_any_text_is_read_or_refused(text: str):
    """No text makes the parser fail in another way."""
    refused = None
    try:
        read_path(text, USER, Remarks())
    except ScimError as error:
        refused = error

    assert refused is None or refused.scim_type in ("invalidPath", "invalidFilter")
