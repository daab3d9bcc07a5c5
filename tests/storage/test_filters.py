"""The filter that Python reads and the one that the databases read are the same."""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1.filter_pb2 import Comparison, Filter

from core_service import matching
from core_service.storage import pages
from core_service.storage.database import Transaction, open_storage
from tests.storage import people
from tests.storage.people import WORKSPACE, People
from tests.storage_fixtures import NewDatabase

_ORDERED = ("equal", "not_equal", "greater_than", "at_least", "less_than", "at_most")
_WITHIN = ("contains", "starts_with", "ends_with")
_TESTS = {
    "string": (*_ORDERED, *_WITHIN),
    "reference": (*_ORDERED, *_WITHIN),
    "binary": ("equal", "not_equal", *_WITHIN),
    "boolean": ("equal", "not_equal"),
    "dateTime": _ORDERED,
}


@pytest.fixture(
    scope="module",
    params=[
        (kind, roles_as_groups, provisions)
        for kind in ("sqlite", "postgresql")
        for roles_as_groups in (False, True)
        for provisions in (False, True)
    ],
    ids=lambda p: f"{p[0]}-{'roles' if p[1] else 'groups'}-{'provisioning' if p[2] else 'product'}",
)
async def crowd(request: pytest.FixtureRequest, new_database: NewDatabase) -> AsyncIterator[People]:
    """Give the same people on each database, in each kind of workspace, for each reader."""
    kind, roles_as_groups, provisions = request.param
    storage = await open_storage(await new_database(kind))
    yield await people.settle(storage, roles_as_groups=roles_as_groups, provisions=provisions)
    await storage.close()


def _comparison(attribute: Attribute, path: str) -> st.SearchStrategy[Filter]:
    operand: st.SearchStrategy[Comparison]
    if attribute.type == "boolean":
        operand = st.builds(Comparison, field=st.just(path), flag=st.booleans())
    elif attribute.type == "dateTime":
        times = st.sampled_from(people.TIMES)
        operand = times.map(lambda micros: _time(path, micros))
    else:
        texts = st.sampled_from(people.TEXTS) | st.text(
            st.characters(codec="utf-8", exclude_characters="\0"), max_size=3
        )
        if attribute.type == "binary":
            texts = st.binary(max_size=3).map(lambda value: b64encode(value).decode())
        if path == "etag":
            texts = st.sampled_from(['W/"1"', 'W/"10"', 'W/"2"', "W/", '1"', 'w/"1"'])
        operand = texts.map(lambda text: Comparison(field=path, text=text))
    tests = st.sampled_from(_TESTS[attribute.type])
    return st.builds(lambda test, value: Filter(**{test: value}), tests, operand)


def _time(path: str, micros: int) -> Comparison:
    comparison = Comparison(field=path)
    comparison.time.FromMicroseconds(micros)
    return comparison


def _leaves(resource: Resource) -> list[st.SearchStrategy[Filter]]:
    leaves: list[st.SearchStrategy[Filter]] = []
    for path, attribute in resource.by_path.items():
        around = path.rpartition(".")[0]
        inner = around and resource.by_path[around].field.is_repeated
        if attribute.returned == "never" or attribute.field.name == "ref" or inner:
            continue
        leaves.append(st.just(Filter(present={"field": path})))
        if attribute.field.is_repeated:
            leaves += [_element(path, parts) for parts in _parts(attribute)]
        elif attribute.type != "complex":
            leaves.append(_comparison(attribute, path))
    return leaves


def _parts(attribute: Attribute) -> list[st.SearchStrategy[Filter]]:
    """Return filters on one part of an element, and such on several."""
    if attribute.type != "complex":
        single = [_comparison(attribute, "value"), st.just(Filter(present={"field": "value"}))]
    else:
        single = []
        for part in attribute.children:
            if part.field.name != "ref":
                name = part.field.name
                single += [_comparison(part, name), st.just(Filter(present={"field": name}))]
    return [*single, _combined(st.one_of(single))]


def _element(path: str, where: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return where.map(lambda inner: Filter(element={"field": path, "where": inner}))


def _combined(leaf: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda some: Filter(all_of={"filters": some}))
            | st.lists(inner, max_size=3).map(lambda some: Filter(any_of={"filters": some}))
            | inner.map(lambda one: Filter(negate=one))
        ),
        max_leaves=4,
    )


_USERS = _combined(st.one_of(_leaves(USER)))
_GROUPS = _combined(st.one_of(_leaves(GROUP)))
_many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_many
@given(filter=_USERS)
async def test_users_pass_a_filter_as_in_python(crowd: People, filter: Filter):
    """The users that the database finds are those that pass when they are read and compared."""
    matching.check(filter, USER)
    expected = _passing(crowd.users, filter, USER)

    async def work(tx: Transaction) -> tuple[list[str], int, int]:
        query = pages.PageQuery(filter=filter, limit=100)
        page = await pages.list_users(tx, WORKSPACE, query, **crowd.options)
        count = await pages.count_users(tx, WORKSPACE, filter, **crowd.options)
        return [row.id for row in page.rows], page.total, count

    found, total, count = await crowd.storage.read(work)
    assert found == expected
    assert total == count == len(expected)


@_many
@given(filter=_GROUPS)
async def test_groups_pass_a_filter_as_in_python(crowd: People, filter: Filter):
    """The groups that the database finds are those that pass when they are read and compared."""
    matching.check(filter, GROUP)
    expected = _passing(crowd.groups, filter, GROUP)

    async def work(tx: Transaction) -> tuple[list[str], int]:
        page = await pages.list_groups(tx, WORKSPACE, pages.PageQuery(filter=filter, limit=100))
        return [row.id for row in page.rows], await pages.count_groups(tx, WORKSPACE, filter)

    assert await crowd.storage.read(work) == (expected, len(expected))


def test_the_filters_ask_for_everything_that_can_be_asked_for():
    """Every attribute of users and groups that can be read is in some filter."""
    asked = {
        "User": len(_leaves(USER)),
        "Group": len(_leaves(GROUP)),
    }

    assert asked["User"] > 100
    assert asked["Group"] > 15


def _passing(resources: Iterable[Any], filter: Filter, resource: Resource) -> list[str]:
    return sorted(each.id for each in resources if matching.matches(each, filter, resource))
