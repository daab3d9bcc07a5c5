"""Every user has exactly one role of the workspace."""

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import guests, roles
from core_service.rules.roles import Grant, RoleFacts

ADMIN = RoleFacts("r1", "Admin", "admin", 1)
LEAD = RoleFacts("r2", "Project lead", "regular", 2)
MEMBER = RoleFacts("r3", "Member", "regular", 3)
READER = RoleFacts("r4", "Reader", "regular", 3)
VISITOR = RoleFacts("r5", "Visitor", "guest", 4)
ROLES = [ADMIN, LEAD, MEMBER, READER, VISITOR]


@pytest.mark.rule("R-152")
@pytest.mark.parametrize(
    ("known", "named_id", "expected"),
    [
        (ROLES, "", MEMBER),  # of two that may least, the one created first
        (ROLES, "r2", LEAD),
        (ROLES, "r4", READER),
        (ROLES, "r5", MEMBER),  # a guest role is never the default
        (ROLES, "gone", MEMBER),
        ([VISITOR, ADMIN], "", ADMIN),
        (ROLES[::-1], "", READER),
    ],
)
def test_the_default_role_may_least_and_is_no_guest(known, named_id, expected):
    """Users created without a role get the one the workspace names, else the least privileged."""
    assert expected == roles.default_role(known, named_id)


@pytest.mark.rule("R-152")
def test_a_workspace_of_guest_roles_has_no_default(refused):
    """Without a role that is not for guests, nobody can be created."""
    with refused("ROLE_NOT_FOUND", id=""):
        roles.default_role([VISITOR], "")


@pytest.mark.rule("R-122", "R-125", "D-12")
@pytest.mark.parametrize(
    ("name", "expected"), [("Member", MEMBER), (" Project lead\t", LEAD), ("Admin", ADMIN)]
)
def test_a_role_is_found_by_its_exact_name(name, expected):
    """Blanks around a name do not matter."""
    assert expected == roles.find(name, ROLES, by_provisioning=True)


@pytest.mark.rule("R-125", "D-12")
def test_names_compare_in_nfc():
    """Decomposed letters are the same name."""
    cafe = RoleFacts("r9", "Caf\u00e9", "regular", 2)

    assert cafe == roles.find("Cafe\u0301", [cafe], by_provisioning=True)


@pytest.mark.rule("R-125", "D-12")
@pytest.mark.parametrize(
    ("name", "near"),
    [("member", "Member"), ("Projekt lead", "Project lead"), ("MEMBER", "Member")],
)
def test_an_unknown_role_is_refused_with_the_nearest(refused, name, near):
    """Another letter case is another name; the message says which was probably meant."""
    with refused("NAME_UNKNOWN", field="workplace.user_role", value=name, near=near):
        roles.find(name, ROLES, by_provisioning=True)


@pytest.mark.rule("D-12")
def test_a_name_like_none_has_no_nearest(refused):
    """No suggestion is better than a wrong one."""
    with refused("NAME_UNKNOWN", field="workplace.user_role", value="xyz"):
        roles.find("xyz", ROLES, by_provisioning=True)


@pytest.mark.rule("R-158", "D-15")
@pytest.mark.parametrize("name", ["Visitor", "visitor", "Visitors"])
def test_provisioning_does_not_learn_of_guest_roles(refused, name):
    """To provisioning the guest role does not exist, not even as a suggestion."""
    with refused("NAME_UNKNOWN", field="workplace.user_role", value=name):
        roles.find(name, ROLES, by_provisioning=True)


@pytest.mark.rule("R-158")
def test_the_product_finds_guest_roles():
    """Other callers may make someone a guest."""
    assert roles.find("Visitor", ROLES, by_provisioning=False) == VISITOR


