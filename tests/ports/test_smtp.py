"""Mails over a real socket: what the mail server is told, and when it is told nothing."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy

import pytest
import trustme

from core_service import settings
from core_service.ports import DeliveryError, LogBilling, LogMail, SmtpMail, SmtpServer
from core_service.settings import SettingsError

LETTER = {
    "message_id": "m1",
    "workspace_id": "w1",
    "to": "grace@example.com",
    "subject": "Grüße",
    "text": "Hallo Grace.\n",
    "language": "de",
}
SENDER = "Directory <directory@product.example>"


@dataclass
class MailServer:
    """
    A mail server.

    Attributes:
        tls: What it offers STARTTLS with; None offers none.
        refuses: The status that it refuses recipients with; 0 takes all.
        goodbye: How it answers QUIT; empty hangs up.
        heard: What it was told before and between mails, a line each.
        mails: What it took.
    """

    tls: ssl.SSLContext | None = None
    refuses: int = 0
    goodbye: str = "221 bye"
    heard: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["MailServer"]:
        """Listen at a port of the loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            if answer := self._answer(line.upper()):
                writer.write(answer.encode() + b"\r\n")
            if line.upper() == "STARTTLS" and self.tls:
                await writer.drain()
                await writer.start_tls(self.tls)
            if line.upper() == "DATA":
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                writer.write(b"250 taken\r\n")
            if line.upper() == "QUIT" or writer.is_closing():
                break
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _answer(self, line: str) -> str:
        if line.startswith("EHLO"):
            return "250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS" if self.tls else "250 here"
        if line.startswith("RCPT") and self.refuses:
            return f"{self.refuses} no grace@example.com here"
        if line == "QUIT":
            return self.goodbye
        if line == "STARTTLS":
            return "220 go on" if self.tls else "502 no"
        return "354 go on" if line == "DATA" else "235 fine" if "AUTH" in line else "250 fine"

    def mail(self, tls: str, **options: str) -> SmtpMail:
        """Return a port that sends through this server."""
        trust = ssl.create_default_context()
        return SmtpMail(SmtpServer("127.0.0.1", self.port, tls, **options), SENDER, trust=trust)


@pytest.mark.rule("D-19")
async def test_a_mail_arrives_as_it_was_written():
    """One recipient, sender, subject, language, and an id that is the same for every try."""
    async with MailServer().running() as server:
        for _ in range(2):
            await server.mail("off").send(**LETTER)

    first, second = (message_from_bytes(raw, policy=policy.default) for raw in server.mails)
    assert (first["From"], first["To"], first["Subject"]) == (SENDER, LETTER["to"], "Grüße")
    assert first["Message-ID"] == second["Message-ID"] == "<m1@product.example>"
    assert (first["Content-Language"], first["Auto-Submitted"]) == ("de", "auto-generated")
    assert first.get_content().strip() == "Hallo Grace."


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("goodbye", ["", "250 what", "500 no"])
async def test_a_mail_that_was_taken_does_not_come_twice(goodbye):
    """How the server takes leave is no reason to send again."""
    async with MailServer(goodbye=goodbye).running() as server:
        await server.mail("off").send(**LETTER)

    assert len(server.mails) == 1


@pytest.mark.rule("D-19")
async def test_nothing_is_said_before_the_connection_is_secure():
    """Without STARTTLS, or with a certificate nobody vouches for, no address leaves the house."""
    async with MailServer().running() as server:
        with pytest.raises(DeliveryError, match="SMTPNotSupportedError"):
            await server.mail("starttls", user="u", password="PASSWORD").send(**LETTER)

    assert not any(word in " ".join(server.heard) for word in ("grace", "PASSWORD", "AUTH"))


@pytest.fixture(scope="module")
def authority():
    """Give an authority whose certificates are believed by who is told of it."""
    return trustme.CA()


