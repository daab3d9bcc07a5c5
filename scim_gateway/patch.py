"""PATCH documents to the changes of the contract (RFC 7644 section 3.5.2)."""

import base64
from typing import Any

from google.protobuf.message import Message
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1.change_pb2 import GroupChange, UserChange
from userdirectory.v1.filter_pb2 import Comparison, Filter, FilterList

from scim_gateway import custom, names, quirks
from scim_gateway.documents import place
from scim_gateway.errors import ScimError, invalid_path, invalid_syntax, invalid_value
from scim_gateway.paths import Path, named, read_path
from scim_gateway.remarks import Remarks
from scim_gateway.values import has_value

# RFC 7644 has no limit; the contract takes as many changes in one call.
MAX_OPERATIONS = 1000


def read_user_changes(document: dict[str, Any]) -> tuple[list[UserChange], Remarks]:
    """
    Return the changes that *document* asks for and what the policy has to judge.

    Operations without a path become one change for each attribute of their value, in order;
    extension objects in them and `name` one for each attribute inside. What nobody may write is
    ignored in such a value and refused in a path. Changes of unknown attributes are left out: the
    policy of the workspace says whether their names are an error.

    Raises:
        ScimError: 400 invalidSyntax, invalidPath, invalidFilter, invalidValue, mutability or
            noTarget; 413 for more than 1000 operations or changes.
    """
    reader = _Reader(USER)
    reader.read(document)
    return reader.changes, reader.remarks


def read_group_changes(document: dict[str, Any]) -> tuple[list[GroupChange], Remarks]:
    """Return the changes that *document* asks for; as `read_user_changes`."""
    reader = _Reader(GROUP)
    reader.read(document)
    return reader.changes, reader.remarks


class _Reader:
    """Collects the changes of one document."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self.changes: list[Any] = []
        self.remarks = Remarks()

    def read(self, document: dict[str, Any]) -> None:
        operations = quirks.member(document, "Operations")
        if not isinstance(operations, list) or not operations:
            raise invalid_syntax("The body has no list of Operations. Send at least one.")
        if len(operations) > MAX_OPERATIONS:
            raise _too_many()
        for operation in operations:
            self._operation(operation)
        if len(self.changes) > MAX_OPERATIONS:
            raise _too_many()

    def _operation(self, operation: Any) -> None:
        if not isinstance(operation, dict):
            raise invalid_syntax("An operation is not an object. Send `op`, `path` and `value`.")
        op, path, value = (quirks.member(operation, key) for key in ("op", "path", "value"))
        kind = op.lower() if isinstance(op, str) else ""
        if kind not in ("add", "replace", "remove"):
            raise invalid_syntax("An operation's `op` is not add, replace or remove. Correct it.")
        self._check_form(operation, op, value)
        if path is not None and not isinstance(path, str):
            raise invalid_path("The path of an operation is not text. Send a JSON string.")
        if kind == "remove":
            if not path:
                raise ScimError(400, "noTarget", "A remove has no path. Say what to remove.")
            self._remove(read_path(path, self._resource, self.remarks), value)
        elif path:
            self._write(kind, read_path(path, self._resource, self.remarks), value, asked=True)
        elif isinstance(value, dict):
            self._write_all(kind, value, "")
        else:
            raise invalid_value(f"A {kind} without path needs an object as value. Send one.")

    def _check_form(self, operation: dict[str, Any], op: str, value: Any) -> None:
        """Note what section 3.5.2 has not."""
        kind = op.lower()
        if op != kind:
            self.remarks.deviates("FORM", f"The op {op} is not in lower case. Send {kind}.")
        if kind == "remove":
            if value is not None:
                told = 'Select in its path what goes: members[value eq "..."].'
                self.remarks.deviates("FORM", f"A remove has a value. {told}")
        elif value is None and all(name.lower() != "value" for name in operation):
            told = "Send one, or null to take a value away."
            self.remarks.deviates("FORM", f"An operation has no value. {told}")

    def _write_all(self, kind: str, value: dict[str, Any], start: str) -> None:
        """Write every attribute that a value without path, or an extension's object, has."""
        for key, inner in value.items():
            name = start + key
            # Witness: entra-user-updates-aadoptscim062020 (`"name.givenName"`, `"urn:...:User:x"`).
            if "[" in key:
                path = read_path(name, self._resource, self.remarks)
            else:
                path = named(name, self._resource, self.remarks)
            if any(mark in key for mark in ".:[") and not _is_extension(path, inner):
                told = "Send it as the path of an operation."
                self.remarks.deviates("NAME", f"{key[:128]} in a value is a path. {told}")
            self._write(kind, path, inner, asked=False)

    def _write(self, kind: str, path: Path, value: Any, *, asked: bool) -> None:
        """Add or replace what *path* points to; *asked* is whether the client wrote a path."""
        attribute = path.attribute
        if path.custom is not None:
            self.changes.extend(custom.changes(kind, path.custom, value))
        elif attribute is None:
            self._miss(path, value, asked=asked)
        elif attribute.extension:
            self._write_extension(kind, attribute, value)
        elif _is_fixed(self._resource, attribute):
            if asked:
                raise _read_only(attribute)
            self.remarks.deviates("READ_ONLY", _read_only(attribute).detail)
        elif _has_parts(attribute):
            self._write_parts(kind, attribute, value)
        else:
            self._set(kind, path, attribute, value)

    def _miss(self, path: Path, value: Any, *, asked: bool) -> None:
        if not path.derived:
            if has_value(value):
                self.remarks.unknown.append(path.name)
        elif path.name.lower() != "schemas":
            told = f"{path.name} cannot be written. Leave it out."
            if asked:
                raise ScimError(400, "mutability", told)
            if not path.name.lower().endswith(":schemas"):
                self.remarks.deviates("READ_ONLY", told)

    def _write_extension(self, kind: str, extension: Attribute, value: Any) -> None:
        if not has_value(value):
            value = {child.name: None for child in extension.children}
        if not isinstance(value, dict):
            raise invalid_value(f"{extension.urn} is not an object. Send its attributes as one.")
        self._write_all(kind, value, f"{extension.urn}:")

    def _write_parts(self, kind: str, attribute: Attribute, value: Any) -> None:
        """Write the parts that are sent: the others of a complex attribute stay (3.5.2.3)."""
        value = quirks.only_element(value, attribute.scim_path, self.remarks)
        if not has_value(value):
            self._set(kind, Path(attribute, None, ""), attribute, value)
        elif isinstance(value, dict):
            start = attribute.scim_path
            self._write_all(kind, value, f"{attribute.urn}:{start}.")
        else:
            raise invalid_value(f"Attribute {attribute.scim_path} is not an object. Send one.")

    def _set(self, kind: str, path: Path, attribute: Attribute, value: Any) -> None:
        if (
            attribute.multi_valued
            and isinstance(value, dict)
            and (kind == "add" or path.where is not None)
        ):
            value = [value]  # one more element, or what the selected one shall be
        message = self._resource.message()
        place(message, attribute, value, self.remarks)
        empty = not message.ByteSize()
        if empty and kind == "add" and path.where is None and attribute.field.is_repeated:
            return  # nothing to add
        change = self._new_change()
        step = change.add if kind == "add" and not empty else change.set
        step.field = attribute.path
        if path.where is not None:
            step.where.CopyFrom(path.where)
        if not empty:
            step.value.CopyFrom(message)

    def _remove(self, path: Path, value: Any) -> None:
        attribute = path.attribute
        if path.custom is not None:
            self.changes.append(custom.removal(path.custom, value))
        elif attribute is None:
            self._miss(path, path.name, asked=True)
        elif _is_fixed(self._resource, attribute):
            raise _read_only(attribute)
        elif path.where is None and value is not None and attribute.field.is_repeated:
            self._remove_listed(attribute, value)
        else:
            removal = self._new_change().remove
            removal.field = attribute.path
            if path.where is not None:
                removal.where.CopyFrom(path.where)

    def _remove_listed(self, attribute: Attribute, value: Any) -> None:
        """Remove the elements in *value*; an empty list removes none and never all."""
        message = self._resource.message()
        listed = quirks.removed_elements(attribute, value, self.remarks)
        place(message, attribute, listed, self.remarks)
        if not message.ByteSize():
            return
        change = self._new_change()
        if self._resource is GROUP:
            change.discard.field = attribute.path
            change.discard.value.CopyFrom(message)
            return
        holder: Any = message
        for name in attribute.path.split("."):
            holder = getattr(holder, name)
        change.remove.field = attribute.path
        change.remove.where.any_of.CopyFrom(FilterList(filters=[_same(e) for e in holder]))

    def _new_change(self) -> Any:
        change = UserChange() if self._resource is USER else GroupChange()
        self.changes.append(change)
        return change


