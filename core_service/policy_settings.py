"""The settings of a policy as people read them: name, value as text, and where it comes from."""

from collections.abc import Iterable

from userdirectory.v1 import policy_pb2

from core_service.policy import SETTINGS, Policy, origins

_FIELDS = policy_pb2.Policy.DESCRIPTOR.fields_by_name
_ORIGINS = {
    "preset": policy_pb2.SETTING_ORIGIN_PRESET,
    "override": policy_pb2.SETTING_ORIGIN_OVERRIDE,
}


def shown(
    policy: Policy, stored: policy_pb2.Policy, names: Iterable[str] = SETTINGS
) -> list[policy_pb2.PolicySetting]:
    """
    Return settings with their values as text.

    Args:
        policy: What *stored* makes.
        stored: The preset and what overrides it.
        names: Which settings, in this order; all in the order of the contract if left out.
    """
    from_where = origins(stored)
    return [
        policy_pb2.PolicySetting(
            name=name, value=_text(policy, name), origin=_ORIGINS[from_where[name]]
        )
        for name in names
    ]


def _text(policy: Policy, name: str) -> str:
    """Return a setting's value for people: `ON_EXISTING_LINK`, `100000`, `en-GB, de-DE`."""
    value = getattr(policy, name)
    kind = _FIELDS[name].enum_type
    if kind is not None:
        return str(kind.values_by_number[value].name)
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
