"""SCIM filters to the filters of the contract, against the attribute table."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import USER, Attribute, Resource
from userdirectory.v1.filter_pb2 import (
    Comparison,
    ElementFilter,
    FieldPresence,
    Filter,
    FilterList,
)

from scim_gateway import custom, filters, names, quirks
from scim_gateway.answers import location
from scim_gateway.errors import invalid_filter
from scim_gateway.filters import And, Compare, Element, Node, Not, Number, Or, Present
from scim_gateway.remarks import Remarks

_ALWAYS = Filter(all_of=FilterList())
_NEVER = Filter(any_of=FilterList())


def read_filter(text: str, resource: Resource, base_url: str, remarks: Remarks) -> Filter:
    """
    Return the filter of the contract for the SCIM filter *text*.

    Args:
        text: At most 8192 characters.
        resource: What is filtered.
        base_url: For comparisons with `meta.location`.
        remarks: Where is noted what the RFC has not.

    Raises:
        ScimError: 400 invalidFilter if it cannot be read; names an attribute that *resource* has
            not, one that is never returned or an address that only SCIM clients see; or compares
            with a value of another type.
    """
    return condition(filters.parse(text, remarks), resource, base_url, remarks)


def condition(node: Node, resource: Resource, base_url: str, remarks: Remarks) -> Filter:
    """Return the filter of the contract for *node*; as `read_filter`."""
    match node:
        case And(parts):
            inner = [condition(part, resource, base_url, remarks) for part in parts]
            return Filter(all_of=FilterList(filters=inner))
        case Or(parts):
            inner = [condition(part, resource, base_url, remarks) for part in parts]
            return Filter(any_of=FilterList(filters=inner))
        case Not(negated):
            return Filter(negate=condition(negated, resource, base_url, remarks))
        case Compare(name, _, _) | Present(name) | Element(name, _) if asked := custom.find(
            resource, name
        ):
            return custom.condition(node, asked)
        case Element(name, within):
            attribute = _find(resource, name, remarks)
            if not attribute.multi_valued:
                raise invalid_filter(f"Attribute {name} has no elements. Compare it without [].")
            return _any(attribute, element_condition(within, resource, attribute, remarks))
        case Compare(name, _, _) | Present(name) if names.is_derived(resource, name):
            return _derived(node, resource, base_url)
        case Compare(name, _, _) | Present(name):
            attribute = _find(resource, name, remarks)
            return _test(node, resource, attribute, remarks)


def element_condition(
    node: Node, resource: Resource, around: Attribute, remarks: Remarks
) -> Filter:
    """
    Return the filter for elements of the multi-valued attribute *around*.

    Raises:
        ScimError: 400 invalidFilter; as `read_filter`.
    """
    match node:
        case And(parts):
            inner = [element_condition(part, resource, around, remarks) for part in parts]
            return Filter(all_of=FilterList(filters=inner))
        case Or(parts):
            inner = [element_condition(part, resource, around, remarks) for part in parts]
            return Filter(any_of=FilterList(filters=inner))
        case Not(negated):
            return Filter(negate=element_condition(negated, resource, around, remarks))
        case Element(name, _):
            raise invalid_filter(f"Attribute {name} cannot be in []. Name a part of the element.")
        case Compare(name, _, _) | Present(name):
            attribute = resource.named(f"{around.scim_path}.{name}", around.urn)
            if attribute is None:
                raise invalid_filter(f"Attribute {around.scim_path} has no {name}. Correct it.")
            _check_readable(attribute)
            return _leaf(node, attribute, attribute.field.name, remarks)


def _find(resource: Resource, name: str, remarks: Remarks) -> Attribute:
    attribute = names.find(resource, name)
    if attribute is None or attribute.extension:
        raise invalid_filter(f"{resource.name} has no attribute {name[:128]}. Correct its name.")
    _check_readable(attribute)
    names.check(resource, name, attribute, remarks, "FILTER")
    return attribute


def _check_readable(attribute: Attribute) -> None:
    if attribute.returned == "never" or attribute.name == "$ref":
        raise invalid_filter(
            f"Attribute {attribute.scim_path} cannot be in a filter. Leave it out."
        )


def _test(
    node: Compare | Present, resource: Resource, attribute: Attribute, remarks: Remarks
) -> Filter:
    """Return a test of *attribute*, of some element of it, or of the one it is a part of."""
    element = names.element_of(resource, attribute)
    if element is not None:
        return _any(element, _leaf(node, attribute, attribute.field.name, remarks))
    if attribute.comma_separated and isinstance(node, Compare) and node.value is not None:
        return _any(attribute, _leaf(node, attribute, "value", remarks))
    if attribute.type != "complex":
        return _leaf(node, attribute, attribute.path, remarks)
    if attribute.multi_valued and (isinstance(node, Present) or node.value is None):
        return _leaf(node, attribute, attribute.path, remarks)
    if isinstance(node, Present):
        return Filter(any_of=FilterList(filters=[_presence(c) for c in _readable(attribute)]))
    value = names.value_of(attribute)
    if value is None:
        raise invalid_filter(f"Attribute {attribute.scim_path} has parts. Compare one of them.")
    return _test(node, resource, value, remarks)


def _leaf(node: Compare | Present, attribute: Attribute, field: str, remarks: Remarks) -> Filter:
    """Return the test of one field: *field* is relative to what is tested."""
    present = Filter(present=FieldPresence(field=field))
    if isinstance(node, Present):
        return present
    if node.value is None:
        if node.operator == "eq":
            return Filter(negate=present)
        if node.operator == "ne":
            return present
        raise invalid_filter(f"null has no order. Compare {node.name} by eq, ne or pr.")
    comparison = Comparison(field=field)
    _set_operand(comparison, node, attribute, remarks)
    filter_ = Filter()
    getattr(filter_, filters.TESTS[node.operator]).CopyFrom(comparison)
    return filter_


def _set_operand(
    comparison: Comparison, node: Compare, attribute: Attribute, remarks: Remarks
) -> None:
    value = node.value.text if isinstance(node.value, Number) else node.value
    if attribute.type == "boolean":
        flag = quirks.boolean(value, node.name, remarks, "FILTER")
        if flag is None or node.operator not in ("eq", "ne"):
            raise invalid_filter(
                f"Attribute {node.name} is boolean. Compare it by eq true or false."
            )
        comparison.flag = flag
    elif attribute.type == "dateTime":
        comparison.time.CopyFrom(_instant(value, node))
    elif isinstance(value, bool):
        # Without quotes `title eq true` still asks for a text.
        comparison.text = "true" if value else "false"
    else:
        comparison.text = str(value)


def _instant(value: str | bool | None, node: Compare) -> Timestamp:
    if node.operator in ("co", "sw", "ew") or not isinstance(value, str):
        raise invalid_filter(
            f"Attribute {node.name} is a time. Compare it by eq, gt, ge, lt or le."
        )
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        instant = Timestamp()
        instant.FromDatetime(time)
    except (ValueError, OverflowError) as error:
        raise invalid_filter(
            f"{node.name} is compared with no time. Write it like 2026-01-31T09:30:00Z."
        ) from error
    return instant


def _any(attribute: Attribute, where: Filter) -> Filter:
    return Filter(element=ElementFilter(field=attribute.path, where=where))


def _readable(attribute: Attribute) -> list[Attribute]:
    return [c for c in attribute.children if c.returned != "never" and c.name != "$ref"]


def _presence(attribute: Attribute) -> Filter:
    if attribute.type == "complex" and not attribute.multi_valued:
        parts = [_presence(child) for child in _readable(attribute)]
        return Filter(any_of=FilterList(filters=parts))
    return Filter(present=FieldPresence(field=attribute.path))


def _derived(node: Compare | Present, resource: Resource, base_url: str) -> Filter:
    """Return the test of `schemas` or of a part of `meta` that is no field."""
    if isinstance(node, Present):
        return _ALWAYS
    if node.operator not in ("eq", "ne") or not isinstance(node.value, str):
        raise invalid_filter(f"{node.name} is compared by eq or ne with a text. Use one of them.")
    name = names.split(resource, node.name)[1].lower()
    if name == "meta":
        raise invalid_filter("Attribute meta has parts. Compare one of them.")
    if name == "schemas":
        held = _holds_schema(resource, node.value)
    elif name == "meta.resourcetype":
        held = _ALWAYS if node.value == resource.name else _NEVER
    else:
        start = location(resource, "", base_url)
        identifier = node.value.removeprefix(start) if node.value.startswith(start) else ""
        held = Filter(equal=Comparison(field="id", text=identifier)) if identifier else _NEVER
    return held if node.operator == "eq" else Filter(negate=held)


def _holds_schema(resource: Resource, urn: str) -> Filter:
    if urn.lower() == resource.urn.lower():
        return _ALWAYS
    extension = resource.extension(urn)
    if extension is None:
        return custom.holds_schema(urn) if resource is USER else _NEVER
    return Filter(any_of=FilterList(filters=[_presence(c) for c in _readable(extension)]))