def _has_parts(attribute: Attribute) -> bool:
    """Return whether the attribute is one complex value without a `value`: `name`."""
    return (
        attribute.type == "complex"
        and not attribute.multi_valued
        and names.value_of(attribute) is None
    )


def _is_extension(path: Path, value: Any) -> bool:
    """Return whether *path* is that of an extension, whose object *value* is."""
    if path.attribute is not None:
        return path.attribute.extension
    return path.custom is not None and isinstance(value, dict)


def _is_fixed(resource: Resource, attribute: Attribute) -> bool:
    """Return whether nobody may write the attribute, or only as a part of a new element."""
    around = names.element_of(resource, attribute)
    return (
        attribute.mutability in ("readOnly", "immutable")
        or attribute.in_meta
        or (around is not None and around.mutability == "readOnly")
    )


def _same(element: Message | str) -> Filter:
    """Return the filter that *element* passes: by its value, without one by all that it has."""
    if isinstance(element, str):
        return Filter(equal=Comparison(field="value", text=element))
    parts = {field.name: value for field, value in element.ListFields()}
    if "value" in parts:
        parts = {"value": parts["value"]}
    tests = [Filter(equal=_operand(name, value)) for name, value in parts.items()]
    return tests[0] if len(tests) == 1 else Filter(all_of=FilterList(filters=tests))


def _operand(name: str, value: str | bool | bytes) -> Comparison:
    if isinstance(value, bool):
        return Comparison(field=name, flag=value)
    text = base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
    return Comparison(field=name, text=text)


def _read_only(attribute: Attribute) -> ScimError:
    return ScimError(
        400, "mutability", f"Attribute {attribute.scim_path} cannot be changed. Leave it out."
    )


def _too_many() -> ScimError:
    return ScimError(
        413, "", f"The body has more than {MAX_OPERATIONS} operations. Send several requests."
    )
