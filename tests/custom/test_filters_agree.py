"""A filter on custom attributes means the same in Python and in both databases."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from userdirectory.attributes import USER
from userdirectory.custom import Declaration, Declared, Value, declared
from userdirectory.v1.custom_pb2 import CustomAttribute
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.user_pb2 import User
from userdirectory.v1.workspace_pb2 import Workspace

from core_service import custom_values, matching
from core_service.storage import pages, store
from core_service.storage.database import Storage, Transaction, open_storage
from tests.storage import rows
from tests.storage.people import TEXTS, TIMES
from tests.storage_fixtures import NewDatabase

PLACE = "custom"
URNS = ("urn:example:a", "urn:example:a:B")
DECLARED = declared(
    CustomAttribute(urn=urn, name=f"n{kind}{multi}{exact}", type=kind, multi_valued=multi,
                    case_exact=exact)
    for urn in URNS
    for kind in (1, 2, 3, 4)
    for multi in (False, True)
    for exact in (False, True)
)  # fmt: skip
ATTRIBUTES = list(DECLARED.by_key.values())
NUMBERS = (-(2**63), -1, 0, 1, 2, 10, 2**53 + 1, 2**63 - 1)
VALUES: dict[str, tuple[Value, ...]] = {
    "string": tuple(text for text in TEXTS if text),
    "boolean": (True, False),
    "integer": NUMBERS,
    "dateTime": TIMES,
}
_ORDERED = ("equal", "not_equal", "greater_than", "at_least", "less_than", "at_most")
_TESTS = {
    "string": (*_ORDERED, "contains", "starts_with", "ends_with"),
    "boolean": _ORDERED[:2],
    "integer": _ORDERED,
    "dateTime": _ORDERED,
}


class Crowd:
    """Users with values of every kind; no dataclass, for reports would print all of it."""

    def __init__(self, storage: Storage, users: list[User], known: Declared) -> None:
        """Keep them."""
        self.storage = storage
        self.users = users
        self.known = known


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def crowd(request: pytest.FixtureRequest, new_database: NewDatabase) -> AsyncIterator[Crowd]:
    """Give the same users on each database."""
    storage = await open_storage(await new_database(request.param))
    chance = random.Random(11)
    users = [_user(f"u{number}", chance) for number in range(40)]

    async def fill(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace(PLACE, Workspace()))
        await store.insert_role(tx, rows.role("r", "R", workspace_id=PLACE, kind=rows.REGULAR))
        for user in users:
            row = rows.user(user.id, user, workspace_id=PLACE, role_id="r")
            await store.insert_user(tx, row, [])

    await storage.write("", fill)
    yield Crowd(storage, users, DECLARED)
    await storage.close()


def _user(id_: str, chance: random.Random) -> User:
    user = User(id=id_, user_name=id_)
    has = chance.sample(ATTRIBUTES, chance.randint(0, 12))
    found = []
    for attribute in has:
        count = chance.randint(1, 3) if attribute.multi_valued else 1
        found.append((attribute, [chance.choice(VALUES[attribute.type]) for _ in range(count)]))
    custom_values.put(user, found)
    return user


def _operand(attribute: Declaration, value: Value) -> dict[str, Any]:
    if attribute.type == "dateTime":
        seconds, rest = divmod(int(value), 1_000_000)
        return {"field": "value", "time": {"seconds": seconds, "nanos": rest * 1000}}
    return {"field": "value", attribute.operand: value}


def _where(attribute: Declaration) -> st.SearchStrategy[dict[str, Any]]:
    tests = st.sampled_from(_TESTS[attribute.type])
    values = st.sampled_from(VALUES[attribute.type])
    if attribute.type == "string":
        characters = st.characters(codec="utf-8", exclude_characters="\0")
        values = values | st.text(characters, max_size=3)
    leaf = st.builds(lambda test, value: {test: _operand(attribute, value)}, tests, values)
    return _combined(leaf | st.just({"present": {"field": "value"}}))


def _combined(leaf: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda some: {"all_of": {"filters": some}})
            | st.lists(inner, max_size=3).map(lambda some: {"any_of": {"filters": some}})
            | inner.map(lambda one: {"negate": one})
        ),
        max_leaves=4,
    )


def _custom(attribute: Declaration) -> st.SearchStrategy[dict[str, Any]]:
    named = {"urn": attribute.urn.upper(), "name": attribute.name.upper()}
    return _where(attribute).map(lambda where: {"custom": {**named, "where": where}}) | st.just(
        {"custom": named}
    )


_LEAVES = [_custom(attribute) for attribute in ATTRIBUTES]
_LEAVES += [st.just({"custom": {"urn": urn}}) for urn in (*URNS, "urn:example:none")]
FILTERS = _combined(st.one_of(_LEAVES)).map(lambda filter_: Filter(**filter_))


@pytest.mark.rule("R-130")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(filter_=FILTERS)
async def test_users_pass_a_filter_as_in_python(crowd: Crowd, filter_: Filter):
    """The users that the database finds are those that pass when they are read and compared."""
    matching.check(filter_, USER, declared=crowd.known)
    expected = sorted(
        user.id
        for user in crowd.users
        if matching.matches(user, filter_, USER, declared=crowd.known)
    )

    async def work(tx: Transaction) -> tuple[list[str], int]:
        query = pages.PageQuery(filter=filter_, declared=crowd.known)
        page = await pages.list_users(tx, PLACE, query, roles_as_groups=False)
        count = await pages.count_users(
            tx, PLACE, filter_, roles_as_groups=False, declared=crowd.known
        )
        return [row.id for row in page.rows], count

    assert await crowd.storage.read(work) == (expected, len(expected))
