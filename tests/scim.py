"""A plain SCIM client, for tests that speak HTTP: one connection, one thread at a time."""

import http.client
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"

# What a connection raises when the other end is not there, or no longer there.
NO_ANSWER = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back.

    Attributes:
        body: The JSON of the body; None if there is no body.
    """

    status: int
    headers: http.client.HTTPMessage
    body: Any


class Scim:
    """
    A SCIM client.

    Args:
        base_url: Where the gateway answers, with its path.
        token: The bearer token; empty sends none.
        source: The address to connect from, one of this machine; empty for any.
    """

    def __init__(
        self, base_url: str, token: str, timeout_seconds: float = 20.0, source: str = ""
    ) -> None:
        """Make a client; it connects with its first request."""
        parts = urlsplit(base_url)
        assert parts.hostname is not None
        self._prefix = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(
            parts.hostname,
            parts.port,
            timeout=timeout_seconds,
            source_address=(source, 0) if source else None,
        )
        self._headers = {"Accept": "application/scim+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request; one of NO_ANSWER if none comes back. Nothing is sent twice."""
        try:
            self.send(method, path, body, headers)
            return self.receive()
        except NO_ANSWER:
            self._connection.close()
            raise

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        """Send one request and leave its answer to `receive`."""
        data = None if body is None else json.dumps(body).encode()
        sent = self._headers | ({} if data is None else {"Content-Type": "application/scim+json"})
        self._connection.request(method, self._prefix + path, data, sent | (headers or {}))

    def receive(self) -> Answer:
        """Return the answer to the request that was sent last."""
        response = self._connection.getresponse()
        raw = response.read()
        return Answer(response.status, response.headers, json.loads(raw) if raw else None)

    def get(self, path: str) -> Answer:
        """GET *path*."""
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        """POST *body* to *path*."""
        return self.request("POST", path, body)

    def post_form(self, path: str, form: str) -> Answer:
        """POST an encoded form to *path*."""
        headers = self._headers | {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", self._prefix + path, form.encode(), headers)
        return self.receive()

    def patch(self, path: str, *operations: dict[str, Any]) -> Answer:
        """PATCH *path* with operations in order."""
        return self.request("PATCH", path, {"schemas": [PATCH_OP], "Operations": operations})

    def delete(self, path: str) -> Answer:
        """DELETE *path*."""
        return self.request("DELETE", path)

    def find(self, kind: str, filter_: str) -> list[Any]:
        """Return the resources of *kind* (`Users`) that pass a filter, the first page of them."""
        answer = self.get(f"/{kind}?filter={quote(filter_)}")
        assert answer.status == 200, answer
        resources: list[Any] = answer.body["Resources"]
        return resources


def person(user_name: str, **attributes: Any) -> dict[str, Any]:
    """Return a user as an identity provider sends one."""
    return {
        "schemas": [USER],
        "userName": user_name,
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "emails": [{"value": user_name, "type": "work", "primary": True}],
        **attributes,
    }
