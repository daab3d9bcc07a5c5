"""The paths of PATCH operations (RFC 7644 section 3.5.2, figure 7)."""

from dataclasses import dataclass

from userdirectory.attributes import Attribute, Resource
from userdirectory.v1.filter_pb2 import CustomFilter, Filter

from scim_gateway import conditions, custom, filters, names
from scim_gateway.errors import ScimError, invalid_path
from scim_gateway.parsing import check_text
from scim_gateway.remarks import Remarks


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
        custom: What the workspace may have declared; None if no workspace can.
    """

    attribute: Attribute | None
    where: Filter | None
    name: str
    derived: bool = False
    custom: CustomFilter | None = None


def read_path(text: str, resource: Resource, remarks: Remarks) -> Path:
    """
    Return what *text* points to: `name.givenName`, `emails[type eq "work"].value`,
    `urn:...:enterprise:2.0:User:manager`.

    What deviates from the RFC is noted in *remarks*.

    Raises:
        ScimError: 400 invalidPath if the path cannot be read, or selects elements of an attribute
            that has none; 400 invalidFilter if its filter cannot be read or evaluated.
    """
    if text.isidentifier():
        return named(text, resource, remarks)
    if len(text) > filters.MAX_LENGTH or not check_text(text):
        raise invalid_path(f"The path `{_shown(text)}` is no path. Correct it.")
    parser = filters.Parser(text, remarks)
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
    if node is None:
        return named(name, resource, remarks)
    return _selected(name, node, part, resource, remarks)


def named(name: str, resource: Resource, remarks: Remarks) -> Path:
    """Return what *name* points to, a path without a filter that need not be readable as one."""
    attribute = names.find(resource, name)
    if attribute is not None:
        names.check(resource, name, attribute, remarks, "NAME")
        return Path(attribute, None, name)
    derived = names.is_derived(resource, name)
    return Path(None, None, name, derived, None if derived else custom.find(resource, name))


def _selected(
    name: str, node: filters.Node, part: str, resource: Resource, remarks: Remarks
) -> Path:
    around = names.find(resource, name)
    if around is None:
        asked = _selected_custom(name, node, part, resource)
        return Path(None, None, f"{name}.{part}" if part else name, custom=asked)
    names.check(resource, name, around, remarks, "NAME")
    if not around.multi_valued:
        raise invalid_path(f"Attribute {around.scim_path} has no elements. Leave out the filter.")
    where = conditions.element_condition(node, resource, around, remarks)
    if not part:
        return Path(around, where, name)
    attribute = resource.named(f"{around.scim_path}.{part}", around.urn)
    return Path(attribute, where, f"{name}.{part}")


def _selected_custom(
    name: str, node: filters.Node, part: str, resource: Resource
) -> CustomFilter | None:
    """Return the values that *node* selects; None if they have other parts than `value`."""
    asked = custom.find(resource, name)
    if asked is None or part.lower() not in ("", "value"):
        return None
    try:
        asked.where.CopyFrom(custom.value_condition(node))
    except ScimError:
        return None
    return asked


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:64])
