"""
Which rule decides on each refusal, in one sentence, what to do about it, and which settings count.

`REFUSALS` has every reason of the contract; `VARIANTS` tells apart those that stand for several
rules, by what the error says in the metadata of `TOLD_APART_BY`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What decided.

    Attributes:
        rule: `R-150`, `D-42`, or the section of an RFC where no rule of ours stands behind it.
        text: The rule in a sentence.
        remedy: What to do about a refusal; empty for what was done.
        settings: The settings of the policy that count.
    """

    rule: str
    text: str
    remedy: str = ""
    settings: tuple[str, ...] = ()


_SYNTAX = "RFC 7644 section 3.12"
_READ_AGAIN = "List again, and use an id from there."
_ENTER_WHOLE = "Enter the whole token, or make a new one."
_ONE_ALONE = "A value that is unique, such as the e-mail of an account, belongs to one alone."
_TRY_AGAIN = "Try again in a moment; identity providers do so by themselves."

REFUSALS: dict[str, Decision] = {
    "USER_NOT_FOUND": Decision(
        _SYNTAX,
        "A user that does not exist or is hidden from the caller is not found.",
        _READ_AGAIN,
    ),
    "GROUP_NOT_FOUND": Decision(
        "R-148", "After a role or group is deleted, its id means nothing.", _READ_AGAIN, ("groups",)
    ),
    "ROLE_NOT_FOUND": Decision(
        "R-148", "After a role is deleted, its id means nothing.", _READ_AGAIN
    ),
    "WORKSPACE_NOT_FOUND": Decision(
        "R-016", "Everything belongs to one workspace, which must exist.", "Correct workspace_id."
    ),
    "VALUE_TAKEN": Decision("R-162", _ONE_ALONE, "Send another value, or change who has it."),
    "ETAG_MISMATCH": Decision(
        "RFC 7644 section 3.14",
        "A change with If-Match holds only for the version that it names.",
        "Read the resource again and repeat the change.",
    ),
    "WRITE_CONFLICT": Decision(
        "RFC 9110 section 15.6.4", "Writes of a workspace happen one after another.", _TRY_AGAIN
    ),
    "STORAGE_UNAVAILABLE": Decision(
        "RFC 9110 section 15.6.4", "Nothing is answered that is not on disk.", _TRY_AGAIN
    ),
    "FIELD_INVALID": Decision(
        _SYNTAX, "A field has a value of its kind and length.", "Correct the value or the mapping."
    ),
    "FIELD_READ_ONLY": Decision(
        _SYNTAX, "Some attributes are set by the directory alone.", "Take it out of the mapping."
    ),
    "FIELD_UNKNOWN": Decision(
        "R-094",
        "Attributes that the directory does not know are left out or refused.",
        "Correct the name, or delete the mapping.",
        ("unknown_attributes",),
    ),
    "FILTER_INVALID": Decision(
        "RFC 7644 section 3.4.2.2",
        "A filter compares attributes that exist with values of their kind.",
        "Search by user name, or correct the filter.",
    ),
    "NO_TARGET": Decision(
        "D-43",
        "A change of an element that is not there makes it or is refused.",
        "Add the element first, or use the preset that is for this identity provider.",
        ("missing_element",),
    ),
    "PAGE_TOKEN_INVALID": Decision(
        "RFC 9865 section 2.1",
        "A page token goes on with the listing that gave it, and with no other.",
        "Begin the listing again.",
    ),
    "NAME_UNKNOWN": Decision(
        "R-124",
        "Teams, absence regions and roles are found by their exact name.",
        "Copy the name from the product, or make one of this name there.",
    ),
    "PROTOCOL_DEVIATION": Decision(
        _SYNTAX,
        "What deviates from the protocol is understood where its meaning is plain, or refused.",
        "Send what the message says.",
        ("deviations",),
    ),
    "SECOND_ROLE": Decision(
        "R-144", "A user has exactly one role.", "Send one role, or mark one as primary."
    ),
    "ROLE_NOT_REMOVABLE": Decision(
        "R-151", "The role can be changed and not removed.", "Set a default role in the mapping."
    ),
    "REGION_NOT_REMOVABLE": Decision(
        "R-121",
        "The absence region can be changed and not removed.",
        "Send another region, or leave the attribute out.",
    ),
    "ACCOUNT_SHARED": Decision(
        "R-161",
        "The e-mail of an account that is in several workspaces is the person's to change.",
        "Ask the person to change it in their profile.",
        ("account_email",),
    ),
    "GUEST_RESTRICTED": Decision(
        "R-155", "Provisioning makes nobody a guest.", "Invite guests in the product."
    ),
    "LAST_ADMIN": Decision(
        "R-150", "A workspace always has an active admin.", "Make somebody else admin first."
    ),
    "ADMIN_ROLE_LOCKED": Decision(
        "R-154",
        "The admin role is given and taken in the product.",
        "Change the role in the product.",
        ("admin_role",),
    ),
    "ROLE_CATALOGUE": Decision(
        "R-143",
        "Where groups are roles, provisioning assigns them and does not make, name or delete them.",
        "Manage roles in the product; switch the group mapping off if it creates groups.",
        ("groups",),
    ),
    "NO_SEAT": Decision(
        "R-044",
        "An active user who is not a guest needs a free seat.",
        "Book seats, or deactivate somebody.",
        ("seats",),
    ),
    "LIMIT_REACHED": Decision(
        "D-28", "A workspace has so many of a kind and no more.", "Remove some, or raise the limit."
    ),
    "INVOICE_PENDING": Decision(
        "R-049",
        "Seats that were booked are invoiced together, before their workspace can go.",
        "Wait until they are on an invoice, at most half an hour, then delete it.",
        ("seats",),
    ),
    "INTEGRATION_OFF": Decision(
        "R-062",
        "An integration provisions while it is switched on.",
        "Switch it on in the product.",
        ("integration_enabled",),
    ),
    "NOT_ENTITLED": Decision(
        "R-009", "Provisioning needs a plan that has it.", "Change the plan.", ("plan_needed",)
    ),
    "SIGN_ON_MISSING": Decision(
        "R-013",
        "Users are provisioned where single sign-on is set up.",
        "Set single sign-on up in the product.",
        ("sign_on_needed",),
    ),
    "RATE_LIMITED": Decision(
        "RFC 6585 section 4", "A caller makes so many requests at a time.", _TRY_AGAIN
    ),
    "CREDENTIAL_MISSING": Decision("R-060", "A request carries a token.", _ENTER_WHOLE),
    "CREDENTIAL_INVALID": Decision(
        "R-060", "A request carries a token that is good.", _ENTER_WHOLE
    ),
    "SCOPE_MISSING": Decision(
        "RFC 6750 section 3.1",
        "A credential does what its scopes say.",
        "Use a credential that has the scope.",
    ),
    "WORKSPACE_MISMATCH": Decision(
        "R-016",
        "A credential of a workspace is good for that one alone.",
        "Leave the workspace out of the base URL, or use its own token.",
    ),
    "SUBJECT_MISSING": Decision(
        "RFC 7644 section 3.11", "Only the token of a person has a /Me.", "Ask for /Users instead."
    ),
}

