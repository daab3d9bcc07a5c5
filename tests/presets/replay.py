"""One dialog, held with a workspace by SCIM or by gRPC, and the workspace as it is at the end."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.status import error_of_call
from userdirectory.v1 import notice_pb2, policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import Name, User, Workplace

from tests.scim import PATCH_OP, Scim
from tests.system import System
from tests.workspaces import Place, new_place

HERE = Path(__file__).resolve().parent
DIALOG: list[dict[str, Any]] = json.loads((HERE / "dialog.json").read_text())
CALLS: list[dict[str, Any]] = json.loads((HERE / "calls.json").read_text())
PRESETS: dict[str, policy_pb2.Preset] = {
    "single-role": policy_pb2.PRESET_SINGLE_ROLE,
    "org-chart": policy_pb2.PRESET_ORG_CHART,
    "group-mirror": policy_pb2.PRESET_GROUP_MIRROR,
    "strict-rfc": policy_pb2.PRESET_STRICT_RFC,
}

_PLACEHOLDER = re.compile(r"\{([a-z][A-Za-z ]*)\}")
# What was done differently from what was asked; later codes tell what followed from it.
_TOLD = (
    *range(1, notice_pb2.NOTICE_CODE_ROLE_KEPT_AS_VALUE + 1),
    notice_pb2.NOTICE_CODE_MEMBER_SKIPPED,
)
_ALWAYS_OTHER = ("etag", "member_count")
_TIMES = ("create_time", "update_time", "last_sync_time", "delete_time", "unlink_time")

Known = dict[str, str]
"""The ids by the names of the dialog: `{"grace": "5c1f...", "role Manager": "..."}`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What a dialog led to.

    Attributes:
        answers: By step; from SCIM `201` or `409 uniqueness`, from gRPC `OK`, `OK + LANGUAGE_...`
            or a reason.
        users: All users of the workspace, also those who were deleted and can be restored, by
            their names in the dialog.
        groups: All groups with their members, by name.
    """

    answers: dict[str, str]
    users: dict[str, Any]
    groups: dict[str, Any]


async def by_scim(directory: System, preset: policy_pb2.Preset) -> Outcome:
    """Hold the dialog as an identity provider does."""
    place, known = await _cast(directory, preset)
    with Scim(directory.base_url, place.token) as scim:

        async def step(told: Mapping[str, Any]) -> tuple[str, str]:
            method, _, path = _fill(told["send"], known).partition(" ")
            body = _fill(told.get("body"), known)
            if "operations" in told:
                body = {"schemas": [PATCH_OP], "Operations": _fill(told["operations"], known)}
            answer = await asyncio.to_thread(scim.request, method, path, body)
            content = answer.body or {}
            text = f"{answer.status} {content.get('scimType', '')}"
            return text.strip(), content.get("id", "")

        return await _hold(directory, place, known, DIALOG, step)


async def by_grpc(directory: System, preset: policy_pb2.Preset) -> Outcome:
    """Hold the dialog as a program does that calls the core with the integration's credential."""
    place, known = await _cast(directory, preset)
    async with grpc.aio.insecure_channel(directory.address) as channel:
        stub = UserDirectoryStub(channel)

        async def step(told: Mapping[str, Any]) -> tuple[str, str]:
            request = getattr(api, f"{told['call']}Request")()
            json_format.ParseDict(_fill(told["request"], known), request)
            try:
                answer = await getattr(stub, told["call"])(
                    request, metadata=_bearer(place.token), timeout=20
                )
            except grpc.aio.AioRpcError as failure:
                return _reason(failure), ""
            made = getattr(answer, "user", None) or getattr(answer, "group", None)
            return " + ".join(["OK", *_notices(answer)]), made.id if made else ""

        return await _hold(directory, place, known, CALLS, step)