@pytest.mark.rule("D-19")
async def test_starttls_with_a_certificate_that_is_believed(authority):
    """The password and the mail go through the secured connection."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with MailServer(tls).running() as server:
        where = SmtpServer("localhost", server.port, "starttls", "u", "p")
        await SmtpMail(where, SENDER, trust=trust).send(**LETTER)
        with pytest.raises(DeliveryError, match="SSLCertVerificationError"):
            await server.mail("starttls").send(**LETTER)

    assert len(server.mails) == 1
    assert server.heard.index("STARTTLS") < server.heard.index("AUTH PLAIN AHUAcA==")


@pytest.mark.rule("D-19")
async def test_an_error_names_no_address():
    """A refusal keeps its status, not the server's words, in which addresses stand."""
    async with MailServer(refuses=550).running() as server:
        with pytest.raises(DeliveryError) as caught:
            await server.mail("off").send(**LETTER)

    assert str(caught.value) == "recipient refused, SMTP 550"


@pytest.mark.rule("D-19")
async def test_a_server_that_is_away_is_a_failed_delivery():
    """Nobody listens: the mail is tried again later."""
    async with MailServer().running() as server:
        pass
    with pytest.raises(DeliveryError, match="ConnectionRefusedError"):
        await server.mail("off").send(**LETTER)


@pytest.mark.rule("D-19")
async def test_without_a_server_only_ids_are_logged(caplog):
    """No address, no subject, no text."""
    with caplog.at_level(logging.INFO):
        await LogMail().send(**LETTER)

    assert "message_id=m1" in caplog.text
    assert not any(LETTER[name] in caplog.text for name in ("to", "subject", "text"))


@pytest.mark.rule("D-18")
async def test_without_a_billing_system_the_invoice_is_logged(caplog):
    """The line has the window and the seats."""
    with caplog.at_level(logging.INFO):
        await LogBilling().invoice(
            window_id="i1", workspace_id="w1", seats=50, open_time=1, close_time=2
        )

    assert "window_id=i1 workspace_id=w1 seats=50" in caplog.text


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 587, "starttls")),
        (
            "smtp://u%40x:p%2Fw@mail.example:25",
            SmtpServer("mail.example", 25, "starttls", "u@x", "p/w"),
        ),
        ("smtps://u:p@mail.example", SmtpServer("mail.example", 465, "always", "u", "p")),
        ("smtp://localhost:1025?tls=off", SmtpServer("localhost", 1025, "off")),
    ],
)
def test_a_mail_server_is_named_by_a_url(url, server):
    """The scheme says how the connection is secured."""
    chosen = settings.read({}, {"SMTP_URL": url, "MAIL_FROM": SENDER})

    assert (chosen.smtp_url, chosen.mail_from) == (server, SENDER)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "smtp://:PASSWORD@",
        "http://mail.example",
        "smtp://u:PASSWORD@mail.example:99999",
        "smtp://u:PASSWORD@mail.example/path",
        "smtp://u:PASSWORD@mail.example?tls=off",
        "smtps://mail.example?tls=off",
        "smtp://mail.example?tls=maybe",
    ],
)
def test_a_url_that_names_none_is_refused(url):
    """The message teaches and shows no password."""
    with pytest.raises(SettingsError, match="SMTP_URL must") as caught:
        settings.read({}, {"SMTP_URL": url, "MAIL_FROM": SENDER})

    assert "PASSWORD" not in str(caught.value)


def test_a_mail_server_needs_a_sender():
    """Without MAIL_FROM no mail could be sent; what is no address is refused."""
    with pytest.raises(SettingsError, match="SMTP_URL needs MAIL_FROM"):
        settings.read({}, {"SMTP_URL": "smtp://mail.example"})
    with pytest.raises(SettingsError, match="MAIL_FROM must be an address"):
        settings.read({}, {"MAIL_FROM": "Directory"})


def test_the_password_is_in_no_repr():
    """Settings may be printed (X10)."""
    chosen = settings.read({}, {"SMTP_URL": "smtp://u:PASSWORD@mail.example", "MAIL_FROM": SENDER})

    assert "PASSWORD" not in repr(chosen)
