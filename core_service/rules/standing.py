"""What the guards must know of a user, and of the workspace the user is in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What a user counts as. Guards compare it before and after a write.

    Before a create and after a purge there is no standing: None.

    Attributes:
        admin: Whether the user's role is for admins, also while the user is inactive.
        guest: Whether the user's role is for guests.
        active: Whether the user can sign in.
    """

    admin: bool
    guest: bool
    active: bool

    @property
    def holds_seat(self) -> bool:
        """Whether the user holds a seat where seats are metered (R-044)."""
        return self.active and not self.guest

    @property
    def is_active_admin(self) -> bool:
        """Whether the user is one of the admins that a workspace must have one of (R-150)."""
        return self.active and self.admin


@dataclass(frozen=True, slots=True)
class Facts:
    """
    The counts of a workspace as they are before the write.

    Attributes:
        active_admins: How many users are active and have a role for admins.
        seats_used: How many users hold a seat.
        seats_total: How many seats are paid for.
        metered: Whether users need a seat at all.
        automatic_booking: Whether another seat is booked when none is free.
    """

    active_admins: int
    seats_used: int
    seats_total: int
    metered: bool
    automatic_booking: bool
