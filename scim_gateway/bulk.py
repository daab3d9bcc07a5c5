"""`/Bulk`: many writes in one request, and in one call of the core (RFC 7644 section 3.7)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from falcon.asgi import Request, Response
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.error_reason_pb2 import ErrorReason

from scim_gateway import errors, quirks, writes
from scim_gateway.answers import location
from scim_gateway.context import Gateway, answer
from scim_gateway.edge import IDENTIFIER
from scim_gateway.errors import ScimError, invalid_syntax, invalid_value
from scim_gateway.preconditions import entity_tags

MAX_OPERATIONS = 1000
REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

_PATH = re.compile(r"/?(Users|Groups)(?:/([^/]+))?/?", re.IGNORECASE)
_RESOURCES = {"users": USER, "groups": GROUP}
_STATUSES = {"POST": 201, "PUT": 200, "PATCH": 200, "DELETE": 204}
_READERS: dict[tuple[str, str], tuple[str, Callable[..., Any]]] = {
    ("POST", "User"): ("create_user", writes.create_user),
    ("PUT", "User"): ("update_user", writes.update_user),
    ("PATCH", "User"): ("patch_user", writes.patch_user),
    ("DELETE", "User"): ("delete_user", writes.delete_user),
    ("POST", "Group"): ("create_group", writes.create_group),
    ("PUT", "Group"): ("update_group", writes.update_group),
    ("PATCH", "Group"): ("patch_group", writes.patch_group),
    ("DELETE", "Group"): ("delete_group", writes.delete_group),
}


@dataclass(slots=True)
class Operation:
    """
    One operation of a bulk request, as far as it could be read.

    Attributes:
        method: In capitals; empty if there is none.
        bulk_id: Empty if there is none.
        resource: What is written; None if the path does not say.
        identifier: The id in the path, which may be `bulkId:REF`.
        write: What the core shall do; empty if the operation cannot be read.
        error: Why it cannot be read, None if it can.
    """

    method: str = ""
    bulk_id: str = ""
    resource: Resource | None = None
    identifier: str = ""
    write: rpc.WriteOperation = field(default_factory=rpc.WriteOperation)
    error: ScimError | None = None


class Bulk:
    """`/Bulk`."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_post(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """
        Make the writes and tell of each what became of it.

        The core is asked also if no operation can be read, because it knows the credential.
        """
        document = await self._gateway.read_user_body(req)
        base_url = self._gateway.base_url(workspace_id)
        operations, most_errors = read_bulk(document, base_url)
        readable, most_refusals = _what_is_tried(operations, most_errors)
        request = rpc.BatchWriteRequest(
            workspace_id=workspace_id,
            operations=[operations[index].write for index in readable],
            fail_on_errors=most_refusals,
        )
        method = self._gateway.stubs.directory.BatchWrite
        reply = await self._gateway.call(req, method, request)
        results = {readable[result.index]: result for result in reply.results}
        last = _last_tried(operations, most_errors)
        told = []
        for index, operation in enumerate(operations):
            if index in results:
                told.append(_outcome(operation, results[index], base_url, req.context.trace_id))
            elif operation.error is not None and index <= last:
                told.append(_failure(operation, operation.error, base_url, req.context.trace_id))
        answer(resp, {"schemas": [RESPONSE], "Operations": told})


def read_bulk(document: dict[str, Any], base_url: str) -> tuple[list[Operation], int]:
    """
    Return the operations of a BulkRequest, and after how many errors to stop; 0 for never.

    What is wrong with one operation is in that operation and does not concern the others.

    Args:
        base_url: Paths may be whole addresses that begin with it.

    Raises:
        ScimError: 400 invalidSyntax if there is no list of operations, 400 invalidValue for a
            `failOnErrors` that is no number of errors, 413 for more than 1000 operations.
    """
    listed = quirks.member(document, "Operations")
    if not isinstance(listed, list) or not listed:
        raise invalid_syntax("The body has no list of Operations. Send at least one.")
    if len(listed) > MAX_OPERATIONS:
        raise ScimError(
            413, "", f"The body has more than {MAX_OPERATIONS} operations. Send several requests."
        )
    most_errors = quirks.member(document, "failOnErrors")
    if most_errors is None:
        most_errors = 0
    if type(most_errors) is not int or not 0 <= most_errors < 2**31:
        raise invalid_value("failOnErrors is no number of errors. Send 1 or more, or leave it out.")
    used: set[str] = set()
    return [_read(operation, used, base_url) for operation in listed], most_errors


def _read(sent: Any, used: set[str], base_url: str) -> Operation:
    operation = Operation()
    try:
        if not isinstance(sent, dict):
            raise invalid_syntax("An operation is not an object. Send `method`, `path`, `data`.")
        _read_head(operation, sent, used, base_url)
        _read_body(operation, sent)
    except ScimError as error:
        operation.error = error
    return operation


def _read_head(operation: Operation, sent: dict[str, Any], used: set[str], base_url: str) -> None:
    """Read which resource is written and how."""
    method, bulk_id, path = (quirks.member(sent, key) for key in ("method", "bulkId", "path"))
    if isinstance(bulk_id, str):
        operation.bulk_id = bulk_id
    if isinstance(method, str):
        operation.method = method.upper()
    if operation.method not in _STATUSES:
        operation.method = ""
        raise invalid_syntax("An operation's method is not POST, PUT, PATCH or DELETE. Correct it.")
    _read_path(operation, path, base_url)
    if bulk_id is not None and not isinstance(bulk_id, str):
        raise invalid_syntax("A bulkId is not text. Send a JSON string.")
    if operation.method == "POST" and not bulk_id:
        raise invalid_value("A POST has no bulkId. Give each its own.")
    if bulk_id and bulk_id in used:
        raise invalid_value(f"The bulkId {bulk_id[:64]} is there twice. Give each its own.")
    used.add(operation.bulk_id)


def _read_path(operation: Operation, path: Any, base_url: str) -> None:
    if not isinstance(path, str):
        raise invalid_syntax("An operation has no path. Send one like /Users.")
    found = _PATH.fullmatch(_relative(path, base_url))
    if found is None:
        raise ScimError(404, "", "An operation's path leads nowhere. Use /Users or /Groups.")
    operation.resource = _RESOURCES[found[1].lower()]
    operation.identifier = unquote(found[2] or "")
    if (operation.method == "POST") != (found[2] is None):
        known = "needs the id of a resource" if found[2] is None else "makes a new resource"
        raise ScimError(405, "", f"A {operation.method} {known}. Correct the operation's path.")
    if found[2] and not IDENTIFIER.fullmatch(operation.identifier):
        raise ScimError(404, "", "Nothing has this id. Look for it with a filter.")


def _relative(path: str, base_url: str) -> str:
    """Return a path without the base URL, or the path of it, in front."""
    for start in (base_url, urlsplit(base_url).path):
        if start and path.startswith(f"{start}/"):
            return path[len(start) :]
    return path


def _read_body(operation: Operation, sent: dict[str, Any]) -> None:
    assert operation.resource is not None
    kind, read = _READERS[operation.method, operation.resource.name]
    version = quirks.member(sent, "version")
    etag = next(iter(entity_tags(version)), "") if isinstance(version, str) and version else ""
    if operation.method == "DELETE":
        request = read(operation.identifier, etag)
    else:
        data = quirks.member(sent, "data")
        if not isinstance(data, dict):
            raise invalid_syntax(f"A {operation.method} has no object as data. Send one.")
        if operation.method == "POST":
            request = read(data)
        else:
            request = read(data, operation.identifier, etag)
    ref = operation.bulk_id if operation.method == "POST" else ""
    operation.write = rpc.WriteOperation(ref=ref, **{kind: request})


def _last_tried(operations: list[Operation], most_errors: int) -> int:
    """Return the place of the operation whose reading alone ends the request, else of the last."""
    errors_so_far = 0
    for index, operation in enumerate(operations):
        errors_so_far += operation.error is not None
        if 0 < most_errors <= errors_so_far:
            return index
    return len(operations) - 1


def _what_is_tried(operations: list[Operation], most_errors: int) -> tuple[list[int], int]:
    """
    Return the places of the operations that the core shall make, and how many it may refuse.

    What cannot be read is known before anything is made, so that its errors count first: never is
    more made than an order of errors allows, at times less.
    """
    last = _last_tried(operations, most_errors)
    readable = [i for i, one in enumerate(operations[: last + 1]) if one.error is None]
    unreadable = sum(one.error is not None for one in operations[:last])
    return readable, max(1, most_errors - unreadable) if most_errors else 0


def _outcome(
    operation: Operation, result: rpc.WriteResult, base_url: str, trace_id: str
) -> dict[str, Any]:
    outcome = result.WhichOneof("outcome")
    if outcome == "error":
        reason = ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_")
        refused = DirectoryError(reason, result.error.message, **result.error.metadata)
        return _failure(operation, errors.of_directory(refused), base_url, trace_id)
    told = _head(operation)
    if outcome == "deleted_id":
        identifier = result.deleted_id
    else:
        written = getattr(result, outcome or "user")
        identifier = written.id
        told["version"] = written.etag
    assert operation.resource is not None
    told["location"] = location(operation.resource, identifier, base_url)
    return told | {"status": str(_STATUSES[operation.method])}


def _failure(
    operation: Operation, error: ScimError, base_url: str, trace_id: str
) -> dict[str, Any]:
    """Return what is told of an operation that failed; what POST would have made has no address."""
    told = _head(operation)
    if operation.identifier and operation.resource is not None:
        told["location"] = location(operation.resource, operation.identifier, base_url)
    return told | {"status": str(error.status), "response": error.body(trace_id)}


def _head(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {"method": operation.method} if operation.method else {}
    if operation.bulk_id:
        told["bulkId"] = operation.bulk_id
    return told
