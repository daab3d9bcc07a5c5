"""Who makes the invoices."""

import logging
from typing import Protocol

log = logging.getLogger(__name__)


class Billing(Protocol):
    """Makes an invoice for seats that were booked automatically."""

    async def invoice(
        self, *, window_id: str, workspace_id: str, seats: int, open_time: int, close_time: int
    ) -> None:
        """
        Make the invoice of a window.

        A call that fails, or that a crash cuts off before its success was written down, is made
        again with the same arguments: *window_id* is what makes the invoice one.

        Args:
            window_id: The idempotency key.
            workspace_id: Who pays.
            seats: How many seats were booked in the window; at least 1.
            open_time: When the first was booked, in microseconds since 1970.
            close_time: 30 minutes later.

        Raises:
            DeliveryError: The invoice was not made; any other exception means the same.

        Source: R-048, R-049, D-18.
        """


class LogBilling:
    """
    Makes no invoice but a log line.

    The record is the window itself: its row keeps the seats and when it was invoiced.
    """

    async def invoice(
        self, *, window_id: str, workspace_id: str, seats: int, open_time: int, close_time: int
    ) -> None:
        """Log the invoice."""
        log.info(
            "Invoice window_id=%(window_id)s workspace_id=%(workspace_id)s seats=%(seats)d "
            "open_time=%(open_time)d close_time=%(close_time)d",
            {
                "window_id": window_id,
                "workspace_id": workspace_id,
                "seats": seats,
                "open_time": open_time,
                "close_time": close_time,
            },
        )
