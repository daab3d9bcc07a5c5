"""Which rule stands behind each notice and each outcome, and which settings decided."""

from core_service.refusal_rules import Decision

_GUESTS = "Provisioning makes nobody a guest, and a guest more than that only by writing a role."
_MEMBERS = "A member that a group cannot have, such as another group, is left out."
_MANAGERS = "A manager who is not there yet is kept until they are; one who is purged is cleared."
_SESSIONS = (
    "Who is deactivated cannot sign in any more and has no session, listed as deleted or not."
)

NOTICES: dict[str, Decision] = {
    "LANGUAGE_UNSUPPORTED": Decision(
        "D-02",
        "A language that the product does not speak changes nothing.",
        settings=("languages", "language_fallback"),
    ),
    "PASSWORD_IGNORED": Decision(
        "D-31", "A password that is not taken never fails a write.", settings=("password",)
    ),
    "ACCOUNT_EMAIL_IGNORED": Decision(
        "D-04",
        "The e-mail of the account changes only where provisioning may.",
        settings=("account_email",),
    ),
    "ATTRIBUTES_IGNORED": Decision(
        "D-42", "Attributes that nobody knows are left out.", settings=("unknown_attributes",)
    ),
    "GUEST_ROLE_IGNORED": Decision("D-15", _GUESTS),
    "LINKED_BY_EMAIL": Decision(
        "R-033",
        "A user who exists is matched by the account's e-mail.",
        settings=("on_existing",),
    ),
    "CAME_BACK": Decision(
        "D-21", "The same person coming back gets the same user.", settings=("on_existing",)
    ),
    "MANAGER_PENDING": Decision("D-30", _MANAGERS),
    "NESTED_MEMBER_SKIPPED": Decision("D-26", _MEMBERS, settings=("nested_groups",)),
    "ROLE_KEPT_AS_VALUE": Decision(
        "R-146", "A role is read where the workspace reads roles, and else kept as a value."
    ),
    "LOCAL_CHANGE_OVERWRITTEN": Decision(
        "R-003", "What provisioning writes overwrites what was changed in the product."
    ),
    "GUEST_PROMOTED": Decision("D-15", _GUESTS),
    "ACCOUNT_EMAIL_CHANGED": Decision(
        "R-159", "Provisioning changes the account's e-mail.", settings=("account_email",)
    ),
    "SEAT_BOOKED": Decision(
        "R-046", "A workspace that wishes so books seats by itself.", settings=("seats",)
    ),
    "MANAGER_CLEARED": Decision("D-30", _MANAGERS),
    "ROLE_NAME_IN_USE": Decision(
        "R-148", "After a role is renamed, identity providers still send the old name."
    ),
    "SESSIONS_REVOKED": Decision("R-022", _SESSIONS),
    "MEMBER_SKIPPED": Decision("D-26", _MEMBERS, settings=("nested_groups",)),
}
"""By the name of the notice's code."""

OUTCOMES: dict[str, Decision] = {
    "DEACTIVATED": Decision("R-022", _SESSIONS, settings=("on_deactivate",)),
    "DELETED": Decision(
        "D-20",
        "A user whom provisioning deletes is unlinked, or gone for good.",
        settings=("on_delete",),
    ),
    "REPLACED": Decision(
        "D-25", "What a whole user leaves out stays or is removed.", settings=("put",)
    ),
}
"""What the policy decided on, without a notice."""
