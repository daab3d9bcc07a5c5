"""Who sends mail to people."""

import asyncio
import contextlib
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

from core_service.ports.failures import DeliveryError

log = logging.getLogger(__name__)

_SECONDS = 10.0
"""How long one exchange with the mail server may take; a message takes about ten."""


class Mail(Protocol):
    """Sends a mail to one person."""

    async def send(
        self,
        *,
        message_id: str,
        workspace_id: str,
        to: str,
        subject: str,
        text: str,
        language: str,
    ) -> None:
        """
        Send a mail.

        A call that fails, or that a crash cuts off before its success was written down, is made
        again with the same *message_id*.

        Args:
            message_id: Names the mail, unique in the installation.
            workspace_id: Where the person is.
            to: One address.
            subject: One line.
            text: Plain text.
            language: Of subject and text, as a BCP 47 tag: `de`.

        Raises:
            DeliveryError: The mail was not sent; any other exception means the same.
        """


class LogMail:
    """Sends nothing and logs that it would: ids only, no address and no text."""

    async def send(
        self,
        *,
        message_id: str,
        workspace_id: str,
        to: str,  # noqa: ARG002 - the port's arguments
        subject: str,  # noqa: ARG002
        text: str,  # noqa: ARG002
        language: str,
    ) -> None:
        """Log the mail."""
        log.info(
            "Mail not sent, no SMTP_URL: message_id=%(message_id)s "
            "workspace_id=%(workspace_id)s language=%(language)s",
            {"message_id": message_id, "workspace_id": workspace_id, "language": language},
        )


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """
    A mail server.

    Attributes:
        tls: `always` from the first byte, `starttls` before anything is said, `off`.
        user: Empty where the server asks for none.
    """

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """
        Return the server at `smtp://user:password@host:587` or `smtps://host:465`.

        `smtp` secures the connection by STARTTLS or sends nothing; `smtp://localhost:25?tls=off`
        is for a server on the same machine.

        Raises:
            ValueError: With the end of "NAME must ..."; it names no password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("have a port from 0 to 65535") from None
        options = parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
            raise ValueError("look like smtp://user:password@host:587 or smtps://host:465")
        if options not in ({}, {"tls": ["off"]}) or (options and parts.scheme == "smtps"):
            raise ValueError("end with the port, or be smtp:// and end with ?tls=off")
        if options and parts.username:
            raise ValueError("not send a password with tls=off")
        secure = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=port or (465 if secure else 587),
            tls="always" if secure else "off" if options else "starttls",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class SmtpMail:
    """
    Sends through a mail server.

    Args:
        server: The server.
        sender: Who sends: `directory@example.com` or `Directory <directory@example.com>`.
        trust: What certificates are believed; None: those the machine believes.
    """

    def __init__(
        self, server: SmtpServer, sender: str, *, trust: ssl.SSLContext | None = None
    ) -> None:
        """Connect to nothing yet; every mail has a connection of its own."""
        self._server = server
        self._sender = sender
        self._trust = trust or ssl.create_default_context()

    async def send(
        self,
        *,
        message_id: str,
        workspace_id: str,
        to: str,
        subject: str,
        text: str,
        language: str,
    ) -> None:
        """Send a mail; DeliveryError with the server's status but never with its text."""
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject
        message["Date"] = formatdate(usegmt=True)
        # The same for every try, so that mailboxes can tell a mail that came twice.
        message["Message-ID"] = f"<{message_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content(text)
        message["Content-Language"] = language  # set_content drops those before it
        await asyncio.to_thread(self._deliver, message)
        log.info(
            "Mail sent: message_id=%(message_id)s workspace_id=%(workspace_id)s",
            {"message_id": message_id, "workspace_id": workspace_id},
        )

    def _deliver(self, message: EmailMessage) -> None:
        try:
            smtp = self._connect()
            try:
                if self._server.user:
                    smtp.login(self._server.user, self._server.password)
                smtp.send_message(message)
            finally:
                # The server has the mail: how it says goodbye does not make it come twice.
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                smtp.close()
        except smtplib.SMTPRecipientsRefused as error:
            # Its text holds the address.
            codes = sorted({str(code) for code, _ in error.recipients.values()})
            raise DeliveryError(f"recipient refused, SMTP {' '.join(codes)}") from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"{type(error).__name__}, SMTP {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"{type(error).__name__} at the mail server") from None

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.tls == "always":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=self._trust)
        smtp = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
        if server.tls == "starttls":
            try:
                smtp.starttls(context=self._trust)
            except BaseException:
                smtp.close()
                raise
        return smtp
