"""
Changes, masks and normal forms of users and groups.

Pure: the messages given are never changed, and an error leaves nothing behind. Works on the
attribute table, so that a field added to the contract needs no line here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from userdirectory.attributes import GROUP, USER
from userdirectory.custom import NOTHING, Declared
from userdirectory.v1.change_pb2 import GroupChange, UserChange
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from core_service import custom_values
from core_service.elements import LIMITS, check_limit, tidy
from core_service.fields import Place, has_value, invalid, missing, place_of, scalar, unknown
from core_service.patching import Patch

MAX_CHANGES = 1000
ALWAYS = ("id", "etag", "create_time", "update_time")

M = TypeVar("M", bound=Message)


def apply_user_changes(
    user: User,
    changes: Sequence[UserChange],
    *,
    create_missing: bool,
    declared: Declared = NOTHING,
) -> User:
    """
    Return *user* with the changes applied in their order.

    Where RFC 7644 leaves room:
    - `set` with an empty value removes; `add` with an empty value does nothing.
    - `set` of a message keeps the parts that the value does not name (section 3.5.2.3).
    - `add` of an element whose value and type are there merges into the one that is there.
    - `set` of selected elements replaces them whole; what the selection says is equal stays unless
      the new value says otherwise, so that `emails[type eq "work"]` still finds it.
    - The element made primary last is the only one. An element that ends without a value goes.

    Args:
        user: In normal form, as `clean` or this function returns it; derived fields may be set.
        changes: At most 1000, with at most 4000 comparisons in their selections.
        create_missing: Whether `set` makes the element that it selects if it is not there, as
            `add` always does, and `remove` finds nothing to do (D-43); else that is NO_TARGET.
        declared: The custom attributes of the workspace.

    Raises:
        DirectoryError: FIELD_UNKNOWN, FIELD_READ_ONLY, FILTER_INVALID (`field`); NO_TARGET
            (`field`, `index` of the change); FIELD_INVALID (`field`, `limit`) if a required field
            would be removed, two elements would be primary, or there are too many of something.

    Source: RFC 7644 section 3.5.2.
    """
    _check_count(changes)
    patch = Patch(USER, user, create_missing=create_missing)
    custom = []
    for index, change in enumerate(changes):
        if custom_values.is_about(change):
            custom.append((index, change))
        else:
            _apply(patch, index, change)
    result = patch.result()
    custom_values.apply(result, custom, declared, create_missing=create_missing)
    return result


def apply_group_changes(group: Group, changes: Sequence[GroupChange]) -> Group:
    """
    Return *group* with the changes to everything but its members applied in their order.

    Raises:
        DirectoryError: as `apply_user_changes`.
    """
    _check_count(changes)
    patch = Patch(GROUP, group, create_missing=False)
    for index, change in enumerate(changes):
        step = change.WhichOneof("step")
        if step is None or getattr(change, step).field.partition(".")[0] != "members":
            _apply(patch, index, change)
    return patch.result()


def apply_mask(user: User, new: User, paths: Sequence[str]) -> User:
    """
    Return *user* with the fields that *paths* name taken from *new*, cleared if it has none.

    Args:
        new: In normal form, as `clean` returns it.
        paths: `title`, `name.given_name`. Fields that only the directory sets are passed over
            (AIP-203).

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`); FIELD_INVALID (`field`) for parts of elements, and
            for a required field that *new* lacks.
    """
    result = _copy(user)
    for path in paths:
        place = place_of(USER, path)
        if path == custom_values.FIELD:
            custom_values.merge(result, new.custom)
        if place.read_only:
            continue
        if place.part:
            raise invalid(path, f"Field {path} is part of elements. Name {place.whole} instead.")
        if place.required and scalar(new, path) is None:
            raise missing(path)
        _transfer(place, new, result)
    return result


def replace_user(user: User, new: User, keep: Sequence[str] = ()) -> User:
    """
    Return *new* as the successor of *user*, with what only the directory sets.

    Args:
        new: In normal form, as `clean` returns it.
        keep: Fields that stay as they are in *user* if *new* has none: `workplace.user_role`.

    Raises:
        DirectoryError: FIELD_INVALID (`field`) if a required field has no value.
    """
    result = _copy(new)
    for field in User.DESCRIPTOR.fields:
        place = place_of(USER, field.name)
        if place.read_only and field.name != custom_values.FIELD:
            _transfer(place, user, result)
    for path in keep:
        place = place_of(USER, path)
        if not _has(place, new):
            _transfer(place, user, result)
    for attribute in USER.attributes:
        if attribute.required and scalar(result, attribute.path) is None:
            raise missing(attribute.path)
    return result


def clean(user: User) -> User:
    """
    Return what a caller's *user* says, in normal form.

    Without empty texts and messages, elements without a value, elements that are there already, and
    everything that only the directory sets, `id` and `etag` among it.

    Raises:
        DirectoryError: FIELD_INVALID (`field`, `limit`) if two elements of a field are primary or
            a field has more elements than the contract allows.
    """
    element_limits(user)
    result = _copy(user)
    result.DiscardUnknownFields()
    tidy(result)
    result.custom.extend(user.custom)
    return result


def element_limits(user: User) -> None:
    """
    Accept the numbers of elements that the contract allows.

    Raises:
        DirectoryError: FIELD_INVALID (`field`, `limit`).
    """
    for path in LIMITS:
        check_limit(path, len(getattr(user, path)))


def project(message: M, read_mask: FieldMask) -> M:
    """
    Return the fields of *message* that the mask names; no path or `*` means all.

    Args:
        read_mask: `user_name`, `name.given_name`; `emails.value` keeps that part of each element.
            `id`, `etag` and the times of creation and change are always kept.

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`).
    """
    if not read_mask.paths or "*" in read_mask.paths:
        return message
    tree: dict[str, Any] = {}
    for path in read_mask.paths:
        _grow(tree, message, path)
    names = message.DESCRIPTOR.fields_by_name
    tree |= {name: None for name in ALWAYS if name in names}
    result = type(message)()
    _keep(message, result, tree)
    return result


def wants(read_mask: FieldMask, field: str) -> bool:
    """Return whether *field*, a part of it or something around it is named by the mask."""
    if not read_mask.paths or field in ALWAYS:
        return True
    return any(
        path in (field, "*") or path.startswith(f"{field}.") or field.startswith(f"{path}.")
        for path in read_mask.paths
    )


def _check_count(changes: Sequence[object]) -> None:
    if len(changes) > MAX_CHANGES:
        raise invalid(
            "changes",
            f"{len(changes)} changes are too many at once. Send at most {MAX_CHANGES}.",
            limit=MAX_CHANGES,
        )


def _apply(patch: Patch[Any], index: int, change: UserChange | GroupChange) -> None:
    step = change.WhichOneof("step")
    if step not in ("add", "set", "remove"):
        raise invalid(
            "changes", f"Change {index} has no step for this field. Use add, set, remove."
        )
    content: Any = getattr(change, step)
    where = content.where if content.HasField("where") else None
    value = None if step == "remove" else content.value
    patch.apply(index, step, content.field, where, value)


def _copy(user: User) -> User:
    result = User()
    result.CopyFrom(user)
    return result


def _has(place: Place, user: User) -> bool:
    holder = place.holder(user)
    if place.repeated:
        return len(getattr(holder, place.name)) > 0
    if place.message:
        return has_value(getattr(holder, place.name))
    return scalar(holder, place.name) is not None


def _transfer(place: Place, source: User, target: User) -> None:
    """Make the field that *place* is the same in *target* as in *source*."""
    giving, taking = place.holder(source), place.holder(target)
    taking.ClearField(place.name)
    _copy_field(giving, taking, place.field)
    place.prune(target)


def _grow(tree: dict[str, Any], message: Message, path: str) -> None:
    """Add a path to a tree of names; None means the whole field: `{"name": None, "ims": {...}}`."""
    *around, last = path.split(".")
    descriptor: Any = message.DESCRIPTOR
    branch = tree
    for name in around:
        field = descriptor.fields_by_name.get(name) if descriptor else None
        if field is None:
            raise unknown(path)
        descriptor = field.message_type
        inner = branch.setdefault(name, {})
        branch = {} if inner is None else inner
    if descriptor is None or last not in descriptor.fields_by_name:
        raise unknown(path)
    branch[last] = None


def _keep(source: Any, target: Any, tree: Mapping[str, Any]) -> None:
    """Copy what the tree names."""
    fields = source.DESCRIPTOR.fields_by_name
    for name, inner in tree.items():
        if inner is None:
            _copy_field(source, target, fields[name])
        elif fields[name].is_repeated:
            elements = getattr(target, name)
            for element in getattr(source, name):
                kept = type(element)()
                _keep(element, kept, inner)
                if kept.ListFields():
                    elements.append(kept)
        elif source.HasField(name):
            _keep(getattr(source, name), getattr(target, name), inner)


def _copy_field(source: Any, target: Any, field: FieldDescriptor) -> None:
    """Copy a field that *target* has no value of."""
    value = getattr(source, field.name)
    if field.is_repeated:
        if value:  # extending by nothing would make the empty message around it
            getattr(target, field.name).extend(value)
    elif field.has_presence and not source.HasField(field.name):
        return
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
