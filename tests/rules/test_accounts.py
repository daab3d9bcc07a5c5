"""What one workspace may change of an account, and what becomes of a password."""

import pytest

from core_service.rules import accounts, passwords
from core_service.rules.accounts import EmailChange
from core_service.rules.passwords import Outcome

OLD, NEW = "ada@example.com", "ada.king@example.com"


def change(after: str, *, workspaces: int = 1, allows: bool = True, linked: bool = True):
    return accounts.email_change(OLD, after, workspaces, allows, linked, "u1")


@pytest.mark.rule("R-159", "R-160", "D-04")
def test_an_account_of_one_workspace_can_get_another_address():
    """Provisioning may change the address people sign in with."""
    assert change(NEW) is EmailChange.CHANGE


@pytest.mark.rule("R-161", "D-04", "D-05")
def test_a_shared_account_keeps_its_address(refused):
    """No workspace changes what others see; the person does."""
    with refused("ACCOUNT_SHARED", user_id="u1", field="user_name"):
        change(NEW, workspaces=2)


@pytest.mark.rule("R-164", "D-04")
@pytest.mark.parametrize("workspaces", [1, 2])
def test_a_workspace_can_leave_addresses_alone(workspaces):
    """Where the policy says so, a new address is ignored and nothing fails."""
    assert change(NEW, workspaces=workspaces, allows=False) is EmailChange.KEEP


@pytest.mark.rule("R-035")
@pytest.mark.parametrize("workspaces", [1, 2])
def test_the_first_contact_changes_no_address(workspaces):
    """An integration that meets a user for the first time cannot take over the login."""
    assert change(NEW, workspaces=workspaces, linked=False) is EmailChange.KEEP


@pytest.mark.rule("D-04")
@pytest.mark.parametrize("workspaces", [1, 2])
@pytest.mark.parametrize("allows", [True, False])
@pytest.mark.parametrize("linked", [True, False])
def test_the_same_address_is_never_a_change(workspaces, allows, linked):
    """Okta sends the user name in every PUT; a spelling is the person's own."""
    same = change(OLD, workspaces=workspaces, allows=allows, linked=linked)
    respelled = change("Ada@Example.com", workspaces=workspaces, allows=allows, linked=linked)

    assert same is EmailChange.SAME
    assert respelled is EmailChange.RESPELL


@pytest.mark.rule("R-108", "R-109", "R-163", "D-05")
@pytest.mark.parametrize(
    ("workspaces", "shared", "takes_names", "needed"),
    [(0, False, True, False), (1, False, True, True), (2, True, False, True)],
)
def test_an_account_is_a_workspaces_own_while_no_other_has_it(
    workspaces, shared, takes_names, needed
):
    """Names reach the account of one workspace only; without a user the account goes."""
    assert shared == accounts.is_shared(workspaces)
    assert takes_names == accounts.takes_names(workspaces)
    assert needed == accounts.is_needed(workspaces)


@pytest.mark.rule("R-163")
@pytest.mark.parametrize(
    ("account_ids", "account_of", "wrong"),
    [
        (["a1"], {("w1", "u1"): "a1", ("w2", "u2"): "a1"}, 0),
        (["a1", "a2"], {("w1", "u1"): "a1"}, 1),  # nobody's account
        (["a1"], {("w1", "u1"): "a1", ("w1", "u2"): "a9"}, 1),  # no such account
        (["a1"], {("w1", "u1"): "a1", ("w1", "u2"): "a1"}, 1),  # twice in one workspace
    ],
)
def test_verify_finds_accounts_and_users_that_do_not_fit(account_ids, account_of, wrong):
    """An account has at most one user in a workspace, and exists while it has any."""
    assert wrong == len(accounts.verify(account_ids, account_of))


@pytest.mark.rule("R-030", "D-05", "D-31")
@pytest.mark.parametrize(
    ("password", "accepted", "workspaces", "linked", "expected"),
    [
        ("", True, 1, True, Outcome.NONE),
        ("", False, 3, False, Outcome.NONE),
        ("s3cret", True, 1, True, Outcome.STORE),
        ("s3cret", False, 1, True, Outcome.IGNORE),  # the policy keeps none
        ("s3cret", True, 2, True, Outcome.IGNORE),  # the account is shared
        ("1mz050nq", True, 1, False, Outcome.IGNORE),  # Okta's placeholder, on first contact
    ],
)
def test_a_password_is_stored_or_dropped_and_never_fails(
    password, accepted, workspaces, linked, expected
):
    """A password reaches an account only where it cannot lock its person out."""
    outcome = passwords.outcome(password, accepted=accepted, workspaces=workspaces, linked=linked)

    assert outcome is expected
