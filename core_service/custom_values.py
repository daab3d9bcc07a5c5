"""The values of custom attributes in users: merged, patched and compared (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from userdirectory.attributes import USER
from userdirectory.custom import NOTHING, Declaration, Declared, Value, key
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.custom_pb2 import CustomElement, CustomValue
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.user_pb2 import User

from core_service.comparisons import MAX_COMPARISONS, too_much
from core_service.custom_filters import passes, read
from core_service.fields import invalid, shown
from core_service.matching import check

FIELD = "custom"
# Some may be there twice, so that more are taken than can stay.
_MOST_BEFORE_SETTLED = 1000


def merge(user: User, given: Iterable[CustomValue]) -> None:
    """
    Set in *user* what *given* names; the other attributes stay.

    One without elements is cleared; with an empty name too, every attribute of the extension is.
    """
    patch = Patch(user, NOTHING, create_missing=True)
    patch.set(given)
    patch.put_back()


def apply(
    user: User,
    changes: Iterable[tuple[int, UserChange]],
    declared: Declared,
    *,
    create_missing: bool,
) -> None:
    """Apply changes of the field `custom`, with their indexes; as `Patch.apply`."""
    patch = Patch(user, declared, create_missing=create_missing)
    for index, change in changes:
        patch.apply(index, change)
    patch.put_back()


class Patch:
    """The custom attributes of a user while changes are applied to them."""

    def __init__(self, user: User, declared: Declared, *, create_missing: bool) -> None:
        """Take what *user* has; `put_back` changes it."""
        self._user = user
        self._declared = declared
        self._create_missing = create_missing
        self._stored = {key(each.urn, each.name): each for each in user.custom}
        self._comparisons = 0

    def apply(self, index: int, change: UserChange) -> None:
        """
        Apply a change of the field `custom`; what is not declared is passed over.

        Raises:
            DirectoryError: FIELD_INVALID if `where` names no attribute, or there are too many
                values; FILTER_INVALID; NO_TARGET (`field`, `index`) if `set` or `remove` selects
                values and there are none.
        """
        step = change.WhichOneof("step") or ""
        body: Any = getattr(change, step)
        given = () if step == "remove" else body.value.custom
        if body.HasField("where"):
            for attribute, where in self._selected(body.where):
                self._change(attribute, where, step, given, index)
        elif step == "add":
            self.set([self._added(each) for each in given if each.elements])
        elif given:
            self.set(given)
        else:
            self._stored = {}

    def set(self, given: Iterable[CustomValue]) -> None:
        """Set what *given* names; as `merge`."""
        for each in given:
            named = key(each.urn, each.name)
            if not each.name:
                self._stored = {k: v for k, v in self._stored.items() if fold(v.urn) != named[:-1]}
            elif each.elements:
                self._stored[named] = each
            else:
                self._stored.pop(named, None)

    def put_back(self) -> None:
        """Write the attributes to the user."""
        _put(self._user, list(self._stored.values()))

    def _change(
        self,
        attribute: Declaration,
        where: Filter | None,
        step: str,
        given: Iterable[CustomValue],
        index: int,
    ) -> None:
        stored = self._elements(attribute)
        gone = [e for e in stored if where is None or passes(read(attribute, e), where, attribute)]
        if where is not None and not gone and step != "add" and not self._create_missing:
            raise _no_target(attribute, index)
        adds = step == "add" and attribute.multi_valued
        rest = stored if adds else [e for e in stored if e not in gone]
        put_ = [element for each in given for element in each.elements]
        self.set([_value(attribute, [*rest, *put_])])

    def _selected(self, where: Filter) -> list[tuple[Declaration, Filter | None]]:
        """Return the attributes that *where* names, and what their values must pass, if asked."""
        if where.WhichOneof("test") != "custom":
            raise invalid(FIELD, "Field custom is selected by a test `custom`. Name an attribute.")
        asked = where.custom
        found = self._declared.named(asked.urn, asked.name)
        if not asked.HasField("where") or not found:
            return [(attribute, None) for attribute in found]
        self._comparisons += check(where, USER, declared=self._declared)
        if self._comparisons > MAX_COMPARISONS:
            raise too_much(f"{MAX_COMPARISONS} comparisons", FIELD, MAX_COMPARISONS)
        return [(attribute, asked.where) for attribute in found]

    def _added(self, given: CustomValue) -> CustomValue:
        """Return *given* behind what the user has of it already, if there can be several."""
        attribute = self._declared.find(given.urn, given.name)
        if attribute is None or not attribute.multi_valued:
            return given
        stored = self._elements(attribute)
        new = [element for element in given.elements if element not in stored]
        return _value(attribute, [*stored, *new])

    def _elements(self, attribute: Declaration) -> list[CustomElement]:
        stored = self._stored.get(key(attribute.urn, attribute.name))
        if stored is None:
            return []
        if len(stored.elements) > _MOST_BEFORE_SETTLED:
            raise invalid(attribute.path, f"{attribute.path} has too many values. Send fewer.")
        return list(stored.elements)


def is_about(change: UserChange) -> bool:
    """Return whether a change is about the field `custom`."""
    step = change.WhichOneof("step")
    return step is not None and getattr(change, step).field == FIELD


def undeclared(changes: Iterable[UserChange], declared: Declared) -> Iterator[str]:
    """Yield what changes of the field `custom` name that is not declared."""
    for change in changes:
        step = change.WhichOneof("step")
        body: Any = getattr(change, step or "remove")
        if not is_about(change):
            continue
        if body.where.WhichOneof("test") == "custom":
            asked = body.where.custom
            if not declared.named(asked.urn, asked.name):
                yield shown(f"{asked.urn}:{asked.name}")
        elif step != "remove":
            yield from strangers(body.value, declared)


def strangers(user: User, declared: Declared) -> Iterator[str]:
    """Yield the attributes with values in *user* that are not declared; an unknown URN once."""
    for each in user.custom:
        if each.elements and declared.find(each.urn, each.name) is None:
            known = fold(each.urn) in declared.by_urn
            yield shown(f"{each.urn}:{each.name}" if known else each.urn)


def values(user: User, declared: Declared) -> Iterator[tuple[Declaration, list[Value]]]:
    """
    Yield the declared attributes that *user* has, with their values.

    Raises:
        DirectoryError: FIELD_INVALID (`field`) for a value of another type.
    """
    for each in user.custom:
        attribute = declared.find(each.urn, each.name)
        if attribute is not None:
            read_values = [read(attribute, element) for element in each.elements]
            if None in read_values:
                raise invalid(
                    attribute.path,
                    f"{attribute.path} is of type {attribute.type}. Send a value of that type.",
                )
            yield attribute, [value for value in read_values if value is not None]


def stored(attribute: Declaration, value: CustomValue) -> list[Value | None]:
    """Return the values of *attribute* that are stored; None for one that should not be."""
    return [
        read(attribute, element) if element.WhichOneof("value") == attribute.operand else None
        for element in value.elements
    ]


def put(user: User, found: Iterable[tuple[Declaration, Sequence[Value]]]) -> None:
    """Make *found* the custom attributes of *user*, in the order of their names."""
    ordered = sorted((each for each in found if each[1]), key=lambda each: each[0].path)
    _put(user, [_value(a, [_element(a, value) for value in some]) for a, some in ordered])


def _value(attribute: Declaration, elements: Iterable[CustomElement]) -> CustomValue:
    return CustomValue(
        urn=attribute.urn,
        name=attribute.name,
        elements=elements,
        multi_valued=attribute.multi_valued,
    )


def _element(attribute: Declaration, value: Value) -> CustomElement:
    element = CustomElement()
    if attribute.type == "dateTime":
        element.time.FromMicroseconds(int(value))
    else:
        setattr(element, attribute.operand, value)
    return element


def _put(user: User, custom: Sequence[CustomValue]) -> None:
    copies = [CustomValue.FromString(each.SerializeToString()) for each in custom]
    del user.custom[:]
    user.custom.extend(copies)


def _no_target(attribute: Declaration, index: int) -> DirectoryError:
    return DirectoryError(
        "NO_TARGET",
        f"No value of {attribute.path} is what change {index} selects. Add one first.",
        field=attribute.path,
        index=index,
    )
