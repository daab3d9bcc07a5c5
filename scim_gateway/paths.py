"""The paths of PATCH operations (RFC 7644 section 3.5.2, figure 7)."""

from dataclasses import dataclass

from userdirectory.attributes import Attribute, Resource
from userdirectory.v1.filter_pb2 import Filter

from scim_gateway import conditions, filters, names
from scim_gateway.errors import invalid_path
from scim_gateway.parsing import check_text


@dataclass(frozen=True, slots=True)
class Path:
    """
    What a path points to.

    Attributes:
        attribute: The attribute, sub-attribute or container of an extension; None if no resource
            has it.
        where: Which elements of the multi-valued attribute; None means all.
        name: The path as it was written, without a filter.
        derived: Whether it is `schemas` or a part of `meta`, which the server makes.
    """

    attribute: Attribute | None
    where: Filter | None
    name: str
    derived: bool = False


def read_path(text: str, resource: Resource) -> Path:
    """
    Return what *text* points to: `name.givenName`, `emails[type eq "work"].value`,
    `urn:...:enterprise:2.0:User:manager`.

    Raises:
        ScimError: 400 invalidPath if the path cannot be read, or selects elements of an attribute
            that has none; 400 invalidFilter if its filter cannot be read or evaluated.
    """
    if text.isidentifier():
        return named(text, resource)
    if len(text) > filters.MAX_LENGTH or not check_text(text):
        raise invalid_path(f"The path `{_shown(text)}` is no path. Correct it.")
    parser = filters.Parser(text)
    if parser.kind != "word" or not filters.NAME.fullmatch(parser.current):
        raise invalid_path(f"The path `{_shown(text)}` begins with no attribute name. Correct it.")
    name, part, node = parser.next(), "", None
    if parser.current == "[":
        node = parser.brackets()
        if parser.kind == "word" and parser.current.startswith("."):
            part = parser.next()[1:]
            if not filters.NAME.fullmatch(part):
                raise invalid_path(f"The path `{_shown(text)}` ends with no name. Correct it.")
    if parser.kind != "end":
        raise invalid_path(f"The path `{_shown(text)}` goes on behind its end. Correct it.")
    return named(name, resource) if node is None else _selected(name, node, part, resource)


def named(name: str, resource: Resource) -> Path:
    """Return what *name* points to, a path without a filter that need not be readable as one."""
    attribute = names.find(resource, name)
    derived = attribute is None and names.is_derived(resource, name)
    return Path(attribute, None, name, derived)


def _selected(name: str, node: filters.Node, part: str, resource: Resource) -> Path:
    around = names.find(resource, name)
    if around is None:
        return Path(None, None, f"{name}.{part}" if part else name)
    if not around.multi_valued:
        raise invalid_path(f"Attribute {around.scim_path} has no elements. Leave out the filter.")
    where = conditions.element_condition(node, resource, around)
    if not part:
        return Path(around, where, name)
    attribute = resource.named(f"{around.scim_path}.{part}", around.urn)
    return Path(attribute, where, f"{name}.{part}")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:64])
