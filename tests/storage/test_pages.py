"""Pages: every row once, in the order asked for, and tokens that nobody can make or move."""

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator

import pytest
from google.protobuf.message import Message
from userdirectory.attributes import GROUP, USER, Attribute
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1.filter_pb2 import Comparison, Filter

from core_service.storage import orders, pages
from core_service.storage.database import Transaction, open_storage
from core_service.storage.pages import PageQuery
from tests.storage import people
from tests.storage.people import WORKSPACE, People
from tests.storage_fixtures import NewDatabase

_KEY = b"k" * 32
_DERIVED = {"groups", "roles", "members"}


def _orderable() -> list[str]:
    return [
        path
        for path, attribute in USER.by_path.items()
        if attribute.type != "complex"
        and attribute.returned != "never"
        and attribute.field.name != "ref"
        and not attribute.field.is_repeated
        and path.partition(".")[0] not in _DERIVED
    ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def crowd(request: pytest.FixtureRequest, new_database: NewDatabase) -> AsyncIterator[People]:
    """Give the same people on each database."""
    storage = await open_storage(await new_database(request.param))
    yield await people.settle(storage, roles_as_groups=True, provisions=False)
    await storage.close()


def _comparable(user: Message, path: str) -> str | int | None:
    """Return what *user* is ordered by, None if it has no value."""
    value: object = user
    names = path.split(".")
    attribute: Attribute = USER.by_path[path]
    for depth, name in enumerate(names):
        assert isinstance(value, Message)
        if USER.by_path[".".join(names[: depth + 1])].field.is_repeated:
            elements = getattr(value, name)
            value = next((e for e in elements if e.primary), elements[0] if elements else None)
            if value is None:
                return None
            continue
        if depth == len(names) - 1 and attribute.field.has_presence and not value.HasField(name):
            return None
        value = getattr(value, name)
    if attribute.type == "dateTime":
        assert isinstance(value, Message)
        return int(value.ToMicroseconds())  # type: ignore[attr-defined]
    if isinstance(value, bytes):
        return b64encode(value).decode() or None
    if isinstance(value, str):
        return (value if attribute.case_exact else fold(value)) or None
    assert isinstance(value, bool)
    return int(value)


def _sorted(users: list[Message], path: str, *, descending: bool) -> list[str]:
    by_id = sorted(users, key=lambda user: user.id)  # type: ignore[attr-defined]
    having = [user for user in by_id if _comparable(user, path) is not None]
    lacking = [user for user in by_id if _comparable(user, path) is None]
    having.sort(key=lambda user: _comparable(user, path), reverse=descending)  # type: ignore[arg-type,return-value]
    return [user.id for user in having + lacking]  # type: ignore[attr-defined]


async def _walk(crowd: People, query: PageQuery) -> tuple[list[str], list[int]]:
    """Follow the tokens to the end and return the ids and the totals on the way."""
    ids: list[str] = []
    totals: list[int] = []
    while True:

        async def work(tx: Transaction, query: PageQuery = query) -> pages.Page[pages.UserRow]:
            return await pages.list_users(tx, WORKSPACE, query, **crowd.options)

        page = await crowd.storage.read(work)
        ids += [row.id for row in page.rows]
        totals.append(page.total)
        if page.after is None:
            return ids, totals
        token = pages.encode_token(_KEY, "here", page.after)
        after = pages.decode_token(_KEY, "here", token)
        query = PageQuery(query.filter, query.order_by, query.descending, query.limit, 0, after)


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("path", _orderable())
async def test_tokens_lead_through_every_row_in_order(crowd: People, path: str, descending: bool):
    """Equal rows are in order of id, rows without a value come last, none is missed or repeated."""
    expected = _sorted(list(crowd.users), path, descending=descending)

    ids, totals = await _walk(crowd, PageQuery(None, path, descending, limit=7))

    assert ids == expected
    assert set(totals) == {len(crowd.users)}


async def test_skipping_counts_rows(crowd: People):
    """Pages by number hold what pages by token hold; behind the end there is only the total."""
    expected = sorted(user.id for user in crowd.users)

    async def work(tx: Transaction) -> list[tuple[list[str], int]]:
        found = []
        for skip in (0, 40, 47, 48, 1_000, 2**63 - 1):
            query = PageQuery(limit=10, skip=skip)
            page = await pages.list_users(tx, WORKSPACE, query, **crowd.options)
            found.append(([row.id for row in page.rows], page.total))
        return found

    found = await crowd.storage.read(work)
    assert found == [(expected[s : s + 10], 48) for s in (0, 40, 47, 48, 1_000, 2**63 - 1)]


async def test_a_page_of_nothing_only_counts(crowd: People):
    """A limit of 0 gives the total without rows."""
    active = Filter(equal=Comparison(field="active", flag=True))
    expected = sum(user.active for user in crowd.users)

    async def work(tx: Transaction) -> pages.Page[pages.UserRow]:
        query = PageQuery(filter=active, limit=0)
        return await pages.list_users(tx, WORKSPACE, query, **crowd.options)

    assert await crowd.storage.read(work) == pages.Page([], expected, None)


async def test_unlinked_users_are_listed_only_when_asked_for(crowd: People):
    """Users who are gone for provisioning clients are there for the product."""

    async def work(tx: Transaction) -> list[int]:
        some = await pages.count_users(tx, WORKSPACE, None, roles_as_groups=True)
        every = await pages.count_users(
            tx, WORKSPACE, None, roles_as_groups=True, include_unlinked=True
        )
        return [some, every]

    assert await crowd.storage.read(work) == [48, 49]


async def test_groups_are_listed_in_order_of_name(crowd: People):
    """Groups are ordered by folded name, and by id among equals."""
    expected = sorted(crowd.groups, key=lambda group: (fold(group.display_name), group.id))

    async def work(tx: Transaction) -> list[str]:
        page = await pages.list_groups(tx, WORKSPACE, PageQuery(order_by="display_name"))
        return [row.id for row in page.rows]

    assert await crowd.storage.read(work) == [group.id for group in expected]


@pytest.mark.parametrize(
    "path", ["nothing", "emails", "name", "password", "groups.display", "roles.value", "x'y"]
)
async def test_nothing_is_ordered_by_what_is_no_single_value(crowd: People, path: str):
    """An order that the database has no value for is refused, not run."""

    async def work(tx: Transaction) -> None:
        await pages.list_users(tx, WORKSPACE, PageQuery(order_by=path), **crowd.options)

    with pytest.raises(DirectoryError) as refused:
        await crowd.storage.read(work)
    assert refused.value.reason == "FIELD_UNKNOWN"


def test_every_group_field_is_orderable_or_refused():
    """Each attribute of a group either has a statement or is refused beforehand."""
    for path in GROUP.by_path:
        try:
            orders.check(GROUP, path)
        except DirectoryError:
            continue
        assert orders.group_order(path) is not None


def test_a_token_comes_back_as_it_was():
    """What a token was made of is what it says, whatever text is in it."""
    for after in (("u1",), ("😀\u2028'\"", "u1"), (None, "u1"), (2**62, "u1")):
        assert pages.decode_token(_KEY, "a", pages.encode_token(_KEY, "a", after)) == after


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: "",
        lambda token: "x",
        lambda token: "ä" * 50,
        lambda token: "A" * 100_000,
        lambda token: token[:10] + ("A" if token[10] != "A" else "B") + token[11:],
        lambda token: _moved(token, b'["u9"]'),
        lambda token: pages.encode_token(b"l" * 32, "here", ("u1",)),
        lambda token: pages.encode_token(_KEY, "there", ("u1",)),
    ],
)
def test_a_token_that_we_did_not_make_is_refused(forge):
    """Cut, changed, moved, signed with another key or for another listing: all are invalid."""
    token = pages.encode_token(_KEY, "here", ("u1",))
    assert pages.decode_token(_KEY, "here", token) == ("u1",)

    with pytest.raises(DirectoryError) as refused:
        pages.decode_token(_KEY, "here", forge(token))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def _moved(token: str, place: bytes) -> str:
    digest = urlsafe_b64decode(token + "=" * (-len(token) % 4))[:32]
    return urlsafe_b64encode(digest + place).decode()