@pytest.mark.rule("R-145", "D-10")
@pytest.mark.parametrize(
    ("grants", "role", "indexes"),
    [
        ([], None, []),
        ([Grant("Member", False)], MEMBER, [0]),
        ([Grant("r2", False)], LEAD, [0]),  # SingleAppRoleAssignment with the id as value
        ([Grant("ROLEVAL", True)], None, []),  # the validator's value names no role
        ([Grant("ROLEVAL", True), Grant("Member", False)], MEMBER, [1]),
        ([Grant("Member", False), Grant("r3", False)], MEMBER, [0, 1]),  # one wish, said twice
        ([Grant("Member", False), Grant("Admin", True)], ADMIN, [0, 1]),
        ([Grant("Admin", True), Grant("r1", True)], ADMIN, [0, 1]),
        ([Grant("", False)], None, []),
        ([Grant("member", False)], None, []),  # names compare exactly
    ],
)
def test_grants_give_the_role_they_name(grants, role, indexes):
    """Elements that name a role give it; others are values and give nothing."""
    reading = roles.from_grants(grants, ROLES, by_provisioning=True)

    assert (role, indexes) == (reading.role, reading.role_indexes)


@pytest.mark.rule("R-144", "R-145", "D-10")
@pytest.mark.parametrize("primaries", [(False, False), (True, True)])
def test_two_roles_without_exactly_one_primary_are_refused(refused, primaries):
    """The directory does not guess which of two roles was meant."""
    grants = [Grant("Member", primaries[0]), Grant("Admin", primaries[1])]

    with refused("SECOND_ROLE", roles="Member, Admin"):
        roles.from_grants(grants, ROLES, by_provisioning=True)


@pytest.mark.rule("R-145", "D-10")
def test_a_primary_foreign_value_does_not_choose_between_roles(refused):
    """Only a primary among the values that name roles counts."""
    grants = [Grant("ROLEVAL", True), Grant("Member", False), Grant("Admin", False)]

    with refused("SECOND_ROLE", roles="Member, Admin"):
        roles.from_grants(grants, ROLES, by_provisioning=True)


@pytest.mark.rule("R-157", "D-15")
@pytest.mark.parametrize("value", ["Visitor", "r5", " Visitor "])
def test_a_grant_of_the_guest_role_is_an_unknown_name(refused, value):
    """Provisioning can give the guest role neither by name nor by id."""
    with refused("NAME_UNKNOWN", field="roles.value", value=value):
        roles.from_grants([Grant(value, False)], ROLES, by_provisioning=True)


@pytest.mark.rule("R-157")
def test_the_product_can_grant_the_guest_role():
    """The restriction is for provisioning."""
    reading = roles.from_grants([Grant("Visitor", False)], ROLES, by_provisioning=False)

    assert reading.role == VISITOR


@pytest.mark.rule("R-149")
def test_a_name_wins_over_an_id():
    """A role that is called like another's id is found by its name."""
    odd = RoleFacts("r9", "r1", "regular", 2)

    assert roles.named("r1", [ADMIN, odd]) == odd
    assert roles.names_role("r1", [ADMIN])
    assert not roles.names_role("R1", [ADMIN])


@pytest.mark.rule("R-128", "D-09")
def test_both_orders_of_moving_end_in_the_new_role():
    """Joining B and leaving A ends in B, whichever comes first."""
    joined_first = roles.role_after_leaving_group(current=LEAD, left=READER, default=MEMBER)
    after_leaving = roles.role_after_leaving_group(current=READER, left=READER, default=MEMBER)

    assert joined_first == LEAD
    assert after_leaving == MEMBER  # and then joins LEAD


@pytest.mark.rule("R-151", "D-09")
def test_the_refusal_to_remove_a_role_says_what_to_do():
    """The text names the way out: a default value in the mapping."""
    error = roles.not_removable("u1")

    assert (error.reason, error.metadata) == ("ROLE_NOT_REMOVABLE", {"user_id": "u1"})
    assert "default value" in error.message


@pytest.mark.rule("R-144")
def test_a_workable_catalogue_passes():
    """Admins and at least one role that is neither for them nor for guests."""
    assert roles.guard_catalogue([ADMIN, MEMBER]) is None


