"""Errors to gRPC statuses and back: `google.rpc.Status` with ErrorInfo (AIP-193)."""

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from userdirectory.errors import CODES, DOMAIN, DirectoryError

DETAILS_KEY = "grpc-status-details-bin"
TRACE_KEY = "trace-id"


def details(error: DirectoryError) -> bytes:
    """Return the value of the trailing metadata `grpc-status-details-bin` for *error*."""
    info = error_details_pb2.ErrorInfo(
        reason=error.full_reason, domain=DOMAIN, metadata=error.metadata
    )
    packed = any_pb2.Any()
    packed.Pack(info)
    status = status_pb2.Status(
        code=code_pb2.Code.Value(error.code.name), message=error.message, details=[packed]
    )
    return bytes(status.SerializeToString())


def error_of(message: str, trailers: Iterable[tuple[str, str | bytes]]) -> DirectoryError | None:
    """
    Return the error that a failed call carries, None if the call failed for another cause.

    Args:
        message: The status details, for people.
        trailers: The trailing metadata of the call.
    """
    for key, value in trailers:
        if key != DETAILS_KEY or not isinstance(value, bytes):
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info) and info.domain == DOMAIN:
                reason = info.reason.removeprefix("ERROR_REASON_")
                if reason in CODES:
                    return DirectoryError(reason, message, **info.metadata)
    return None


def error_of_call(error: grpc.RpcError) -> DirectoryError | None:
    """Return the error that a failed call of a stub carries, None if it has none of ours."""
    trailers: Iterable[Any] = error.trailing_metadata() or ()
    refusal = error_of(error.details() or "", trailers)
    if refusal is not None:
        refusal.trace_id = trace_of_call(error)
    return refusal


def trace_of_call(call: grpc.Call | grpc.RpcError) -> str:
    """Return the trace id of a call of a stub that ended, empty if no directory answered it."""
    trailers: Iterable[Any] = call.trailing_metadata() or ()
    return next((str(value) for key, value in trailers if key == TRACE_KEY), "")
