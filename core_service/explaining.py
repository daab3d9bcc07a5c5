"""The use case of explaining a trace: what was asked, by whom, what decided, what became of it."""

import re
from typing import Any

from userdirectory.v1 import integration_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import decisions, history
from core_service.core import Caller, Core
from core_service.rules.wording import invalid
from core_service.storage import store
from core_service.storage.database import Transaction

MOST_ENTRIES = 1000
MOST_BYTES = 3 * 1024 * 1024
"""What an answer may have of entries; gRPC carries 4 MiB."""

_ID = r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
# The ids of users in the text of an error look the same.
_NAMED = re.compile(rf"\btrace(?:[ -]id)?\W{{0,3}}({_ID})")
_ALONE = re.compile(_ID)


async def explain(
    core: Core, caller: Caller, request: api.ExplainTraceRequest
) -> api.ExplainTraceResponse:
    """
    Return what is known of a trace, in the order it happened.

    A caller without a workspace sees what belongs to any, and what belongs to none.

    Raises:
        DirectoryError: FIELD_INVALID for a text without a trace id; WORKSPACE_NOT_FOUND.
    """
    trace_id = _trace_id(request.trace_id)

    async def work(tx: Transaction) -> api.ExplainTraceResponse:
        if caller.workspace_id:
            await core.contexts.read(tx, caller.workspace_id)
        rows = await store.log_of_trace(tx, trace_id, caller.workspace_id or None, MOST_ENTRIES)
        labels = _Labels(tx)
        answer = api.ExplainTraceResponse()
        size = 0
        for row in rows:
            size += len(row.document)
            if size > MOST_BYTES:
                break
            answer.explanations.append(await _explanation(row, labels))
        return answer

    return await core.storage.read(work)


async def _explanation(row: store.LogRow, labels: "_Labels") -> api.Explanation:
    entry = history.entry(row)
    integration = await labels.integration(row.workspace_id, row.integration_id)
    return api.Explanation(
        entry=entry,
        rule_text=decisions.text(row.reason, entry.rule),
        credential_label=await labels.credential(row.credential_id),
        integration_label=integration.label if integration else "",
        provider=_provider(integration),
        remedy=decisions.remedy(row.reason, entry.rule),
    )


def _provider(row: store.IntegrationRow | None) -> Any:
    return integration_pb2.PROVIDER_UNSPECIFIED if row is None else row.provider


class _Labels:
    """The labels of credentials and integrations as they are now, each looked up once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._credentials: dict[str, str] = {}
        self._integrations: dict[tuple[str, str], store.IntegrationRow | None] = {}

    async def credential(self, public_id: str) -> str:
        """Return the label of a credential, empty if it is gone."""
        if public_id and public_id not in self._credentials:
            row = await store.credential(self._tx, public_id)
            self._credentials[public_id] = row.label if row else ""
        return self._credentials.get(public_id, "")

    async def integration(self, workspace_id: str, id_: str) -> store.IntegrationRow | None:
        """Return an integration, None if it is gone or there never was one."""
        key = (workspace_id, id_)
        if id_ and key not in self._integrations:
            self._integrations[key] = await store.integration(self._tx, *key)
        return self._integrations.get(key)


def _trace_id(text: str) -> str:
    """Return the trace id that *text* is or holds: behind the word, else the last that could be."""
    lower = text.lower()
    found = _NAMED.findall(lower) or _ALONE.findall(lower)
    if not found:
        raise invalid(
            "trace_id",
            "There is no trace id in the text. It has 32 hexadecimal digits and is at the end of "
            "an error's `detail`.",
        )
    return str(found[-1])
