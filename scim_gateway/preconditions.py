"""If-Match and If-None-Match (RFC 7644 section 3.14, RFC 9110 section 13.1)."""

import re
from collections.abc import Awaitable, Callable

from falcon.asgi import Request, Response

from scim_gateway.errors import ScimError

_TAG = re.compile(r'(?:W/)?"[^"]*"|[^,\s"]+')


def entity_tags(header: str | None) -> list[str]:
    """
    Return the tags of *header* as the core writes them, `W/"7"`; none for `*` and no header.

    They are compared weakly, so `"7"` is the same; so is 7, which some clients send.
    """
    if header is None or header.strip() == "*":
        return []
    tags = [tag.removeprefix("W/").strip('"') for tag in _TAG.findall(header)]
    return [f'W/"{tag}"' for tag in tags] or ['W/""']


async def required_etag(req: Request, read_etag: Callable[[], Awaitable[str]]) -> str:
    """
    Return the etag that the resource must have, empty if any will do.

    Args:
        req: The request.
        read_etag: Reads the current one; only asked if the client allows several.

    Raises:
        ScimError: 412 if the client allows several and none is current.
    """
    tags = entity_tags(req.get_header("if-match"))
    if len(tags) < 2:
        return tags[0] if tags else ""
    current = await read_etag()
    if current not in tags:
        raise ScimError(412, "", "The resource changed since it was read. Read it again.")
    return current


def is_unchanged(req: Request, resp: Response, etag: str) -> bool:
    """Answer 304 and return True if the client has the resource as it is now."""
    sent = req.get_header("if-none-match")
    if sent is None or (sent.strip() != "*" and etag not in entity_tags(sent)):
        return False
    resp.status = 304
    resp.set_header("ETag", etag)
    return True
