"""
The columns of files of users: what the attribute table names, and flat forms of lists.

There is no second list: `emails.work` is there because the contract says what types an e-mail
address has.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from userdirectory.attributes import USER, Attribute

from clients.cli.transfer_columns import PASSWORD, Column, Custom, Element, List, Names

MANAGER = "manager"
"""The column that has the user name of a user's manager."""
MANAGER_ID = "enterprise.manager.user_id"


def _walk(attributes: Iterable[Attribute]) -> Iterator[Attribute]:
    for attribute in attributes:
        if attribute.children and not attribute.multi_valued:
            yield from _walk(attribute.children)
        else:
            yield attribute


def _flat(attribute: Attribute) -> Iterator[Column]:
    """Yield the columns of an attribute in CSV."""
    parts = {child.name: child for child in attribute.children}
    if not attribute.multi_valued:
        kind = Names if attribute.comma_separated else Column
        yield kind(attribute.path, attribute.path)
    elif "value" in parts and parts["value"].type == "string":
        for type_ in parts["type"].canonical_values:
            yield Element(f"{attribute.path}.{type_}", attribute.path, type_)


_LEAVES = list(_walk((*USER.attributes, *USER.extensions)))
_WRITABLE = [leaf for leaf in _LEAVES if leaf.mutability != "readOnly"]

CSV: dict[str, Column] = {c.name: c for leaf in _WRITABLE for c in _flat(leaf)}
"""What CSV can say of a user, besides `manager`; by name, in the order of the contract."""

JSON: dict[str, Column] = {
    **{
        leaf.path: List(leaf.path, leaf.path) if leaf.multi_valued else CSV[leaf.path]
        for leaf in _WRITABLE
    },
    "custom": Custom("custom", "custom"),
}
"""What JSON can say of a user, by path."""

SET_BY_DIRECTORY: dict[str, Column] = {
    leaf.path: Column(leaf.path, leaf.path)
    for leaf in _LEAVES
    if leaf.mutability == "readOnly" and not leaf.multi_valued
}
"""What can be exported and is passed over by an import, by path."""

EXPORTED: tuple[str, ...] = (
    "user_name",
    *(
        MANAGER if name == MANAGER_ID else name
        for name in CSV
        if name not in ("user_name", PASSWORD)
    ),
)
"""The columns of a CSV file unless others are asked for."""


def near(name: str, names: Iterable[str]) -> str:
    """Return a sentence that names those of *names* that may be meant by *name*."""
    known = list(names)
    meant = [each for each in known if name and name.lower() in each]
    meant += [each for each in get_close_matches(name.lower(), known, 3) if each not in meant]
    return f" Do you mean {' or '.join(meant[:3])}?" if meant else ""


def roots(paths: Iterable[str]) -> list[str]:
    """Return the fields of a user that *paths* lie in."""
    return sorted({path.partition(".")[0] for path in paths})
