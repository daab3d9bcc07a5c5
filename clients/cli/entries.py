"""How entries of the log are told to people."""

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2
from userdirectory.v1.log_pb2 import ActorKind, LogEntry
from userdirectory.v1.policy_pb2 import SettingOrigin

from clients.cli.output import Output
from clients.cli.values import local, setting, word

# Where the requests are that an entry may hold.
_FILES = (user_directory_pb2.DESCRIPTOR, workspace_admin_pb2.DESCRIPTOR)
_ACTORS = {
    ActorKind.ACTOR_KIND_UNKNOWN: "somebody without a good credential",
    ActorKind.ACTOR_KIND_IDENTITY_PROVIDER: "an identity provider",
    ActorKind.ACTOR_KIND_PRODUCT: "a product",
    ActorKind.ACTOR_KIND_DIRECTORY: "the directory itself",
}


def print_entry(out: Output, entry: LogEntry) -> None:
    """Print what happened in a few lines: what and when, about whom, what came of it."""
    reason = entry.reason.removeprefix("ERROR_REASON_")
    outcome = f"refused: {reason}" if reason else "done"
    out.line(f"{local(entry, 'time')}  {entry.operation}  {outcome}", "red" if reason else "bold")
    if entry.message:
        out.line(f"    {entry.message}")
    for change in changes(entry):
        out.line(f"    {change}")
    target = f"target {entry.target_id}  " if entry.target_id else ""
    out.line(f"    {target}trace {entry.trace_id}", "dim")


def changes(entry: LogEntry) -> list[str]:
    """Return what changed: `title: "Engineer" -> "Lead"`."""
    return [
        f"{change.field}: {change.before or 'nothing'} -> {change.after or 'nothing'}"
        for change in entry.changes
    ]


def settings(entry: LogEntry) -> list[str]:
    """Return the settings that decided: `admin_role = product-only (from the preset)`."""
    origins = {
        SettingOrigin.SETTING_ORIGIN_PRESET: "from the preset",
        SettingOrigin.SETTING_ORIGIN_OVERRIDE: "set for this workspace",
    }
    return [
        f"{each.name} = {setting(each.name, each.value)} ({origins.get(each.origin, 'unknown')})"
        for each in entry.settings
    ]


def actor(entry: LogEntry) -> str:
    """Return who asked, in words."""
    return _ACTORS.get(entry.actor, word(ActorKind.DESCRIPTOR, entry.actor))


def request(entry: LogEntry) -> str:
    """Return what was asked as JSON, empty if it is not kept."""
    if not entry.HasField("request"):
        return ""
    for file in _FILES:
        for descriptor in file.message_types_by_name.values():
            if entry.request.Is(descriptor):
                return _json(GetMessageClass(descriptor)(), entry)
    return ""


def _json(message: Message, entry: LogEntry) -> str:
    entry.request.Unpack(message)
    return MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False)