async def _cast(directory: System, preset: policy_pb2.Preset) -> tuple[Place, Known]:
    """Return a workspace with those who were there before provisioning began."""
    place = await new_place(directory.core, preset)
    elsewhere = await new_place(directory.core, preset)
    w = place.workspace_id
    known = {"w": w, "ada": place.admin_id}
    known |= {f"role {name}": id_ for name, id_ in place.roles.items()}
    stub, metadata = UserDirectoryStub(directory.process), _bearer(directory.service_token)
    for workspace_id, name, role in (
        (w, "emil", "Member"),
        (w, "gus", "Guest"),
        (elsewhere.workspace_id, "sam", "Member"),
    ):
        user = User(
            user_name=f"{name}@{w}.example",
            name=Name(given_name=name.capitalize(), family_name="Before"),
            workplace=Workplace(user_role=role),
        )
        request = api.CreateUserRequest(workspace_id=workspace_id, user=user)
        made = await stub.CreateUser(request, metadata=metadata)
        if workspace_id == w:
            known[name] = made.user.id
    return place, known


async def _hold(
    directory: System,
    place: Place,
    known: Known,
    steps: list[dict[str, Any]],
    step: Callable[[Mapping[str, Any]], Awaitable[tuple[str, str]]],
) -> Outcome:
    answers = {}
    for told in steps:
        answers[told["name"]], id_ = await step(told)
        if "keep" in told and id_:
            known[told["keep"]] = id_
    users, groups = await _end(directory, place)
    names: dict[str, str] = {}
    for name, id_ in known.items():
        names.setdefault(id_, name)
    return Outcome(answers, _by_name(users, names), _by_name(groups, names))


async def _end(directory: System, place: Place) -> tuple[list[Any], list[Any]]:
    """Return all users and groups as a product sees them."""
    stub, metadata = UserDirectoryStub(directory.process), _bearer(directory.service_token)
    w = place.workspace_id
    listed = await stub.ListUsers(
        api.ListUsersRequest(workspace_id=w, page_size=1000), metadata=metadata
    )
    away = await stub.ListDeletedUsers(
        api.ListDeletedUsersRequest(workspace_id=w, page_size=1000), metadata=metadata
    )
    users = {user.id: user for user in (*listed.users, *away.users)}
    whole = FieldMask(paths=["*"])
    groups = await stub.ListGroups(
        api.ListGroupsRequest(workspace_id=w, page_size=1000, read_mask=whole), metadata=metadata
    )
    return list(users.values()), list(groups.groups)


def _by_name(found: list[Any], names: Mapping[str, str]) -> dict[str, Any]:
    shown = {names[message.id]: _stable(message, names) for message in found}
    return dict(sorted(shown.items()))


def _stable(message: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a message with names for ids, and without what differs from run to run."""
    document = json_format.MessageToDict(message, preserving_proto_field_name=True)
    for field in _ALWAYS_OTHER:
        document.pop(field, None)
    for field in _TIMES:
        if field in document:
            document[field] = "a time"
    if document.get("last_trace_id"):
        document["last_trace_id"] = "a trace"
    if document.get("managed_by"):
        document["managed_by"] = "the integration"
    if "account_id" in document:
        document["account_id"] = f"the account of {names[message.id]}"
    if "members" in document:
        document["members"].sort(key=lambda member: names[member["member_id"]])
    return _named(document, names)


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, names) for inner in value]
    if isinstance(value, str):
        if value in names:
            return names[value]
        workspace_id = next(id_ for id_, name in names.items() if name == "w")
        return value.replace(workspace_id, "w")
    return value


def _fill(value: Any, known: Known) -> Any:
    """Return *value* with ids for names; who was never created is `nobody`."""
    if isinstance(value, dict):
        return {key: _fill(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, known) for inner in value]
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: known.get(found[1], "nobody"), value)
    return value


def _reason(failure: grpc.aio.AioRpcError) -> str:
    error = error_of_call(failure)
    if error is None:
        raise failure
    return error.reason


def _notices(answer: Any) -> list[str]:
    notices = getattr(answer, "notices", ())
    names = {
        notice_pb2.NoticeCode.Name(notice.code).removeprefix("NOTICE_CODE_")
        for notice in notices
        if notice.code in _TOLD
    }
    return sorted(names)


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
