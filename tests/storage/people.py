"""A workspace of people whose values are everything that comparing text can get wrong."""

import random
from collections.abc import Sequence

from google.protobuf.message import Message
from userdirectory.attributes import USER, Attribute
from userdirectory.text import fold
from userdirectory.v1 import group_pb2, policy_pb2, user_pb2, workspace_pb2

from core_service import views
from core_service.context import Contexts
from core_service.storage import store
from core_service.storage.database import Storage, Transaction
from tests.storage import rows

# Case, order, patterns, escapes, quotes, JSON, look-alikes, several code units, nothing at all.
TEXTS = (
    "ada", "Ada", "ADA LOVELACE", "a%a", "a_a", "a\\a", "a'a", 'a"a', "a.a", "{a}", "$a", " a ",
    "B", "Ä", "ä", "A\u0308", "É", "e\u0301", "ß", "ẞ", "SS", "İ", "ı", "ﬁ", "fi", "Ω", "\u2126",
    "Σ", "ς", "😀", "\uffff", "Z", "_", "%", "\\", "true", "null", "1", "work", "home", "Guest",
    "Regular", "direct", "user", "group", "g1", "u1", "regular", "", "é" * 40,
)  # fmt: skip
TIMES = (0, 1, 999_999, 1_000_000, 1_700_000_000_000_000, -62_135_596_800_000_000)
WORKSPACE = "people"
_OWN = frozenset(
    {"active", "id", "etag", "create_time", "update_time", "groups", "user_name", "password"}
)


class People:
    """What is in the workspace, as it is read; no dataclass, for reports would print all of it."""

    def __init__(
        self,
        storage: Storage,
        users: list[user_pb2.User],
        groups: list[group_pb2.Group],
        options: dict[str, bool],
    ) -> None:
        """
        Keep what was read.

        Args:
            users: Every user who is not unlinked.
            groups: Every group, with its members.
            options: What lists of users must be told of the workspace and the reader.
        """
        self.storage = storage
        self.users = users
        self.groups = groups
        self.options = options


async def settle(storage: Storage, *, roles_as_groups: bool, provisions: bool) -> People:
    """Fill an empty storage and return what is in it."""
    mode = policy_pb2.GROUPS_MODE_ROLES if roles_as_groups else policy_pb2.GROUPS_MODE_GROUPS
    message = workspace_pb2.Workspace(policy=policy_pb2.Policy(groups=mode))

    async def fill(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace(WORKSPACE, message))
        for name, kind in (("Admin", rows.ADMIN), ("Regular", rows.REGULAR), ("Guest", rows.GUEST)):
            role = rows.role(name.lower(), name, workspace_id=WORKSPACE, kind=kind, rank=kind)
            await store.insert_role(tx, role)
        await _fill(tx, random.Random(7))

    async def read(tx: Transaction) -> People:
        context = await Contexts().read(tx, WORKSPACE)
        found = await store.users_by_ids(tx, WORKSPACE, _ids("u", 48))
        shown = await views.users(tx, context, found, provisions=provisions)
        groups = []
        for row in await store.groups_by_ids(tx, WORKSPACE, _ids("g", 8)):
            group = views.group(row)
            for member in await store.members_page(tx, WORKSPACE, row.id, "", 100):
                group.members.add(
                    member_id=member.member_id,
                    type=views.MEMBER_TYPES[member.member_type],
                    display_name=member.display_name,
                )
            groups.append(group)
        options = {"roles_as_groups": roles_as_groups, "hide_guests": provisions}
        return People(storage, shown, groups, options)

    await storage.write("", fill)
    return await storage.read(read)


def _ids(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


async def _fill(tx: Transaction, chance: random.Random) -> None:
    for id in [*_ids("u", 48), "unlinked"]:
        user = user_pb2.User(user_name=f"{chance.choice(TEXTS)}{id}", active=chance.random() < 0.7)
        _set_some(user, USER.attributes + USER.extensions, chance)
        if chance.random() < 0.5:
            user.enterprise.manager.user_id = chance.choice([*_ids("u", 48), "nobody"])
        row = rows.user(
            id,
            user,
            workspace_id=WORKSPACE,
            role_id=chance.choice(["admin", "regular", "guest"]),
            version=chance.choice([1, 2, 10, 11]),
            create_time=chance.choice(TIMES),
            update_time=chance.choice(TIMES),
            unlink_time=1 if id == "unlinked" else None,
        )
        await store.insert_user(tx, row, [fold(e.value) for e in user.emails if e.value])
    for id in _ids("g", 8):
        group = rows.group(id, chance.choice(TEXTS).strip() or id, workspace_id=WORKSPACE)
        external_id = chance.choice([None, "ada", "Ada", "%"])
        await store.insert_group(tx, group._replace(unique_key=None, external_id=external_id))
        members = [(user, 1) for user in chance.sample(_ids("u", 48), 5)]
        members += [(inner, 2) for inner in chance.sample(_ids("g", 8), 1)]
        await store.add_members(tx, WORKSPACE, id, members)


def _set_some(message: Message, attributes: Sequence[Attribute], chance: random.Random) -> None:
    for attribute in attributes:
        name = attribute.field.name
        if attribute.path in _OWN or attribute.mutability == "readOnly" or chance.random() < 0.4:
            continue
        if attribute.path in ("workplace.user_role", "enterprise.manager"):
            continue
        if attribute.field.is_repeated:
            for _ in range(chance.randint(1, 3)):
                if attribute.type == "complex":
                    _set_some(getattr(message, name).add(), attribute.children, chance)
                else:
                    getattr(message, name).append(chance.choice(TEXTS))
        elif attribute.type == "complex":
            _set_some(getattr(message, name), attribute.children, chance)
        else:
            _set(message, attribute, chance)


def _set(message: Message, attribute: Attribute, chance: random.Random) -> None:
    value: object = chance.choice(TEXTS)
    if attribute.type == "boolean":
        value = chance.random() < 0.5
    elif attribute.type == "binary":
        value = chance.randbytes(chance.randint(0, 4))
    elif attribute.path == "roles.value":
        value = value or "x"  # An empty value is no value there: the role's name would be shown.
    setattr(message, attribute.field.name, value)
