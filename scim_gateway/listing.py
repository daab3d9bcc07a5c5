"""ListResponse messages (RFC 7644 section 3.4.2)."""

from dataclasses import dataclass
from typing import Any

from scim_gateway.query import Query

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


@dataclass(frozen=True, slots=True)
class Page:
    """
    Some of the resources that were found.

    Attributes:
        documents: The resources of the page.
        total: How many were found in all.
        next_cursor: Leads to the next page; empty on the last.
    """

    documents: list[dict[str, Any]]
    total: int
    next_cursor: str = ""


def write_list(page: Page, query: Query | None = None) -> dict[str, Any]:
    """
    Return the ListResponse for *page*; `Resources` is always there, also when empty.

    A page that was asked for by cursor has no `startIndex` (RFC 9865 section 2). There is no
    `previousCursor`: a page that was seen may have changed, and the core leads forward only.
    """
    answer: dict[str, Any] = {"schemas": [SCHEMA], "totalResults": page.total}
    if query is None or query.cursor is None:
        answer["startIndex"] = query.start_index if query else 1
    elif page.next_cursor:
        answer["nextCursor"] = page.next_cursor
    return answer | {"itemsPerPage": len(page.documents), "Resources": page.documents}
