"""What all lists share: which page is asked for, and the token that leads to the next."""

import hashlib
from collections.abc import Sequence
from typing import Any

from userdirectory.attributes import Resource
from userdirectory.custom import NOTHING, Declared
from userdirectory.errors import DirectoryError
from userdirectory.v1 import filter_pb2, user_directory_pb2

from core_service import matching
from core_service.storage import pages
from core_service.storage.pages import PageQuery

DEFAULT_PAGE, MOST_PAGE = 100, 1000


def scope(workspace_id: str, kind: str, filter_: filter_pb2.Filter | None, order: str) -> str:
    """Return what a page token is bound to: a token of another listing is refused."""
    shape = b"" if filter_ is None else filter_.SerializeToString(deterministic=True)
    parts = [workspace_id.encode(), kind.encode(), order.encode(), shape]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def query_of(
    request: user_directory_pb2.ListUsersRequest | user_directory_pb2.ListGroupsRequest,
    resource: Resource,
    page_key: bytes,
    scope: str,
    declared: Declared = NOTHING,
) -> PageQuery:
    """
    Return the page that a request asks for.

    Raises:
        DirectoryError: FILTER_INVALID, PAGE_TOKEN_INVALID, FIELD_UNKNOWN (order), FIELD_INVALID.
    """
    if request.HasField("filter"):
        matching.check(request.filter, resource, declared=declared)
    order, _, direction = request.order_by.strip().partition(" ")
    direction = direction.strip().lower()
    attribute = resource.by_path.get(order)
    if order and (
        attribute is None
        or attribute.type == "complex"
        or attribute.returned == "never"
        or direction not in ("", "asc", "desc")
    ):
        raise DirectoryError(
            "FIELD_UNKNOWN",
            f"The list cannot be ordered by {request.order_by!r}. "
            "Name a field that is not complex, and `desc` for the other direction.",
            field="order_by",
        )
    after = None
    if request.page_token:
        after = pages.decode_token(page_key, scope, request.page_token)
    if request.skip < 0 or (request.skip and request.page_token):
        raise DirectoryError(
            "FIELD_INVALID",
            "`skip` is a number of resources, and not for use with a page token.",
            field="skip",
        )
    return PageQuery(
        filter=request.filter if request.HasField("filter") else None,
        order_by=order,
        descending=direction == "desc",
        limit=page_size(request.page_size),
        skip=request.skip,
        after=after,
        declared=declared,
    )


def page_size(asked: int, default: int = DEFAULT_PAGE, most: int = MOST_PAGE) -> int:
    """
    Return how many resources a page has: what is asked for, brought into range (AIP-158).

    Raises:
        DirectoryError: FIELD_INVALID for a negative number.
    """
    if asked < 0:
        raise DirectoryError(
            "FIELD_INVALID",
            "`page_size` is a number of resources; leave it out for the default.",
            field="page_size",
        )
    return min(asked or default, most)


def token(page_key: bytes, scope: str, after: Sequence[Any] | None) -> str:
    """Return the token of the page that begins behind *after*; empty if there is none."""
    return pages.encode_token(page_key, scope, after) if after else ""
