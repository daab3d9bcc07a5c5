"""Where seats are metered, every active user who is not a guest holds one."""

from userdirectory.errors import DirectoryError

from core_service.rules.standing import Facts, Standing


def guard(before: Standing | None, after: Standing | None, facts: Facts) -> int:
    """
    Return how many seats a write must book besides those paid for: 0 or 1.

    Args:
        before: The user's standing now; None for one to be created.
        after: The user's standing then; None for one who will be gone.
        facts: Counts before the write.

    Raises:
        DirectoryError: NO_SEAT if the user takes a seat, none is free and none may be booked.

    Source: R-044, R-045, R-046, D-17.
    """
    held = before is not None and before.holds_seat
    holds = after is not None and after.holds_seat
    return guard_many(1, facts) if holds and not held else 0


def guard_many(taking: int, facts: Facts) -> int:
    """
    Return how many seats a write of many users must book besides those paid for.

    A workspace that uses more than it pays for is not made to pay for the past: at most *taking*
    seats are booked.

    Args:
        taking: How many more users hold a seat after the write than before; less than 1 is free.
        facts: Counts before the write.

    Raises:
        DirectoryError: NO_SEAT.

    Source: R-046, D-17.
    """
    missing = min(taking, facts.seats_used + taking - facts.seats_total)
    if not facts.metered or taking < 1 or missing < 1:
        return 0
    if facts.automatic_booking:
        return missing
    raise DirectoryError(
        "NO_SEAT",
        f"All seats are taken: {facts.seats_used} of {facts.seats_total} are in use. "
        "Deactivate a user or book more seats.",
        used=facts.seats_used,
        total=facts.seats_total,
    )


def verify(workspace_id: str, counted: int, actual: int) -> list[str]:
    """
    Return what is wrong with a workspace's seats, one sentence each.

    Args:
        counted: Seats in use as the workspace's row counts them.
        actual: Users of the workspace who hold a seat.
    """
    if counted == actual:
        return []
    return [f"Workspace {workspace_id} counts {counted} seats in use and has {actual}."]
