"""Attributes by the names that SCIM clients use (RFC 7644 section 3.10)."""

from userdirectory.attributes import Attribute, Resource

from scim_gateway import quirks
from scim_gateway.remarks import Remarks

# In every document, but no attribute: derived by the server.
DERIVED = frozenset({"schemas", "meta", "meta.resourcetype", "meta.location"})


def split(resource: Resource, name: str) -> tuple[str, str]:
    """
    Return the URN in front of *name* and the rest.

    URNs have dots, colons and digits, so only the known ones can be told from the attribute.
    `("", name)` if there is none; `(urn, "")` if *name* is a URN alone; `(name, "")` if it starts
    like a URN nobody knows.
    """
    if name[:4].lower() != "urn:":
        return "", name
    name = quirks.known_urn(name)
    lowered = name.lower()
    for urn in (resource.urn, *(extension.urn for extension in resource.extensions)):
        start = urn.lower()
        if lowered == start:
            return urn, ""
        if lowered.startswith(f"{start}:"):
            return urn, name[len(urn) + 1 :]
    return name, ""


def find(resource: Resource, name: str) -> Attribute | None:
    """
    Return the attribute *name*, letters in any case; None if there is none.

    Args:
        resource: What has the attribute.
        name: `userName`, `name.givenName`, `urn:...:enterprise:2.0:User:manager.value`, or the
            URN of an extension alone, which finds its container.
    """
    urn, path = split(resource, name)
    if urn and not path:
        return resource.extension(urn)
    found = resource.named(path, urn)
    if found is None and not urn:
        found = quirks.without_urn(resource, path)
    return found


def check(resource: Resource, name: str, attribute: Attribute, remarks: Remarks, kind: str) -> None:
    """
    Note it if *name* found an attribute of an extension without the extension's URN.

    Args:
        resource: What has the attribute.
        name: As it was sent.
        attribute: What it found.
        remarks: Where it is noted.
        kind: The kind of deviation: `NAME` or `FILTER`.
    """
    urn = attribute.urn
    if urn != resource.urn and not name.lower().startswith(urn.lower()):
        remarks.deviates(kind, f"{name[:128]} is of {urn}. Put that and a colon in front.")


def is_derived(resource: Resource, name: str) -> bool:
    """
    Return whether *name* is `schemas` or a part of `meta` that the gateway derives.

    Witness: scim2-client, which puts `schemas` into the objects of extensions too.
    """
    urn, path = split(resource, name)
    return path.lower() in (DERIVED if urn in ("", resource.urn) else ("schemas",))


def element_of(resource: Resource, attribute: Attribute) -> Attribute | None:
    """Return the multi-valued attribute that *attribute* is a part of, None if it is of none."""
    parent = resource.by_path.get(attribute.path.rpartition(".")[0])
    return parent if parent is not None and parent.multi_valued else None


def value_of(attribute: Attribute) -> Attribute | None:
    """Return the sub-attribute `value`, which a complex attribute stands for; None without it."""
    return next((child for child in attribute.children if child.name == "value"), None)
