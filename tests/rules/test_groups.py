"""Groups of their own, groups that are roles, and how many there may be."""

import pytest

from core_service.rules import groups, limits
from core_service.rules.groups import Nested


@pytest.mark.rule("R-177", "D-26")
@pytest.mark.parametrize(("nested", "kept"), [(Nested.SKIP, False), (Nested.STORE, True)])
def test_a_group_in_a_group_is_left_out_or_kept(nested, kept):
    """The workspace decides; nothing fails."""
    assert kept == groups.keeps_nested(nested, "g1", "g2")


@pytest.mark.rule("D-26")
@pytest.mark.parametrize(
    ("nested", "member_id"), [(Nested.REFUSE, "g2"), (Nested.REFUSE, "g1"), (Nested.STORE, "g1")]
)
def test_a_group_in_a_group_can_be_refused(refused, nested, member_id):
    """Where the workspace says so, and always in itself."""
    with refused("FIELD_INVALID", field="members.member_id", value=member_id):
        groups.keeps_nested(nested, "g1", member_id)


@pytest.mark.rule("R-176", "D-27")
def test_group_names_compare_without_case_and_blanks_around():
    """`Sales`, ` sales ` and `SALES` are one name."""
    assert groups.key("Sales") == groups.key(" sales ") == groups.key("SALES")
    assert groups.key("Sales") != groups.key("Sale s")


@pytest.mark.rule("R-176", "D-27")
def test_a_taken_group_name_is_named():
    """The error says which name and which field."""
    error = groups.name_taken("Sales")

    assert error.reason == "VALUE_TAKEN"
    assert error.metadata == {"field": "display_name", "value": "Sales"}


@pytest.mark.rule("R-085", "R-143", "D-24")
@pytest.mark.parametrize("operation", ["create", "rename", "delete"])
def test_the_catalogue_of_roles_is_not_written(refused, operation):
    """Where groups are roles, the product makes them, and the message says where."""
    with refused("ROLE_CATALOGUE", operation=operation):
        groups.guard_catalogue(True, operation)


@pytest.mark.rule("D-24")
def test_groups_of_their_own_are_written():
    """Where groups are groups, provisioning makes them."""
    assert groups.guard_catalogue(False, "create") is None


@pytest.mark.rule("R-176")
def test_verify_finds_groups_of_one_name():
    """Unless names need not be unique."""
    names = [("g1", "Sales"), ("g2", "sales"), ("g3", "Support")]

    assert len(groups.verify(names, unique=True)) == 1
    assert groups.verify(names, unique=False) == []
    assert groups.verify(names[1:], unique=True) == []


def test_verify_finds_memberships_that_lead_nowhere():
    """Members are users or groups, and groups are there."""
    members = [("g1", "u1"), ("g1", "g2")]

    assert groups.verify_members(members, ["g1", "g2"], ["u1"]) == []
    assert len(groups.verify_members([("g1", "u9")], ["g1"], ["u1"])) == 1
    assert len(groups.verify_members([("g9", "u1")], ["g1"], ["u1"])) == 1
    assert len(groups.verify_members([("g1", "g1")], ["g1"], [])) == 1


@pytest.mark.rule("R-174", "R-175", "D-28")
@pytest.mark.parametrize(("what", "limit"), [("users", 100_000), ("groups", 10_000)])
def test_one_more_than_the_limit_is_refused(refused, what, limit):
    """The last one fits, the next does not."""
    assert limits.guard(what, limit - 1, limit) is None
    with refused("LIMIT_REACHED", limit=limit, what=what):
        limits.guard(what, limit, limit)


@pytest.mark.rule("D-28")
def test_many_are_counted_together(refused):
    """Adding several asks for room for all."""
    assert limits.guard("users", 7, 10, adding=3) is None
    with refused("LIMIT_REACHED", limit=10, what="users"):
        limits.guard("users", 8, 10, adding=3)


@pytest.mark.rule("D-28")
@pytest.mark.parametrize("count", [0, 10_000_000])
def test_no_limit_is_no_limit(count):
    """0 means as many as come."""
    assert limits.guard("users", count, 0) is None
