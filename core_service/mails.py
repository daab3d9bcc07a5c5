"""The mails that people get, in their language (R-040, R-050, D-19)."""

import json
from dataclasses import dataclass

from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_pb2

from core_service.context import Context
from core_service.rules import emails
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A mail to one person.

    Attributes:
        language: Of subject and text: `en` or `de`.
    """

    to: str
    subject: str
    text: str
    language: str


_WORDING: dict[str, tuple[str, str]] = {
    "en": (
        "Your access to {workspace} is active again",
        "Hello {name},\n\nan administrator has activated your access to {workspace} again. "
        "You can sign in as before.\n{link}\n"
        "If you did not expect this, ask an administrator of {workspace}.\n",
    ),
    "de": (
        "Ihr Zugang zu {workspace} ist wieder aktiv",
        "Guten Tag {name},\n\nIhr Zugang zu {workspace} wurde wieder aktiviert. "
        "Sie können sich wie bisher anmelden.\n{link}\n"
        "Falls Sie das nicht erwartet haben, fragen Sie die Administration von {workspace}.\n",
    ),
}
"""Subject and text by language; the first language is for everyone who speaks none of them."""


async def announce_return(write: Write, before: store.UserRow, after: store.UserRow) -> None:
    """
    Put a mail to a user whom a product made active again into the outbox.

    The outbox keeps the user's id and no address: a user who is purged leaves nothing there.
    """
    if write.caller.provisions or before.active or not after.active:
        return
    await store.put_into_outbox(
        write.tx,
        store.OutboxRow(
            workspace_id=write.workspace_id,
            id=write.core.new_id(),
            port="mail",
            key=f"{after.id}:{after.version}",
            payload=json.dumps({"user_id": after.id}),
            due_time=write.now,
            attempts=0,
            done_time=None,
            last_error="",
        ),
    )


async def reactivated(tx: Transaction, context: Context, user_id: str) -> Letter | None:
    """Return the mail to a user who is active again; None if there is nobody to write to."""
    row = await store.user_by_id(tx, context.id, user_id)
    if row is None or not row.active:
        return None
    user = user_pb2.User.FromString(row.document)
    to = emails.contact_email(
        [email.value for email in user.emails],
        [email.primary for email in user.emails],
        row.user_name,
    )
    try:
        to = emails.canonical_email(to)
    except DirectoryError:
        # A principal name such as CORP\ada is no address.
        return None
    language = _language(user.preferred_language or next(iter(context.policy.languages), ""))
    subject, text = _WORDING[language]
    link = context.message.link
    parts = {
        "workspace": _line(context.message.display_name or context.id),
        "name": _line(user.display_name or row.user_name),
        "link": f"\n{_line(link)}\n" if link else "",
    }
    return Letter(to, subject.format(**parts), text.format(**parts), language)


def _language(tag: str) -> str:
    spoken = tag.partition("-")[0].lower()
    return spoken if spoken in _WORDING else next(iter(_WORDING))


def _line(text: str) -> str:
    """Return *text* on one line, so that it cannot add a header to a mail."""
    return " ".join(text.split())
