"""The account behind a user: its e-mail, its name and its password, in every workspace the same."""

import asyncio
from dataclasses import dataclass

import argon2
from userdirectory.v1 import log_pb2, policy_pb2, user_pb2

from core_service.core import Caller, Core
from core_service.policy import Policy
from core_service.rules import accounts, emails, passwords
from core_service.rules.accounts import EmailChange
from core_service.rules.passwords import Outcome
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_HASHING = asyncio.Semaphore(2)


@dataclass(frozen=True, slots=True)
class Secrets:
    """
    What a request says of the password.

    Attributes:
        sent: Whether the request carries one.
        hash: The argon2id hash of it; empty where the policy keeps none.
    """

    sent: bool
    hash: str


async def secrets_of(core: Core, caller: Caller, *users: user_pb2.User) -> Secrets:
    """
    Return what the last of *users* that has a password says of it.

    The hash is made here, before the write, because it takes tens of milliseconds.
    """
    sent = [user.password for user in users if user.password]
    if not sent:
        return Secrets(sent=False, hash="")

    async def policy(tx: Transaction) -> Policy:
        return (await core.contexts.read(tx, caller.workspace_id)).policy

    if (await core.storage.read(policy)).password != policy_pb2.PASSWORD_WRITES_ACCEPT:
        return Secrets(sent=True, hash="")
    async with _HASHING:
        return Secrets(sent=True, hash=await asyncio.to_thread(_HASHER.hash, sent[-1]))


def user_name(policy: Policy, text: str) -> str:
    """
    Return a user name as it is kept.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    if policy.user_name == policy_pb2.USER_NAME_FORM_EMAIL:
        return emails.canonical_email(text)
    return emails.canonical_principal(text)


async def open_account(write: Write, email: str, wanted: user_pb2.User, secrets: Secrets) -> str:
    """Return the id of the account with this e-mail, which gets one more user; made if new."""
    key = emails.key(email)
    account = await store.account_by_key(write.tx, key)
    if account is None:
        account = await store.insert_account(
            write.tx,
            store.AccountRow(
                id=write.core.new_id(),
                email=email,
                email_key=key,
                given_name=wanted.name.given_name,
                family_name=wanted.name.family_name,
                password_hash=None,
                users_count=0,
                create_time=write.now,
            ),
        )
    count = await store.add_account_users(write.tx, account.id, 1)
    account = account._replace(users_count=count)
    if _stores(write, secrets, account, linked=True):
        await store.update_account(write.tx, account._replace(password_hash=secrets.hash))
    return account.id


async def close_account(write: Write, account_id: str) -> None:
    """Take a purged user from its account; the account goes with its last user (R-163)."""
    if not accounts.is_needed(await store.add_account_users(write.tx, account_id, -1)):
        await store.delete_account(write.tx, account_id)


async def change(write: Write, row: store.UserRow, wanted: user_pb2.User, secrets: Secrets) -> str:
    """
    Bring the account of a user to what is wanted, as far as this workspace may (D-04, D-05).

    Returns:
        The user name that the user has from now on.

    Raises:
        DirectoryError: FIELD_INVALID, VALUE_TAKEN, ACCOUNT_SHARED.
    """
    asked = _asked_name(write, row, wanted.user_name)
    document = user_pb2.User.FromString(row.document)
    named = (wanted.name.given_name, wanted.name.family_name) != (
        document.name.given_name,
        document.name.family_name,
    )
    if asked == row.user_name and not named and not secrets.sent:
        return row.user_name
    # Other workspaces share the account and not our lock: this locks it until the end.
    await store.add_account_users(write.tx, row.account_id, 0)
    account = await store.account_by_id(write.tx, row.account_id)
    if account is None:
        raise LookupError(f"user {row.id} has no account")
    spelled = await _email(write, row, account, asked)
    stores = _stores(write, secrets, account, linked=row.integration_id != "")
    new = account
    if accounts.takes_names(account.users_count):
        new = account._replace(
            email=spelled,
            email_key=emails.key(spelled),
            given_name=wanted.name.given_name,
            family_name=wanted.name.family_name,
        )
    if stores:
        new = new._replace(password_hash=secrets.hash)
    if new != account:
        await store.update_account(write.tx, new)
    return spelled


def _asked_name(write: Write, row: store.UserRow, text: str) -> str:
    if text == row.user_name:
        return text
    # Entra puts the 32 digits of the object id before the name of a person it deletes.
    stripped = emails.strip_deletion_prefix(text, row.user_name_key)
    return row.user_name if stripped != text else user_name(write.context.policy, text)


async def _email(write: Write, row: store.UserRow, account: store.AccountRow, asked: str) -> str:
    provisions = write.caller.provisions
    allows = write.context.policy.account_email == policy_pb2.ACCOUNT_EMAIL_ALLOW
    outcome = accounts.email_change(
        row.user_name,
        asked,
        workspaces=account.users_count,
        policy_allows=allows or not provisions,
        linked=row.integration_id != "" or not provisions,
        user_id=row.id,
    )
    if outcome is EmailChange.KEEP:
        write.notice(
            "ACCOUNT_EMAIL_IGNORED",
            f"The user name stays {row.user_name}; provisioning does not change it here.",
            "user_name",
        )
        return row.user_name
    if outcome is EmailChange.CHANGE:
        holder = await store.account_by_key(write.tx, emails.key(asked))
        emails.guard_free(None if holder is None else holder.id, account.id, asked)
    return asked


def _stores(write: Write, secrets: Secrets, account: store.AccountRow, *, linked: bool) -> bool:
    """Return whether the password becomes the account's; note one that does or not (D-31)."""
    outcome = passwords.outcome(
        "sent" if secrets.sent else "",
        accepted=bool(secrets.hash),
        workspaces=account.users_count,
        linked=linked or not write.caller.provisions,
    )
    if outcome is Outcome.IGNORE:
        write.notice("PASSWORD_IGNORED", "The password that was sent was dropped.", "password")
    if outcome is Outcome.STORE:
        write.changes.append(log_pb2.FieldChange(field="password"))
    return outcome is Outcome.STORE
