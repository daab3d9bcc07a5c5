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
    """

    documents: list[dict[str, Any]]
    total: int


def write_list(page: Page, query: Query | None = None) -> dict[str, Any]:
    """Return the ListResponse for *page*; `Resources` is always there, also when empty."""
    return {
        "schemas": [SCHEMA],
        "totalResults": page.total,
        "startIndex": query.start_index if query else 1,
        "itemsPerPage": len(page.documents),
        "Resources": page.documents,
    }
