"""How a workspace answers where products differ: four presets, and what overrides them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from google.protobuf.descriptor import FieldDescriptor
from userdirectory.attributes import USER
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2

from core_service.rules import languages


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    Every setting of the contract's Policy with a value; enums are the contract's numbers.

    Attributes:
        max_users: 0 means no limit, as for `max_groups`.
        languages: BCP 47 tags in the usual case, the default first; none means any.
        required: Paths of fields of User: `name.given_name`.
    """

    preset: policy_pb2.Preset
    groups: policy_pb2.GroupsMode
    user_name: policy_pb2.UserNameForm
    on_existing: policy_pb2.OnExisting
    account_email: policy_pb2.AccountEmail
    admin_role: policy_pb2.AdminRole
    on_deactivate: policy_pb2.OnDeactivate
    on_delete: policy_pb2.OnDelete
    nested_groups: policy_pb2.NestedGroups
    group_names_unique: bool
    seats: policy_pb2.Seats
    max_users: int
    max_groups: int
    languages: tuple[str, ...]
    language_fallback: policy_pb2.LanguageFallback
    password: policy_pb2.PasswordWrites
    required: tuple[str, ...]
    missing_element: policy_pb2.MissingElement
    put: policy_pb2.PutMode
    unknown_attributes: policy_pb2.UnknownAttributes
    plan_needed: policy_pb2.PlanNeeded
    sign_on_needed: policy_pb2.SignOnNeeded
    integration_enabled: bool
    work_email_primary: bool
    deviations: policy_pb2.Deviations


SINGLE_ROLE = Policy(
    preset=policy_pb2.PRESET_SINGLE_ROLE,
    groups=policy_pb2.GROUPS_MODE_ROLES,
    user_name=policy_pb2.USER_NAME_FORM_EMAIL,  # the account's e-mail is what people are matched by
    on_existing=policy_pb2.ON_EXISTING_LINK,
    account_email=policy_pb2.ACCOUNT_EMAIL_ALLOW,
    admin_role=policy_pb2.ADMIN_ROLE_ASSIGNABLE,
    on_deactivate=policy_pb2.ON_DEACTIVATE_DEACTIVATE,
    on_delete=policy_pb2.ON_DELETE_UNLINK,  # times and projects of people who left stay theirs
    nested_groups=policy_pb2.NESTED_GROUPS_REFUSE,  # only users have roles
    group_names_unique=True,  # groups are roles, whose names are unique
    seats=policy_pb2.SEATS_METERED,
    max_users=0,
    max_groups=0,
    languages=("en-GB", "de-DE"),
    language_fallback=policy_pb2.LANGUAGE_FALLBACK_SAME_LANGUAGE,  # de-AT is better off with de-DE
    password=policy_pb2.PASSWORD_WRITES_IGNORE,  # people sign in by single sign-on
    required=(),  # names are mapped by default, which is no check
    missing_element=policy_pb2.MISSING_ELEMENT_CREATE,  # Entra's default mapping depends on it
    put=policy_pb2.PUT_MODE_MERGE,  # fields that are not mapped are not overwritten
    unknown_attributes=policy_pb2.UNKNOWN_ATTRIBUTES_IGNORE,  # default mappings send many
    plan_needed=policy_pb2.PLAN_NEEDED_ENTERPRISE,
    sign_on_needed=policy_pb2.SIGN_ON_NEEDED_OPENID_CONNECT,
    integration_enabled=True,
    work_email_primary=True,  # the product writes to that address
    deviations=policy_pb2.DEVIATIONS_ACCEPT,  # identity providers have their ways
)

ORG_CHART = replace(
    SINGLE_ROLE,
    preset=policy_pb2.PRESET_ORG_CHART,
    groups=policy_pb2.GROUPS_MODE_GROUPS,
    account_email=policy_pb2.ACCOUNT_EMAIL_IGNORE,
    admin_role=policy_pb2.ADMIN_ROLE_PRODUCT_ONLY,
    nested_groups=policy_pb2.NESTED_GROUPS_REFUSE,  # the manager draws the chart, not groups
    seats=policy_pb2.SEATS_UNMETERED,
    languages=(),
    password=policy_pb2.PASSWORD_WRITES_ACCEPT,  # Okta's Sync Password
    plan_needed=policy_pb2.PLAN_NEEDED_ANY_PAID,
    sign_on_needed=policy_pb2.SIGN_ON_NEEDED_NONE,
    integration_enabled=False,  # the token is made first, the switch is turned on after
)

GROUP_MIRROR = replace(
    SINGLE_ROLE,
    preset=policy_pb2.PRESET_GROUP_MIRROR,
    groups=policy_pb2.GROUPS_MODE_GROUPS,
    user_name=policy_pb2.USER_NAME_FORM_ANY,  # a user principal name need not be an address
    admin_role=policy_pb2.ADMIN_ROLE_PRODUCT_ONLY,
    on_deactivate=policy_pb2.ON_DEACTIVATE_RECYCLE,  # out of scope is soft deletion
    on_delete=policy_pb2.ON_DELETE_PURGE,  # Entra deletes for good only what is gone for good there
    nested_groups=policy_pb2.NESTED_GROUPS_SKIP,  # Entra sends them without being asked
    seats=policy_pb2.SEATS_UNMETERED,
    max_users=100_000,
    max_groups=10_000,
    languages=(),
    required=("name.given_name", "name.family_name"),
    plan_needed=policy_pb2.PLAN_NEEDED_HOSTED,
    sign_on_needed=policy_pb2.SIGN_ON_NEEDED_NONE,
)

