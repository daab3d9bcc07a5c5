"""A workspace's policy is a preset and what overrides it."""

import dataclasses

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2

from core_service import policy
from core_service.policy import GROUP_MIRROR, ORG_CHART, SINGLE_ROLE, STRICT_RFC, Policy

FIELDS = policy_pb2.Policy.DESCRIPTOR.fields
SETTINGS = [field for field in FIELDS if field.name != "preset"]
ALL = [SINGLE_ROLE, ORG_CHART, GROUP_MIRROR, STRICT_RFC]

# The presets as people agreed on them: the value of each setting in the order of ALL.
TABLE = {
    "groups": ("ROLES", "GROUPS", "GROUPS", "GROUPS"),
    "user_name": ("EMAIL", "EMAIL", "ANY", "ANY"),
    "on_existing": ("LINK", "LINK", "LINK", "REFUSE"),
    "account_email": ("ALLOW", "IGNORE", "ALLOW", "ALLOW"),
    "admin_role": ("ASSIGNABLE", "PRODUCT_ONLY", "PRODUCT_ONLY", "ASSIGNABLE"),
    "on_deactivate": ("DEACTIVATE", "DEACTIVATE", "RECYCLE", "DEACTIVATE"),
    "on_delete": ("UNLINK", "UNLINK", "PURGE", "PURGE"),
    "nested_groups": ("REFUSE", "REFUSE", "SKIP", "STORE"),
    "group_names_unique": (True, True, True, False),
    "seats": ("METERED", "UNMETERED", "UNMETERED", "UNMETERED"),
    "max_users": (0, 0, 100_000, 0),
    "max_groups": (0, 0, 10_000, 0),
    "languages": (("en-GB", "de-DE"), (), (), ()),
    "language_fallback": ("SAME_LANGUAGE",) * 4,
    "password": ("IGNORE", "ACCEPT", "IGNORE", "ACCEPT"),
    "required": ((), (), ("name.given_name", "name.family_name"), ()),
    "missing_element": ("CREATE", "CREATE", "CREATE", "REFUSE"),
    "put": ("MERGE", "MERGE", "MERGE", "REPLACE"),
    "unknown_attributes": ("IGNORE", "IGNORE", "IGNORE", "REFUSE"),
    "plan_needed": ("ENTERPRISE", "ANY_PAID", "HOSTED", "NONE"),
    "sign_on_needed": ("OPENID_CONNECT", "NONE", "NONE", "NONE"),
    "integration_enabled": (True, False, True, True),
    "work_email_primary": (True, True, True, False),
    "deviations": ("ACCEPT", "ACCEPT", "ACCEPT", "REFUSE"),
}


def override(field, value):
    """Return a policy of the default preset with one override."""
    message = policy_pb2.Policy()
    if field.message_type is None:
        setattr(message, field.name, value)
    else:
        part = getattr(message, field.name)
        part.SetInParent()
        getattr(part, field.message_type.fields[0].name).extend(value)
    return message


def other_value(field):
    """Return a value of the setting that the default preset does not have."""
    now = getattr(SINGLE_ROLE, field.name)
    if field.enum_type is not None:
        return next(
            value.number for value in field.enum_type.values if value.number not in (0, now)
        )
    return {bool: not now, int: 7, tuple: ("fr",) if field.name == "languages" else ("title",)}[
        type(now)
    ]


def test_every_setting_of_the_contract_is_in_a_policy():
    """A setting that the contract gains cannot be forgotten."""
    names = [field.name for field in FIELDS]

    assert names == [field.name for field in dataclasses.fields(Policy)]
    assert set(names) - {"preset"} == set(TABLE) == set(policy.SETTINGS)


@pytest.mark.parametrize("field", SETTINGS, ids=lambda field: field.name)
@pytest.mark.parametrize("column", range(4), ids=["single-role", "org-chart", "mirror", "strict"])
def test_a_preset_is_what_was_agreed(field, column):
    """Each setting of each preset, against the table."""
    value = getattr(ALL[column], field.name)
    if field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        value = field.enum_type.values_by_number[value].name.removeprefix(prefix)

    assert TABLE[field.name][column] == value


