"""
What identity providers send that the RFCs do not say, one function each.

Every function names the dialog or the client it is for. Take one away, and the test that is named
after its witness fails.
"""

from typing import Any

from userdirectory.attributes import Attribute, Resource

from scim_gateway.errors import ScimError
from scim_gateway.parsing import parse_object

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_URNS = {
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0user": _ENTERPRISE,
    "urn:scim:schemas:extension:enterprise:2.0": _ENTERPRISE,
}


def known_urn(name: str) -> str:
    """
    Return *name* with the URN spelt right that it starts with.

    Witness: Entra's documentation (`...enterprise:2.0User`); onelogin-first-sync
    (`urn:scim:schemas:extension:enterprise:2.0`).
    """
    lowered = name.lower()
    for wrong, right in _URNS.items():
        if lowered == wrong or lowered.startswith(f"{wrong}:"):
            return right + name[len(wrong) :]
    return name


def without_urn(resource: Resource, path: str) -> Attribute | None:
    """
    Return the attribute of an extension that is named without the extension's URN.

    Witness: Entra's older samples (`"path": "manager"`).
    """
    found = (resource.named(path, extension.urn) for extension in resource.extensions)
    return next((attribute for attribute in found if attribute is not None), None)


def boolean(value: object) -> bool | None:
    """
    Return the truth value that *value* is or spells, None if it is none.

    Witness: entra-user-updates-default (`"False"`), onelogin-suspend-delete (`"true"`),
    entra-validator-users (`"primary": "True"`).
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def only_element(value: Any) -> Any:
    """
    Return the element of a list of one, anything else as it is.

    Witness: entra-manager-dialects (`"value": [{"$ref": null, "value": "..."}]`); Keycloak with
    an old SCIM-SDK (`"value": ["x"]`).
    """
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def elements(value: Any) -> Any:
    """
    Return a list of the one element that was sent without a list, anything else as it is.

    Witness: rippling-groups (`"value": {"value": "<id>"}`); OneLogin's templates (`emails` as an
    object); Entra (a text where e-mails belong); Microsoft's Postman collection (members as
    text).
    """
    return [value] if isinstance(value, dict | str) else value


def complex_of(value: Any) -> Any:
    """
    Return a complex value for the bare text that stands for its `value`.

    Witness: entra-manager-dialects (`"value": "<id>"`).
    """
    return {"value": value} if isinstance(value, str) else value


def unfolded(element: Any) -> Any:
    """
    Return a role whose `value` is JSON text with the text's members in place of it.

    Witness: Entra's SingleAppRoleAssignment
    (`"value": "{\\"id\\":\\"…\\",\\"value\\":\\"25\\",\\"displayName\\":\\"Role1234\\"}"`).
    """
    text = element.get("value") if isinstance(element, dict) else None
    if not isinstance(text, str) or not text.startswith("{"):
        return element
    try:
        inner = parse_object(text.encode())
    except ScimError:
        return element
    if not isinstance(inner.get("value"), str):
        return element
    role = {**element, "value": inner["value"]}
    if isinstance(inner.get("displayName"), str):
        role["display"] = inner["displayName"]
    return role


def removed_elements(attribute: Attribute, value: Any) -> Any:
    """
    Return the elements to remove from the value of a `remove`.

    Witness: entra-group-lifecycle, onelogin-groups (a list); Salesforce
    (`"value": {"members": [...]}`).
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower() == attribute.name.lower():
                return elements(inner)
    return elements(value)


def member(document: dict[str, Any], name: str) -> Any:
    """
    Return the member *name* of *document*, letters in any case; None if there is none.

    Witness: Go clients (`"operations"`), Microsoft's Postman collection (`"Primary"`).
    """
    if name in document:
        return document[name]
    lowered = name.lower()
    return next((value for key, value in document.items() if key.lower() == lowered), None)
