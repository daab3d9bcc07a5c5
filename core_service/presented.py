"""The credential that a call shows, as its metadata carries it."""

from collections.abc import Iterable

from userdirectory.errors import DirectoryError

from core_service.tokens import parse

_BEARER = "bearer "

Metadata = Iterable[tuple[str, str | bytes]]


def presented(metadata: Metadata) -> tuple[str, bytes]:
    """
    Return public id and digest of the token that the metadata carries.

    Raises:
        DirectoryError: CREDENTIAL_MISSING; CREDENTIAL_INVALID for what cannot be one of ours.
    """
    values = [value for key, value in metadata if key == "authorization"]
    if not values:
        raise DirectoryError(
            "CREDENTIAL_MISSING",
            "The request carries no credential. Send the metadata authorization: Bearer TOKEN.",
        )
    value = values[0]
    if len(values) > 1 or not isinstance(value, str):
        raise invalid()
    if value[: len(_BEARER)].lower() == _BEARER:
        value = value[len(_BEARER) :]
    found = parse(value.strip(" "))
    if found is None:
        raise invalid()
    return found


def invalid() -> DirectoryError:
    """Return the error for a credential that opens nothing, whatever is wrong with it."""
    return DirectoryError(
        "CREDENTIAL_INVALID",
        "The credential is unknown, expired or revoked. Check the token, or make a new one.",
    )
