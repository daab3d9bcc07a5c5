"""One patch under way: changes applied to a copy of a resource (RFC 7644, section 3.5.2; pure)."""

from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from userdirectory.attributes import Resource
from userdirectory.errors import DirectoryError
from userdirectory.v1.filter_pb2 import Filter

from core_service.elements import Elements, check_limit, made_of, tidied
from core_service.fields import Place, invalid, missing, place_of, scalar
from core_service.matching import check, matches

MAX_COMPARISONS = 4000

M = TypeVar("M", bound=Message)


class Patch(Generic[M]):
    """
    A copy of a resource that changes are applied to one by one.

    Args:
        resource: The attributes of *message*.
        message: The resource; stays as it is.
        create_missing: Whether an element that a `set` selects and that is not there is made from
            the equalities of the selection, as one that an `add` selects always is (D-43); else
            the change fails with NO_TARGET.
    """

    def __init__(self, resource: Resource, message: M, *, create_missing: bool) -> None:
        """Copy *message*."""
        self._resource = resource
        self._create_missing = create_missing
        self._message = type(message)()
        self._message.CopyFrom(message)
        self._lists: dict[str, tuple[Place, Elements]] = {}
        self._touched: dict[tuple[str, ...], Place] = {}
        self._comparisons = 0
        self._index = 0

    def apply(self, index: int, step: str, path: str, where: Filter | None, value: Any) -> None:
        """
        Apply one change.

        Args:
            index: Which of the changes it is, from 0.
            step: `add`, `set` or `remove`.
            where: Which elements of the repeated field it is for; None means all.
            value: A resource in which only the field has a value; None for `remove`.

        Raises:
            DirectoryError: FIELD_UNKNOWN, FIELD_READ_ONLY, FIELD_INVALID, FILTER_INVALID,
                NO_TARGET (`field`, `index`). The patch cannot be used any more.
        """
        self._index = index
        place = place_of(self._resource, path)
        if place.read_only:
            raise DirectoryError(
                "FIELD_READ_ONLY",
                f"Field {path} is set by the directory. Leave it out of the changes.",
                field=path,
            )
        if where is not None:
            self._check(place, where)
        self._apply(place, step, where, value)

    def result(self) -> M:
        """Return the changed copy in normal form. Ends the patch."""
        for place, elements in self._lists.values():
            elements.put_back(place.holder(self._message))
        for place in self._touched.values():
            place.prune(self._message)
        return self._message

    def _check(self, place: Place, where: Filter) -> None:
        if not place.repeated:
            raise DirectoryError(
                "FILTER_INVALID",
                f"Field {place.path} has no elements to select. Leave the filter out.",
                field=place.path,
            )
        self._comparisons += check(where, self._resource, within=place.whole)
        if self._comparisons > MAX_COMPARISONS:
            raise DirectoryError(
                "FILTER_INVALID",
                f"The changes have more than {MAX_COMPARISONS} comparisons. Send fewer at once.",
                field=place.path,
                limit=MAX_COMPARISONS,
            )

    def _apply(self, place: Place, step: str, where: Filter | None, value: Any) -> None:
        if place.parents:
            self._touched[place.parents] = place
        if place.message:
            self._apply_to_message(place, step, value)
        elif place.repeated:
            elements = self._elements(place)
            if place.part:
                self._apply_to_part(place, elements, step, where, value)
            else:
                self._apply_to_elements(place, elements, step, where, value)
            elements.check_limit()
        else:
            self._apply_to_scalar(place, step, value)

    def _apply_to_message(self, place: Place, step: str, value: Any) -> None:
        """Apply the change to the parts that *value* has; set nothing or remove: to all."""
        given = [] if step == "remove" else getattr(place.holder(value), place.name).ListFields()
        names = [field.name for field, _ in given]
        if not names and step != "add":
            step, value = "remove", None
            names = list(place.parts)
        for name in names:
            part = place_of(self._resource, f"{place.path}.{name}")
            if not part.read_only:
                self._apply(part, step, None, value)

    def _apply_to_scalar(self, place: Place, step: str, value: Any) -> None:
        holder = place.holder(self._message)
        given = None if step == "remove" else scalar(place.holder(value), place.name)
        if given is not None:
            setattr(holder, place.name, given)
        elif step != "add":
            if place.required:
                raise missing(place.path)
            holder.ClearField(place.name)

    def _apply_to_elements(
        self, place: Place, elements: Elements, step: str, where: Filter | None, value: Any
    ) -> None:
        given = [] if step == "remove" else self._given(place, value)
        selected = self._select(place, elements, where, step)
        if not given:
            if step != "add":
                elements.replace(selected, ())
        elif where is None:
            elements.add(given) if step == "add" else elements.replace(selected, given)
        elif place.field.message_type is None:
            elements.replace(selected, given)
        elif selected and step == "add":
            elements.merge(selected, given)
        else:
            whole = [_over(made_of(where, place.field), element) for element in given]
            elements.replace(selected, whole) if selected else elements.add(whole)

    def _apply_to_part(
        self, place: Place, elements: Elements, step: str, where: Filter | None, value: Any
    ) -> None:
        selected = self._select(place, elements, where, step)
        given = () if step == "remove" else getattr(place.holder(value), place.name)
        if len(given) > 1:
            raise invalid(place.path, f"Field {place.path} takes one value. Send one element.")
        part = scalar(given[0], place.part) if given else None
        if part is not None:
            if selected:
                elements.set_part(selected, place.part, part)
            else:
                made = made_of(where, place.field)
                setattr(made, place.part, part)
                elements.add([made])
        elif step != "add":
            for element in selected:
                element.ClearField(place.part)

    def _given(self, place: Place, value: Any) -> list[Any]:
        elements = getattr(place.holder(value), place.name)
        check_limit(place.whole, len(elements))
        return tidied(elements, place.whole, husks=True)

    def _select(
        self, place: Place, elements: Elements, where: Filter | None, step: str
    ) -> list[Any]:
        """Return the elements that the change is for; if none is, NO_TARGET where it matters."""
        if where is None:
            return list(elements.items)
        resource, within = self._resource, place.whole
        selected = [e for e in elements.items if matches(e, where, resource, within=within)]
        if not selected and step != "add" and not self._create_missing:
            raise DirectoryError(
                "NO_TARGET",
                f"No element of {within} is what change {self._index} selects. Add one first.",
                field=place.path,
                index=self._index,
            )
        return selected

    def _elements(self, place: Place) -> Elements:
        if place.whole not in self._lists:
            field = getattr(place.holder(self._message), place.name)
            self._lists[place.whole] = (place, Elements(place, field))
        return self._lists[place.whole][1]


def _over(base: Any, element: Any) -> Any:
    base.MergeFrom(element)
    return base