STRICT_RFC = replace(
    SINGLE_ROLE,
    preset=policy_pb2.PRESET_STRICT_RFC,
    groups=policy_pb2.GROUPS_MODE_GROUPS,
    user_name=policy_pb2.USER_NAME_FORM_ANY,
    on_existing=policy_pb2.ON_EXISTING_REFUSE,  # RFC 7644 section 3.3: a duplicate is 409
    on_delete=policy_pb2.ON_DELETE_PURGE,
    nested_groups=policy_pb2.NESTED_GROUPS_STORE,  # RFC 7643 section 4.2
    group_names_unique=False,  # RFC 7643 section 8.7.1: displayName has uniqueness none
    seats=policy_pb2.SEATS_UNMETERED,
    languages=(),
    password=policy_pb2.PASSWORD_WRITES_ACCEPT,
    missing_element=policy_pb2.MISSING_ELEMENT_REFUSE,  # RFC 7644 section 3.5.2.3: noTarget
    put=policy_pb2.PUT_MODE_REPLACE,
    unknown_attributes=policy_pb2.UNKNOWN_ATTRIBUTES_REFUSE,
    plan_needed=policy_pb2.PLAN_NEEDED_NONE,
    sign_on_needed=policy_pb2.SIGN_ON_NEEDED_NONE,
    work_email_primary=False,  # RFC 7643 section 2.4: the client says which is primary
    deviations=policy_pb2.DEVIATIONS_REFUSE,  # who tests a client wants to know
)

PRESETS: dict[int, Policy] = {
    policy_pb2.PRESET_UNSPECIFIED: SINGLE_ROLE,
    **{preset.preset: preset for preset in (SINGLE_ROLE, ORG_CHART, GROUP_MIRROR, STRICT_RFC)},
}

SETTINGS: tuple[str, ...] = tuple(f.name for f in fields(Policy) if f.name != "preset")
"""The names of the settings, which are those of the contract's fields."""

Origin = Literal["preset", "override"]


def of(message: policy_pb2.Policy) -> Policy:
    """Return the policy that a preset and its overrides make; *message* has passed `check`."""
    return replace(
        PRESETS[message.preset],
        **{
            field.name: _READ.get(_type(field), _same)(value)
            for field, value in _overrides(message)
        },
    )


def to_message(policy: Policy) -> policy_pb2.Policy:
    """Return a policy as it is read by clients: the preset, and every setting with its value."""
    message = policy_pb2.Policy()
    for field in message.DESCRIPTOR.fields:
        value = getattr(policy, field.name)
        if field.message_type is None:
            setattr(message, field.name, value)
        else:
            part = getattr(message, field.name)
            part.SetInParent()  # an empty list is a value too
            getattr(part, field.message_type.fields[0].name).extend(value)
    return message


def origins(message: policy_pb2.Policy) -> dict[str, Origin]:
    """Return for each setting whether its value is the preset's or an override."""
    overridden = {field.name for field, _ in _overrides(message)}
    return {name: "override" if name in overridden else "preset" for name in SETTINGS}


def check(message: policy_pb2.Policy) -> None:
    """
    Refuse a policy that a workspace cannot have.

    Raises:
        DirectoryError: FIELD_INVALID for an unknown number of an enum, a negative limit, a language
            that is no tag or is there twice, or a required field that a new user cannot be
            required to have.
    """
    for field, value in message.ListFields():
        name = f"policy.{field.name}"
        if field.enum_type is not None and value not in field.enum_type.values_by_number:
            raise _invalid(name, f"{value} is no {field.enum_type.name}", value)
        if field.enum_type is None and isinstance(value, int) and value < 0:
            raise _invalid(name, f"{value} is less than 0", value)
    tags = [languages.canonical(tag, "policy.languages") for tag in message.languages.tags]
    for tag in tags:
        if tags.count(tag) > 1:
            raise _invalid("policy.languages", f"{tag} is there twice", tag)
    for path in message.required.paths:
        if not _can_be_required(path):
            raise _invalid("policy.required", f"{path!r} cannot be required", path)


def _overrides(message: policy_pb2.Policy) -> list[tuple[FieldDescriptor, Any]]:
    return [(field, value) for field, value in message.ListFields() if field.name != "preset"]


def _can_be_required(path: str) -> bool:
    attribute = USER.by_path.get(path)
    if attribute is None or attribute.extension or attribute.mutability != "readWrite":
        return False
    parent = USER.by_path.get(path.rpartition(".")[0])
    return parent is None or not parent.multi_valued


def _type(field: FieldDescriptor) -> str:
    return field.message_type.name if field.message_type is not None else ""


def _same(value: Any) -> Any:
    return value


def _languages(value: policy_pb2.LanguageList) -> tuple[str, ...]:
    return tuple(languages.canonical(tag) for tag in value.tags)


def _paths(value: policy_pb2.FieldList) -> tuple[str, ...]:
    return tuple(value.paths)


_READ: dict[str, Callable[[Any], Any]] = {"LanguageList": _languages, "FieldList": _paths}


def _invalid(field: str, what: str, value: object) -> DirectoryError:
    return DirectoryError(
        "FIELD_INVALID",
        f"{field}: {what}. Choose another value, or leave it to the preset.",
        field=field,
        value=value,
    )
