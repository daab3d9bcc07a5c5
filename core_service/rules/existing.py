"""What creating a user means when the workspace knows that user already."""

from dataclasses import dataclass
from enum import Enum

from userdirectory.errors import DirectoryError

from core_service.rules.wording import shown


class Existing(Enum):
    """
    What becomes of a request to create a user.

    Attributes:
        CREATE: A user is made.
        LINK: The active user, whom no integration has, is linked to the caller's.
        COME_BACK: The user who was away is linked again under the same id, and is active again
            unless the request says otherwise.
    """

    CREATE = "create"
    LINK = "link"
    COME_BACK = "come_back"


@dataclass(frozen=True, slots=True)
class Found:
    """
    The user of the workspace whose user name was sent.

    Attributes:
        active: Whether the user can sign in. A recycled user cannot.
        linked: Whether an integration that still exists has the user.
        visible: Whether provisioning clients find the user: False after they deleted them.
        external_id: The identifier that the provisioning client uses; empty for none.
    """

    active: bool
    linked: bool
    visible: bool
    external_id: str


def outcome(
    found: Found | None, *, refuse: bool, sent_external_id: str, user_name: str
) -> Existing:
    """
    Return what becomes of a request to create a user.

    A user whom the client deleted does not exist to it, so even a strict workspace answers with
    success (RFC 7644 section 3.6: a deleted resource is not considered in conflict calculation).

    An inactive user who is linked comes back by a request that carries an external id: Okta and
    Entra assign a person anew with one. Without an external id, to a user who has one, the
    request is no re-assignment but a client that did not look first; it is told to, and writes
    `active` to the user it then finds. Witness: the recorded dialog okta-deactivate-reactivate.

    Args:
        found: The user of that name; None if there is none.
        refuse: Whether the workspace refuses to adopt users that exist.
        sent_external_id: The external id in the request; empty for none.
        user_name: The name in the request, for the message.

    Raises:
        DirectoryError: VALUE_TAKEN.

    Source: R-023, R-033, R-037, D-21.
    """
    if found is None:
        return Existing.CREATE
    if not found.visible:
        return Existing.COME_BACK
    if refuse or (found.active and found.linked):
        raise _taken(user_name)
    if found.active:
        return Existing.LINK
    if found.linked and found.external_id and not sent_external_id:
        raise _taken(user_name)
    return Existing.COME_BACK


def _taken(user_name: str) -> DirectoryError:
    return DirectoryError(
        "VALUE_TAKEN",
        f"A user with the user_name {shown(user_name)} exists. Find and update that user, or use "
        "another name.",
        field="user_name",
        value=shown(user_name),
    )
