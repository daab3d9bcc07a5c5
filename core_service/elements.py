"""The elements of one repeated field while changes are applied to them (pure)."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator, Sequence
from operator import is_not
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory.attributes import USER
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1.filter_pb2 import Comparison, Filter

from core_service.fields import Place, has_value, invalid, joined, writable

# The most elements of each repeated field, as the contract's comments say.
LIMITS = {
    "emails": 100,
    "phone_numbers": 100,
    "ims": 100,
    "addresses": 100,
    "entitlements": 100,
    "roles": 100,
    "x509_certificates": 20,
}


class Elements:
    """
    A list of elements that changes are applied to before it is put back.

    An element without a value, such as `{type: "work"}`, stays until the list is put back: a later
    change may give it one. It takes the primary flag from others only when it has a value.
    """

    def __init__(self, place: Place, elements: Iterable[Any]) -> None:
        """Take the elements of the field that *place* is: messages, or texts."""
        self._place = place
        self._claims: list[Any] = []
        self.items: list[Any] = list(elements)

    def add(self, given: Sequence[Any]) -> None:
        """
        Append what is not there; what has the same value and type takes over the other parts.

        Source: RFC 7644 section 3.5.2.1; RFC 7643 section 2.4: no two elements have the same value
        and type, and as those are compared without case, what is there keeps its spelling.
        """
        known = {_identity(element): element for element in reversed(self.items)}
        equal = {_key(element): element for element in self.items}
        for element in given:
            there = equal.get(_key(element)) or known.setdefault(_identity(element), element)
            if there is element:
                self.items.append(element)
            elif isinstance(there, Message):
                for name in ("value", "type") if "value" in _content_of(there) else ():
                    element.ClearField(name)
                there.MergeFrom(element)
            self._claim(there, element)
        self._settle()

    def merge(self, selected: Sequence[Any], given: Sequence[Any]) -> None:
        """Take the parts of *given* over into every selected element."""
        for there in selected:
            for element in given:
                there.MergeFrom(element)
                self._claim(there, element)
        self._settle()

    def replace(self, selected: Sequence[Any], given: Sequence[Any]) -> None:
        """Put *given* in the place of the first selected element and drop the others."""
        gone = {id(item) for item in selected}
        at = next((i for i, item in enumerate(self.items) if id(item) in gone), len(self.items))
        rest = [item for item in self.items[at:] if id(item) not in gone]
        self.items = [*self.items[:at], *given, *rest]
        for element in given:
            self._claim(element, element)
        self._settle()

    def set_part(self, selected: Sequence[Any], part: str, value: Any) -> None:
        """
        Give every selected element the same *part*.

        Raises:
            DirectoryError: FIELD_INVALID if several would be primary.
        """
        if part == "primary" and value and len(selected) > 1:
            raise two_primaries(self._place.path)
        for element in selected:
            setattr(element, part, value)
            if part == "primary" and value:
                self._claims.append(element)
        self._settle()

    def check_limit(self) -> None:
        """Raise FIELD_INVALID if there are more elements than the contract allows."""
        check_limit(self._place.whole, len(self.items))

    def put_back(self, holder: Message) -> None:
        """Write the elements to *holder*, those without a value and exact duplicates left out."""
        self._settle()
        field = getattr(holder, self._place.name)
        kept = normal(self.items)
        if len(kept) != len(field) or any(map(is_not, kept, field)):
            del field[:]
            field.extend(kept)

    def _claim(self, element: Any, given: Any) -> None:
        if isinstance(given, Message) and getattr(given, "primary", False):
            self._claims.append(element)

    def _settle(self) -> None:
        """Leave only the element primary that was made so last (RFC 7644 section 3.5.2)."""
        for claimant in reversed(self._claims):
            there = any(item is claimant for item in self.items)
            if there and claimant.primary and not is_husk(claimant):
                break
        else:
            return
        for item in self.items:
            if item is not claimant and item.primary and not is_husk(item):
                item.ClearField("primary")


def tidy(message: Message) -> None:
    """
    Clear in *message* what is no value: empty texts and messages, what callers cannot write.

    Raises:
        DirectoryError: FIELD_INVALID (`field`) if two elements of a field are primary.
    """
    written = writable(message)
    for field, value in message.ListFields():
        if field.name not in written:
            message.ClearField(field.name)
        elif field.is_repeated:
            kept = tidied(value, field.name)
            if kept != list(value):
                del value[:]
                value.extend(kept)
        elif isinstance(value, Message):
            tidy(value)
            if not has_value(value):
                message.ClearField(field.name)
        elif not value and not isinstance(value, int):
            message.ClearField(field.name)


def tidied(elements: Iterable[Any], path: str, *, husks: bool = False) -> list[Any]:
    """
    Return copies of *elements* in normal form: with a value, each once, at most one primary.

    Args:
        path: The field, for the error.
        husks: Whether elements stay that say something but have no `value`.

    Raises:
        DirectoryError: FIELD_INVALID (`field`) if two are primary.
    """
    copies = []
    for element in elements:
        if isinstance(element, Message):
            copy = type(element)()
            copy.CopyFrom(element)
            copy.DiscardUnknownFields()
            tidy(copy)
            copies.append(copy)
        else:
            copies.append(element)
    kept = normal(copies)
    if sum(1 for element in kept if getattr(element, "primary", False)) > 1:
        raise two_primaries(path)
    return _distinct(filter(_says, copies)) if husks else kept


def normal(elements: Iterable[Any]) -> list[Any]:
    """Return the elements that have a value, each once, in their order."""
    return _distinct(element for element in elements if not is_husk(element))


def is_husk(element: Any) -> bool:
    """Return whether an element has no `value`; if its kind has none, only type and primary."""
    if isinstance(element, str):
        return not element
    names = _content_of(element)
    if "value" in names:
        return not element.value
    return not any(getattr(element, name) for name in names)


def made_of(where: Filter | None, field: FieldDescriptor) -> Any:
    """
    Return an element of the message *field* with what *where* says is equal (D-43).

    Only equalities joined by `all_of` count.

    Raises:
        DirectoryError: FIELD_INVALID if bytes are not base64.
    """
    assert field.message_type is not None
    element = GetMessageClass(field.message_type)()
    written = writable(element)
    for comparison in _equalities(where) if where is not None else ():
        if comparison.field in written:
            value = getattr(comparison, comparison.WhichOneof("operand") or "text")
            if isinstance(getattr(element, comparison.field), bytes):
                value = _bytes(joined(field.name, comparison.field), comparison)
            setattr(element, comparison.field, value)
    tidy(element)
    return element


def check_limit(path: str, count: int) -> None:
    """Raise FIELD_INVALID (`field`, `limit`) if *count* elements are too many for the field."""
    limit = LIMITS.get(path, count)
    if count > limit:
        raise invalid(path, f"Field {path} can have {limit} elements. Send fewer.", limit=limit)


def two_primaries(path: str) -> DirectoryError:
    """Return the error for a field that would have two primary elements."""
    return invalid(path, f"Field {path} has several primary elements. Mark only one as primary.")


def _equalities(where: Filter) -> Iterator[Comparison]:
    match where.WhichOneof("test"):
        case "equal":
            yield where.equal
        case "all_of":
            for inner in where.all_of.filters:
                yield from _equalities(inner)


def _bytes(path: str, comparison: Comparison) -> bytes:
    try:
        return b64decode(comparison.text, validate=True)
    except Error:
        raise invalid(path, f"The text to compare {path} with is not base64.") from None


def _says(element: Any) -> bool:
    return has_value(element) if isinstance(element, Message) else bool(element)


def _distinct(elements: Iterable[Any]) -> list[Any]:
    items = list(elements)
    if len(items) < 2:
        return items
    kept: dict[Any, Any] = {}
    for element in items:
        kept.setdefault(_key(element), element)
    return list(kept.values())


def _key(element: Any) -> str | bytes:
    """Return what equal elements have in common."""
    if isinstance(element, str):
        return element
    key: bytes = element.SerializeToString(deterministic=True)
    return key


def _identity(element: Any) -> Any:
    """Return what no two elements have in common."""
    if isinstance(element, str):
        return element
    if "value" not in _content_of(element):
        copy = type(element)()
        copy.CopyFrom(element)
        copy.ClearField("primary")
        return _key(copy)
    value = element.value
    return (fold(value) if isinstance(value, str) else value, fold(element.type))


def _content_of(element: Message) -> tuple[str, ...]:
    return _CONTENT[element.DESCRIPTOR.full_name]


def _content() -> dict[str, tuple[str, ...]]:
    """Return the fields that give an element a value, by the element's message."""
    content = {}
    for kind in USER.attributes:
        message: Any = kind.field.message_type
        if kind.multi_valued and message is not None:
            names = {part.field.name for part in kind.children}
            content[message.full_name] = tuple({"value"} & names or names - {"type", "primary"})
    return content


_CONTENT = _content()
