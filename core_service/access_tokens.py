"""
The use case of access tokens, which the bearer of an integration's token has made for an hour.

They stand for that token: same integration, scopes and subject, and good no longer than it is.
"""

from google.protobuf.duration_pb2 import Duration
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import credentials, durations, tokens
from core_service.core import Caller, Core
from core_service.rules import scopes
from core_service.storage import store
from core_service.storage.database import Transaction

LIFETIME = durations.HOUR


async def create(
    core: Core, caller: Caller, request: api.CreateAccessTokenRequest
) -> api.CreateAccessTokenResponse:
    """
    Return a new access token for the bearer of an integration's token.

    Raises:
        DirectoryError: CREDENTIAL_INVALID if the caller's is no token of an integration, or is not
            the one that is named, or has ended meanwhile.

    Source: RFC 6749 section 4.4, D-44.
    """
    if not caller.integration_id or request.client_id != caller.credential_id:
        raise _invalid()
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.CreateAccessTokenResponse:
        now = core.now()
        parent = await store.credential(tx, caller.credential_id)
        if parent is None or parent.revoke_time is not None:
            raise _invalid()
        ends = now + LIFETIME if parent.expire_time is None else parent.expire_time
        ends = min(ends, now + LIFETIME)
        if ends <= now:
            raise _invalid()
        await store.clear_access_tokens(tx, parent.workspace_id, parent.integration_id, now)
        row = credentials.credential(
            public_id, digest, parent.label, parent.workspace_id, parent.integration_id, now
        )
        row = row._replace(
            expire_time=ends, scopes=parent.scopes, subject=parent.subject, parent_id=parent.id
        )
        await store.insert_credential(tx, row)
        return api.CreateAccessTokenResponse(
            access_token=secret,
            lifetime=_duration(ends - now),
            scopes=sorted(scopes.of_integration(row.scopes, access_token=True)),
        )

    return await core.write(caller, work)


def _duration(micros: int) -> Duration:
    return Duration(seconds=micros // durations.SECOND, nanos=micros % durations.SECOND * 1000)


def _invalid() -> DirectoryError:
    return DirectoryError(
        "CREDENTIAL_INVALID",
        "The credential is not a good token of an integration with this id. Send the token and its "
        "own id, which is the part between its first and second underscore.",
    )
