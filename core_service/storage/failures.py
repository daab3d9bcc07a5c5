"""What goes wrong in a database, as errors with a meaning; no text of a driver gets out."""

from collections.abc import Mapping
from typing import Any

from userdirectory.errors import DirectoryError

from core_service.storage.tables import TAKEN


class Conflict(Exception):
    """A write met another one and must be repeated as a whole."""


def unavailable() -> DirectoryError:
    """Return the error for a database that does not answer or takes no writes."""
    return DirectoryError(
        "STORAGE_UNAVAILABLE", "The directory cannot reach its storage. Try again in a moment."
    )


def conflict() -> DirectoryError:
    """Return the error for a write that others kept from happening."""
    return DirectoryError(
        "WRITE_CONFLICT", "Too many writes happen at once. Nothing was changed; try again."
    )


def taken(constraint: str, values: Mapping[str, Any]) -> DirectoryError | None:
    """
    Return the error for a value that must be unique and is not, None for any other constraint.

    Args:
        constraint: The name of the unique constraint.
        values: The parameters of the statement that met it.
    """
    if constraint not in TAKEN:
        return None
    field, column = TAKEN[constraint]
    value = values.get(column, values.get(f"new_{column}", ""))
    return DirectoryError(
        "VALUE_TAKEN",
        f"Another resource has the {field} {value!r}. Use another one, or change that resource.",
        field=field,
        value=value,
    )