def test_every_preset_has_its_constant():
    """No preset of the contract is without values; unspecified is the default one."""
    assert set(policy.PRESETS) == set(policy_pb2.Preset.values())
    assert policy.of(policy_pb2.Policy()) == SINGLE_ROLE
    assert [policy.of(policy_pb2.Policy(preset=each.preset)) for each in ALL] == ALL


@pytest.mark.parametrize("field", SETTINGS, ids=lambda field: field.name)
def test_an_override_changes_its_setting_alone(field):
    """Every setting can be overridden, and says where its value came from."""
    value = other_value(field)
    message = override(field, value)

    assert policy.check(message) is None
    assert policy.of(message) == dataclasses.replace(SINGLE_ROLE, **{field.name: value})
    origins = policy.origins(message)
    assert origins.pop(field.name) == "override"
    assert set(origins.values()) == {"preset"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("languages", ()),
        ("required", ()),
        ("max_users", 0),
        ("group_names_unique", False),
        ("integration_enabled", False),
        ("work_email_primary", False),
    ],
)
def test_nothing_is_a_value_too(name, value):
    """An empty list, 0 and false override a preset that has more."""
    message = override(policy_pb2.Policy.DESCRIPTOR.fields_by_name[name], value)
    message.preset = GROUP_MIRROR.preset

    assert value == getattr(policy.of(message), name)
    assert policy.origins(message)[name] == "override"


@pytest.mark.parametrize("preset", ALL, ids=lambda each: policy_pb2.Preset.Name(each.preset))
def test_a_policy_is_read_with_every_value(preset):
    """What a client reads has every setting, and read back is the same policy."""
    message = policy.to_message(preset)

    assert preset == policy.of(message)
    assert set(policy.origins(message).values()) == {"override"}
    assert policy.check(message) is None


@pytest.mark.rule("D-01")
def test_languages_are_kept_in_the_usual_case():
    """Users' languages are compared with them."""
    message = policy_pb2.Policy(languages=policy_pb2.LanguageList(tags=["EN_gb", "zh-hant"]))

    assert policy.of(message).languages == ("en-GB", "zh-Hant")


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.enum_type is not None], ids=lambda field: field.name
)
def test_an_unknown_choice_is_refused(refused, field):
    """A number that the contract does not know decides nothing."""
    with refused("FIELD_INVALID", field=f"policy.{field.name}", value=99):
        policy.check(override(field, 99))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (policy_pb2.Policy(max_users=-1), "policy.max_users"),
        (policy_pb2.Policy(max_groups=-1), "policy.max_groups"),
        (
            policy_pb2.Policy(languages=policy_pb2.LanguageList(tags=["en", "no tag"])),
            "policy.languages",
        ),
        (
            policy_pb2.Policy(languages=policy_pb2.LanguageList(tags=["en-GB", "en_gb"])),
            "policy.languages",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(message, field):
    """Negative limits, and languages that are none or there twice."""
    with pytest.raises(DirectoryError) as caught:
        policy.check(message)

    assert (caught.value.reason, caught.value.metadata["field"]) == ("FIELD_INVALID", field)


@pytest.mark.rule("R-139")
@pytest.mark.parametrize(
    "path",
    [
        "no_such",
        "",
        "id",  # only the directory sets it
        "groups",
        "password",  # cannot be asked for where it is dropped
        "enterprise",  # an extension is no attribute
        "emails.value",  # of which element?
    ],
)
def test_what_cannot_be_required_is_refused(path):
    """A new user is required to have only what the request can have and what is kept."""
    with pytest.raises(DirectoryError) as caught:
        policy.check(policy_pb2.Policy(required=policy_pb2.FieldList(paths=[path])))

    assert caught.value.metadata["field"] == "policy.required"


@pytest.mark.rule("R-139")
@pytest.mark.parametrize("path", ["title", "name.given_name", "emails", "enterprise.department"])
def test_any_attribute_of_a_user_can_be_required(path):
    """Single values, parts of the name, lists and extension attributes."""
    message = policy_pb2.Policy(required=policy_pb2.FieldList(paths=[path]))

    assert policy.check(message) is None
    assert policy.of(message).required == (path,)