@pytest.mark.rule("R-144", "R-152")
@pytest.mark.parametrize(
    ("catalogue", "field"),
    [
        ([ADMIN, VISITOR], "roles.kind"),
        ([MEMBER, VISITOR], "roles.kind"),
        ([ADMIN, MEMBER, RoleFacts("r9", " Member ", "regular", 1)], "roles.name"),
        ([ADMIN, MEMBER, RoleFacts("r9", "  ", "regular", 1)], "roles.name"),
        ([ADMIN, MEMBER, RoleFacts("r9", "x" * 257, "regular", 1)], "roles.name"),
        ([ADMIN, MEMBER, RoleFacts("r9", "Zero", "regular", 0)], "roles.rank"),
    ],
)
def test_an_unworkable_catalogue_is_refused(catalogue, field):
    """Names are unique and sized, ranks count from 1, admins and others have a role."""
    with pytest.raises(DirectoryError) as caught:
        roles.guard_catalogue(catalogue)

    assert (caught.value.reason, caught.value.metadata["field"]) == ("FIELD_INVALID", field)


@pytest.mark.rule("R-144")
def test_verify_finds_users_without_a_role_of_the_workspace():
    """Verify names a user whose role is not there."""
    assert roles.verify("acme", ["r1"], {"u1": "r1"}) == []
    assert len(roles.verify("acme", ["r1"], {"u1": "r1", "u2": "r7", "u3": ""})) == 2


@pytest.mark.rule("R-152", "R-155", "D-15")
@pytest.mark.parametrize(
    ("asked", "by_provisioning", "expected"),
    [
        (None, True, (MEMBER, False)),
        ("  ", True, (MEMBER, False)),
        ("Project lead", True, (LEAD, False)),
        ("Visitor", True, (MEMBER, True)),
        (" Visitor ", True, (MEMBER, True)),
        ("r5", True, (MEMBER, True)),
        ("Visitor", False, (VISITOR, False)),
    ],
)
def test_nobody_is_created_as_a_guest_by_provisioning(asked, by_provisioning, expected):
    """Who is asked for as a guest gets the default role, and the caller is told."""
    first = guests.role_for_create(asked, ROLES, MEMBER, by_provisioning)

    assert expected == (first.role, first.guest_ignored)


@pytest.mark.rule("D-12")
def test_an_unknown_first_role_is_refused(refused):
    """A new user with a role that does not exist is not created with another."""
    with refused("NAME_UNKNOWN", field="workplace.user_role", value="Owner"):
        guests.role_for_create("Owner", ROLES, MEMBER, by_provisioning=True)


@pytest.mark.rule("R-155", "R-157", "R-158", "D-15")
@pytest.mark.parametrize("before", [None, MEMBER, ADMIN])
def test_provisioning_makes_nobody_a_guest(refused, before):
    """No door leads to the guest role."""
    with refused("GUEST_RESTRICTED", user_id="u1"):
        guests.guard(before, VISITOR, by_provisioning=True, user_id="u1")


@pytest.mark.rule("R-156", "D-15")
@pytest.mark.parametrize(
    ("before", "after", "by_provisioning"),
    [
        (VISITOR, VISITOR, True),  # a guest who is synced stays one
        (VISITOR, MEMBER, True),  # a promotion
        (MEMBER, LEAD, True),
        (MEMBER, VISITOR, False),  # the product
        (None, VISITOR, False),
    ],
)
def test_guests_can_be_synced_and_promoted(before, after, by_provisioning):
    """Only becoming a guest is refused, and only to provisioning."""
    assert guests.guard(before, after, by_provisioning) is None


@pytest.mark.rule("D-15")
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (VISITOR, MEMBER, True),
        (VISITOR, VISITOR, False),
        (MEMBER, LEAD, False),
        (None, LEAD, False),
    ],
)
def test_a_promotion_is_a_guest_who_is_one_no_more(before, after, expected):
    """Only a guest can be promoted."""
    assert expected == guests.promoted(before, after)
