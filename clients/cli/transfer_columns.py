"""How a column of a file of users reads, compares, changes and clears what it is about."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.text import fold, name_key
from userdirectory.v1.change_pb2 import Removal, UserChange, UserValue
from userdirectory.v1.custom_pb2 import CustomValue
from userdirectory.v1.filter_pb2 import Comparison, Filter, FilterList
from userdirectory.v1.user_pb2 import User

PASSWORD = "password"  # noqa: S105 - the name of the field

_FLAGS = {
    "true": True,
    "yes": True,
    "1": True,
    "wahr": True,  # what a German Excel makes of true
    "false": False,
    "no": False,
    "0": False,
    "falsch": False,
}


@dataclass(frozen=True, slots=True)
class Column:
    """
    A single value of a user.

    Attributes:
        name: As files name it: `name.given_name`.
        path: Where it is in the message.
    """

    name: str
    path: str

    def text(self, user: User) -> str:
        """Return the value as CSV has it, empty if there is none."""
        holder, name = _holder(user, self.path)
        value = getattr(holder, name)
        if isinstance(value, Timestamp):
            return value.ToJsonString() if holder.HasField(name) else ""
        if isinstance(value, bool):
            return str(value).lower() if holder.HasField(name) else ""
        return str(value)

    def shown(self, user: User) -> str:
        """Return the value as people may see it."""
        text = self.text(user)
        return "(hidden)" if text and self.name == PASSWORD else text

    def put(self, user: User, cell: str) -> None:
        """Put what a cell says into *user*; ValueError, with what to write, if it says nothing."""
        holder, name = _holder(user, self.path)
        if isinstance(getattr(holder, name), bool):
            if cell.strip().lower() not in _FLAGS:
                raise ValueError(f"{cell!r} is neither true nor false. Write one of them.")
            setattr(holder, name, _FLAGS[cell.strip().lower()])
        else:
            setattr(holder, name, cell)

    def copy(self, source: User, target: User) -> None:
        """Give *target*, which has none, the value of *source*."""
        (giving, name), (taking, _) = _holder(source, self.path), _holder(target, self.path)
        setattr(taking, name, getattr(giving, name))

    def differs(self, before: User, wanted: User) -> bool:
        """Return whether *wanted* has another value than *before*."""
        return self.text(before) != self.text(wanted)

    def change(self, before: User, wanted: User) -> UserChange:  # noqa: ARG002 - some forms need it
        """Return the change that gives the user the value of *wanted*."""
        value = UserValue(field=self.path)
        self.copy(wanted, value.value)
        return UserChange(set=value)

    def removal(self, before: User) -> UserChange:  # noqa: ARG002 - some forms need it
        """Return the change that takes the value away."""
        return UserChange(remove=Removal(field=self.path))


class Names(Column):
    """Names in one cell, with commas between; their order says nothing."""

    __slots__ = ()

    def text(self, user: User) -> str:
        """Return the names."""
        return ", ".join(self._of(user))

    def put(self, user: User, cell: str) -> None:
        """Add the names to *user*."""
        self._of(user).extend(name.strip() for name in cell.split(",") if name.strip())

    def copy(self, source: User, target: User) -> None:
        """Give *target* the names of *source*."""
        self._of(target).extend(self._of(source))

    def differs(self, before: User, wanted: User) -> bool:
        """Return whether *wanted* has other names, in whatever order."""
        return set(map(name_key, self._of(before))) != set(map(name_key, self._of(wanted)))

    def _of(self, user: User) -> Any:
        holder, name = _holder(user, self.path)
        return getattr(holder, name)


@dataclass(frozen=True, slots=True)
class Element(Column):
    """
    The value of the first element of one type: `emails.work`.

    Attributes:
        path: The list: `emails`.
        type: `work`.
    """

    type: str

    def text(self, user: User) -> str:
        """Return the value of the element."""
        found = self._find(user)
        return found.value if found is not None else ""

    def put(self, user: User, cell: str) -> None:
        """Add an element."""
        getattr(user, self.path).add(value=cell, type=self.type)

    def copy(self, source: User, target: User) -> None:
        """Give *target* the element of *source*."""
        self.put(target, self.text(source))

    def change(self, before: User, wanted: User) -> UserChange:
        """
        Return the change of this one element.

        The directory finds it by what it was, so that nothing is lost that others do meanwhile to
        the other elements, of the same type too.
        """
        value = User()
        if self._find(before) is None:
            self.copy(wanted, value)
            return UserChange(add=UserValue(field=self.path, value=value))
        getattr(value, self.path).add(value=self.text(wanted))
        where = self._where(before)
        return UserChange(set=UserValue(field=f"{self.path}.value", where=where, value=value))

    def removal(self, before: User) -> UserChange:
        """Return the change that takes this one element away."""
        return UserChange(remove=Removal(field=self.path, where=self._where(before)))

    def _find(self, user: User) -> Any:
        elements = getattr(user, self.path)
        return next((each for each in elements if fold(each.type) == self.type), None)

    def _where(self, before: User) -> Filter:
        tests = (("type", self.type), ("value", self.text(before)))
        filters = [Filter(equal=Comparison(field=name, text=text)) for name, text in tests]
        return Filter(all_of=FilterList(filters=filters))


class List(Column):
    """A whole list, as only JSON can write it: `emails`."""

    __slots__ = ()

    def text(self, user: User) -> str:
        """Return the elements as JSON."""
        elements = [MessageToDict(e, preserving_proto_field_name=True) for e in self._of(user)]
        return json.dumps(elements, ensure_ascii=False) if elements else ""

    def copy(self, source: User, target: User) -> None:
        """Give *target* the elements of *source*."""
        self._of(target).extend(self._of(source))

    def differs(self, before: User, wanted: User) -> bool:
        """Return whether the elements differ; which one is primary, only if *wanted* says so."""
        says = any(element.primary for element in self._of(wanted))
        return _plain(self._of(before), primary=says) != _plain(self._of(wanted), primary=says)

    def _of(self, user: User) -> Any:
        return getattr(user, self.path)


class Custom(List):
    """The attributes that the workspace declares; those that are not named stay as they are."""

    __slots__ = ()

    def differs(self, before: User, wanted: User) -> bool:
        """Return whether an attribute that *wanted* names has other values in *before*."""
        there = {_key(value): _written(value) for value in before.custom}
        return any(there.get(_key(value), []) != _written(value) for value in wanted.custom)


def _plain(elements: Sequence[Any], *, primary: bool) -> list[Any]:
    plain = []
    for element in elements:
        copy = type(element)()
        copy.CopyFrom(element)
        if not primary or not copy.primary:
            copy.ClearField("primary")
        plain.append(copy)
    return plain


def _written(value: CustomValue) -> list[str]:
    """Return the values as texts, which the directory takes for those of any type."""
    elements = (MessageToDict(element) for element in value.elements)
    found = (next(iter(element.values()), "") for element in elements)
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in found]


def _key(value: CustomValue) -> str:
    return fold(f"{value.urn}:{value.name}")


def _holder(user: User, path: str) -> tuple[Any, str]:
    *around, name = path.split(".")
    holder: Any = user
    for part in around:
        holder = getattr(holder, part)
    return holder, name
