"""Which attributes a client wants back (RFC 7644 section 3.9)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.attributes import USER, Attribute, Resource

from scim_gateway import custom, names

# Names as they stand in documents; an empty tree is the whole attribute.
_Tree = dict[str, "_Tree"]

# Known to every document and to no message: `meta` is made of these fields.
_META = ("etag", "create_time", "update_time")


@dataclass(frozen=True, slots=True)
class Projection:
    """
    The attributes that a client asked for or excluded.

    Attributes:
        resource: What has the attributes.
        wanted: Trees of the names that were asked for; None means all.
        excluded: Trees of the names that were excluded.
        custom_wanted: Names that were asked for and may be attributes of the workspace, folded.
        custom_excluded: Such names that were excluded.
    """

    resource: Resource
    wanted: _Tree | None = None
    excluded: _Tree = field(default_factory=dict)
    custom_wanted: frozenset[str] = frozenset()
    custom_excluded: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether everything is sent."""
        return self.wanted is None and not self.excluded and not self.custom_excluded

    def shows(self, name: str) -> bool:
        """Return whether the attribute *name* is sent, at least in part."""
        if self.excluded.get(name) == {}:
            return False
        return self.wanted is None or name in self.wanted

    def mask(self, *, every_field: bool = False) -> FieldMask | None:
        """
        Return the fields to ask the core for, None for its default.

        Args:
            every_field: Name the fields even if everything is sent, because the core's default
                leaves some out.
        """
        if self.plain and not every_field:
            return None
        fields = [
            attribute.path
            for attribute in (*self.resource.attributes, *self.resource.extensions)
            if attribute.returned != "never"
            and not attribute.in_meta
            and (attribute.path == "id" or self.shows(_key(attribute)))
        ]
        if self.resource is USER and (self.wanted is None or self.custom_wanted):
            fields.append(custom.FIELD)
        # The version is a header too, so it is always needed.
        return FieldMask(paths=[*fields, *_META])

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return *document* without what is not wanted; `id` and `schemas` always stay."""
        if self.plain:
            return document
        kept = document
        if self.wanted is not None:
            kept = _only(document, self.wanted | _named_in(document, self.custom_wanted))
        kept = _without(kept, self.excluded | _named_in(document, self.custom_excluded))
        urns = document["schemas"]
        return {
            "schemas": [urn for urn in urns if urn == self.resource.urn or urn in kept],
            "id": document["id"],
            **{name: value for name, value in kept.items() if name not in ("schemas", "id")},
        }


def read(resource: Resource, attributes: Iterable[str], excluded: Iterable[str]) -> Projection:
    """
    Return the projection for lists of names; unknown names select nothing.

    Args:
        resource: What has the attributes.
        attributes: `userName`, `name.givenName`, `urn:...:User:manager`, in any case; empty
            means all.
        excluded: Names to leave out.
    """
    wanted = [name for name in attributes if name]
    unwanted = [name for name in excluded if name]
    return Projection(
        resource,
        _tree(resource, wanted) if wanted else None,
        _tree(resource, unwanted),
        _custom(resource, wanted),
        _custom(resource, unwanted),
    )


def _custom(resource: Resource, asked: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in asked if custom.find(resource, name))


def _named_in(document: dict[str, Any], asked: frozenset[str]) -> _Tree:
    """Return the trees of the custom attributes in *document* that have the names *asked*."""
    tree: _Tree = {}
    for urn in document["schemas"] if asked else ():
        if urn.lower() in asked:
            tree[urn] = {}
            continue
        inner = document.get(urn, {})
        named: _Tree = {name: {} for name in inner if f"{urn}:{name}".lower() in asked}
        if named:
            tree[urn] = named
    return tree


def _tree(resource: Resource, wanted: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for name in wanted:
        branch, steps = tree, _steps(resource, name)
        for step in steps[:-1]:
            if step in branch and not branch[step]:
                break  # the whole of it was named before
            branch = branch.setdefault(step, {})
        else:
            if steps:
                branch[steps[-1]] = {}
    return tree


def _steps(resource: Resource, name: str) -> list[str]:
    """Return the way to the attribute in a document: `[urn, "manager", "value"]`."""
    attribute = names.find(resource, name)
    if attribute is None:
        path = names.split(resource, name)[1]
        first, _, rest = path.partition(".")
        if first.lower() != "meta":
            return []
        return ["meta", _META_NAMES.get(rest.lower(), rest)] if rest else ["meta"]
    start = [] if attribute.urn == resource.urn else [attribute.urn]
    return start + (attribute.scim_path.split(".") if attribute.scim_path else [])


_META_NAMES = {"resourcetype": "resourceType", "location": "location"}


def _key(attribute: Attribute) -> str:
    return attribute.urn if attribute.extension else attribute.name


def _only(document: dict[str, Any], tree: _Tree) -> dict[str, Any]:
    kept = {}
    for name, branch in tree.items():
        if name not in document:
            continue
        value = document[name]
        if branch:
            value = _each(value, branch, _only)
        if value or value is False:
            kept[name] = value
    return kept


def _without(document: dict[str, Any], tree: _Tree) -> dict[str, Any]:
    kept = dict(document)
    for name, branch in tree.items():
        value = kept.pop(name, None)
        if branch and value is not None:
            value = _each(value, branch, _without)
            if value:
                kept[name] = value
    return kept


def _each(value: Any, branch: _Tree, prune: Any) -> Any:
    if isinstance(value, list):
        return [pruned for element in value if (pruned := prune(element, branch))]
    return prune(value, branch) if isinstance(value, dict) else value