TOLD_APART_BY: dict[str, str] = {
    "FIELD_INVALID": "field",
    "FIELD_UNKNOWN": "field",
    "LIMIT_REACHED": "what",
    "NAME_UNKNOWN": "field",
    "VALUE_TAKEN": "field",
}
"""The metadata that tells the rules of a reason apart."""

_MASK = Decision(_SYNTAX, "A mask and an order name fields that exist.", "Correct the name.")

VARIANTS: dict[str, dict[str, Decision]] = {
    "FIELD_INVALID": {
        "missing": Decision(
            "R-139",
            "A new user has the names that the workspace asks for.",
            "Map the missing attributes.",
            ("required",),
        ),
        "user_name": Decision(
            "R-067",
            "A user name is an address, or any name.",
            "Correct the user name.",
            ("user_name",),
        ),
        "preferred_language": Decision(
            "R-112", "A language is a tag such as en-GB.", "Correct the language.", ("languages",)
        ),
        "time_zone": Decision(
            "R-114", "A time zone has a name of the tz database.", "Send a name from there."
        ),
        "enterprise.manager.user_id": Decision(
            "D-30", "Nobody manages themselves, by whatever way.", "Correct the manager."
        ),
        "members.member_id": Decision(
            "R-177",
            "Members exist, and are users unless the workspace takes groups in groups.",
            "Send users that exist as members.",
            ("nested_groups",),
        ),
    },
    "FIELD_UNKNOWN": {"order_by": _MASK, "read_mask": _MASK, "update_mask": _MASK},
    "LIMIT_REACHED": {
        "users": Decision(
            "R-174",
            "A workspace has so many users and no more.",
            "Delete users that are not needed, or raise the limit.",
            ("max_users",),
        ),
        "groups": Decision(
            "R-175",
            "A workspace has so many groups and no more.",
            "Delete groups that are not needed, or raise the limit.",
            ("max_groups",),
        ),
        "tokens": Decision(
            "D-23", "An integration has at most five good tokens.", "Revoke one that is not used."
        ),
    },
    "NAME_UNKNOWN": {
        "workplace.user_role": Decision(
            "R-125",
            "A role is found by its exact name, with case.",
            "Copy the name of the role from the product.",
        ),
    },
    "VALUE_TAKEN": {
        "user_name": Decision(
            "R-162", _ONE_ALONE, "Send another value, or change who has it.", ("on_existing",)
        ),
        "display_name": Decision(
            "R-176", "Groups have unique names.", "Use another name.", ("group_names_unique",)
        ),
        "name": Decision("R-124", "Roles are found by their names.", "Use another name."),
        "id": Decision("R-016", "Each workspace has an id of its own.", "Use another id."),
    },
}
"""Where the rule is another one than that of the reason, by the metadata."""
