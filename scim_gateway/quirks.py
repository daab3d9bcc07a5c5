"""
What identity providers send that the RFCs do not say, one function each.

Every function names the dialog or the client it is for. Take one away, and the test that is named
after its witness fails. A function that is given remarks notes there that it was needed: the policy
of the workspace says whether the request is refused for it.
"""

from typing import Any

from userdirectory.attributes import Attribute, Resource

from scim_gateway.errors import ScimError
from scim_gateway.parsing import parse_object
from scim_gateway.remarks import Remarks

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


def boolean(value: object, name: str, remarks: Remarks, kind: str = "VALUE") -> bool | None:
    """
    Return the truth value that *value* is or spells, None if it is none.

    Args:
        value: What was sent.
        name: The attribute, for the remark.
        remarks: Where a text is noted.
        kind: The kind of deviation: `VALUE` or `FILTER`.

    Witness: entra-user-updates-default (`"False"`), onelogin-suspend-delete (`"true"`),
    entra-validator-users (`"primary": "True"`).
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        remarks.deviates(kind, f"Attribute {name} is a text. Send true or false without quotes.")
        return {"true": True, "false": False}.get(value.lower())
    return None


def only_element(value: Any, name: str, remarks: Remarks) -> Any:
    """
    Return the element of a list of one, anything else as it is; as `boolean`.

    Witness: entra-manager-dialects (`"value": [{"$ref": null, "value": "..."}]`); Keycloak with
    an old SCIM-SDK (`"value": ["x"]`).
    """
    if not isinstance(value, list) or len(value) != 1:
        return value
    remarks.deviates("VALUE", f"Attribute {name} is a list. Send its one value alone.")
    return value[0]


def elements(value: Any, name: str, remarks: Remarks) -> Any:
    """
    Return a list of the one element that was sent without a list, anything else as it is; as
    `boolean`.

    Witness: OneLogin's templates (`emails` as an object); Entra (a text where e-mails belong);
    Microsoft's Postman collection (members as text).
    """
    if not isinstance(value, dict | str):
        return value
    remarks.deviates("VALUE", f"Attribute {name} is no list. Send a list of elements.")
    return [value]


def complex_of(value: Any, name: str, remarks: Remarks) -> Any:
    """
    Return a complex value for the bare text that stands for its `value`; as `boolean`.

    Witness: entra-manager-dialects (`"value": "<id>"`).
    """
    if not isinstance(value, str):
        return value
    remarks.deviates("VALUE", f'A value of {name} is a text. Send an object: {{"value": "..."}}.')
    return {"value": value}


def unfolded(element: Any, remarks: Remarks) -> Any:
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
    remarks.deviates("VALUE", "A role is JSON in a text. Send its parts as those of the element.")
    role = {**element, "value": inner["value"]}
    if isinstance(inner.get("displayName"), str):
        role["display"] = inner["displayName"]
    return role


def removed_elements(attribute: Attribute, value: Any, remarks: Remarks) -> Any:
    """
    Return the elements to remove from the value of a `remove`; as `boolean`.

    Witness: entra-group-lifecycle, onelogin-groups (a list); Salesforce
    (`"value": {"members": [...]}`).
    """
    name = attribute.scim_path
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.lower() == attribute.name.lower():
                return elements(inner, name, remarks)
    return elements(value, name, remarks)


def member(document: dict[str, Any], name: str) -> Any:
    """
    Return the member *name* of *document*, letters in any case; None if there is none.

    Witness: Go clients (`"operations"`), Microsoft's Postman collection (`"Primary"`).
    """
    if name in document:
        return document[name]
    lowered = name.lower()
    return next((value for key, value in document.items() if key.lower() == lowered), None)
