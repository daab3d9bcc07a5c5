"""Nobody manages themselves, directly or around a corner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from userdirectory.errors import DirectoryError

from core_service.rules import managers


@pytest.mark.rule("R-138", "D-30")
@pytest.mark.parametrize(
    ("manager_id", "chain"),
    [
        ("u1", []),
        ("u2", ["u1"]),
        ("u2", ["u2", "u3", "u1"]),  # the chain may begin with the manager
        ("u2", ["u3", "u1", "u4"]),
    ],
)
def test_a_circle_is_refused(refused, manager_id, chain):
    """A manager is neither the user nor anyone the user manages."""
    with refused("FIELD_INVALID", field="enterprise.manager.user_id", value=manager_id):
        managers.guard("u1", manager_id, chain)


@pytest.mark.rule("R-104", "R-138", "D-30")
@pytest.mark.parametrize(
    ("user_id", "manager_id", "chain"),
    [
        ("u1", "u2", []),
        ("u1", "u2", ["u2", "u3"]),
        ("u1", "LKJHGFDSAMNB", []),  # entra-validator-users: any text is a pending reference
        ("", "u2", ["u3"]),  # a user to be created
    ],
)
def test_anyone_else_can_be_manager(user_id, manager_id, chain):
    """Also someone who does not exist yet."""
    assert managers.guard(user_id, manager_id, chain) is None


@pytest.mark.rule("D-30")
@pytest.mark.parametrize(
    ("manager_of", "circles"),
    [
        ({}, 0),
        ({"u1": "u2", "u2": "u3", "u4": "u3"}, 0),
        ({"u1": "gone"}, 0),
        ({"u1": "u1"}, 1),
        ({"u1": "u2", "u2": "u1"}, 1),
        ({"u0": "u1", "u1": "u2", "u2": "u3", "u3": "u1"}, 1),
        ({"u1": "u1", "u2": "u3", "u3": "u2", "u9": "u2"}, 2),
    ],
)
def test_verify_finds_each_circle_once(manager_of, circles):
    """Verify names who manages whom in a circle."""
    assert circles == len(managers.verify(manager_of))


@pytest.mark.rule("D-30")
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40))
def test_guarded_writes_never_make_a_circle(writes):
    """Whatever is written in whatever order, verify finds nothing."""
    manager_of: dict[str, str] = {}
    for user, manager in writes:
        chain = [str(manager)]
        while chain[-1] in manager_of:
            chain.append(manager_of[chain[-1]])
        try:
            managers.guard(str(user), str(manager), chain)
        except DirectoryError:
            continue
        manager_of[str(user)] = str(manager)

    assert managers.verify(manager_of) == []


@pytest.mark.rule("D-30")
def test_verify_walks_a_long_chain_in_time():
    """A hundred thousand levels are neither recursion nor quadratic."""
    chain = {f"u{level}": f"u{level + 1}" for level in range(100_000)}

    assert managers.verify(chain) == []
