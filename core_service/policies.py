"""The use cases of a workspace's policy: reading every setting, changing some."""

import logging

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import policy as policies
from core_service import policy_settings, views
from core_service.core import Caller, Core
from core_service.policy import Policy
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.workspace_writes import change
from core_service.writing import Write

log = logging.getLogger(__name__)


async def get(
    core: Core,
    caller: Caller,
    request: api.GetPolicyRequest,  # noqa: ARG001 - it names the workspace, which the caller has
) -> api.GetPolicyResponse:
    """
    Return the policy, and every setting by name with where its value comes from.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.GetPolicyResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        stored = context.message.policy
        return api.GetPolicyResponse(
            policy=policies.to_message(context.policy),
            settings=policy_settings.shown(context.policy, stored),
        )

    return await core.storage.read(work)


async def update(
    core: Core, caller: Caller, request: api.UpdatePolicyRequest
) -> api.UpdatePolicyResponse:
    """
    Change the preset or what overrides it; the next call of any process is answered by it.

    Another preset keeps no override but those sent, whatever the mask: what overrides one preset
    may make no sense with the next.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND, ETAG_MISMATCH, FIELD_UNKNOWN (mask), FIELD_INVALID for
            a policy that no workspace can have, and for unique names of groups where names clash.
    """
    policies.check(request.policy)
    changed: list[str] = []

    async def work(tx: Transaction) -> api.UpdatePolicyResponse:
        write = await Write.begin(core, tx, caller)
        views.check_etag(write.row.version, request.etag)
        wanted = _merged(write.context.message.policy, request.policy, request.update_mask)
        before, after = write.context.policy, policies.of(wanted)
        changed[:] = _differences(before, after)
        if wanted != write.context.message.policy:
            await _follow(write, before, after)

            def edit(message: workspace_pb2.Workspace) -> None:
                message.policy.CopyFrom(wanted)

            await change(write, edit)
        return api.UpdatePolicyResponse(
            policy=policies.to_message(after),
            settings=policy_settings.shown(after, wanted),
            notices=write.notices,
        )

    answer = await core.write(caller, work)
    if changed:
        log.info(
            "policy changed: %(settings)s workspace_id=%(workspace_id)s "
            "credential_id=%(credential_id)s trace_id=%(trace_id)s",
            {
                "settings": ",".join(changed),
                "workspace_id": caller.workspace_id,
                "credential_id": caller.credential_id or "-",
                "trace_id": caller.trace_id,
            },
        )
    return answer


def _merged(
    stored: policy_pb2.Policy, sent: policy_pb2.Policy, mask: FieldMask
) -> policy_pb2.Policy:
    """Return the preset and overrides that an update leads to."""
    paths = list(mask.paths) or ["*"]
    for path in paths:
        if path != "*" and path not in sent.DESCRIPTOR.fields_by_name:
            raise DirectoryError(
                "FIELD_UNKNOWN",
                f"There is no setting {shown(path)!r}. Read the policy for the names.",
                field="update_mask",
            )
    merged = policy_pb2.Policy()
    merged.CopyFrom(stored)
    if "*" in paths or ("preset" in paths and _preset(sent) != _preset(stored)):
        merged.CopyFrom(sent)
    else:
        FieldMask(paths=paths).MergeMessage(sent, merged, replace_message_field=True)
    merged.preset = _preset(merged)
    return merged


def _preset(message: policy_pb2.Policy) -> policy_pb2.Preset:
    return message.preset or policy_pb2.PRESET_SINGLE_ROLE


def _differences(before: Policy, after: Policy) -> list[str]:
    names = ("preset", *policies.SETTINGS)
    return [name for name in names if getattr(before, name) != getattr(after, name)]


async def _follow(write: Write, before: Policy, after: Policy) -> None:
    """Bring the rows to what the policy says of them now."""
    tx, workspace_id = write.tx, write.workspace_id
    if before.group_names_unique != after.group_names_unique:
        if after.group_names_unique:
            await _refuse_clash(write)
        await store.set_names_unique(tx, workspace_id, unique=after.group_names_unique)
    if before.groups != after.groups:
        # Every user is shown with other groups; the roles were not counted up as groups are.
        await store.touch_all_users(tx, workspace_id, write.now)
        await store.touch_all_roles(tx, workspace_id, write.now)


async def _refuse_clash(write: Write) -> None:
    clash = await store.name_clash(write.tx, write.workspace_id)
    if clash is not None:
        raise DirectoryError(
            "FIELD_INVALID",
            f"Several groups are called {shown(clash)}, so names cannot be unique. "
            "Rename all but one first.",
            field="policy.group_names_unique",
            value=shown(clash),
        )
