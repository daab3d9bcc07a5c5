"""An identity provider for tests of single rules: it speaks SCIM to a workspace of its own."""

import asyncio
from typing import Any
from urllib.parse import quote

from tests.scim import PATCH_OP, Answer, Scim, person
from tests.workspaces import Place

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Idp:
    """
    An identity provider.

    Args:
        place: The workspace that it provisions; its people end with `@WORKSPACE.example`.
    """

    def __init__(self, base_url: str, place: Place, token: str | None = None) -> None:
        """Connect with the first request."""
        self.place = place
        self._scim = Scim(base_url, place.token if token is None else token)

    def close(self) -> None:
        """Close the connection."""
        self._scim.close()

    def mail(self, name: str) -> str:
        """Return an address of the workspace: `grace@w1.example`."""
        return f"{name}@{self.place.workspace_id}.example"

    async def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request."""
        return await asyncio.to_thread(self._scim.request, method, path, body, headers)

    async def post(self, name: str, /, **attributes: Any) -> Answer:
        """POST a person with a name and a work mail; None leaves an attribute out."""
        body = person(self.mail(name), **attributes)
        return await self.send("POST", "/Users", {k: v for k, v in body.items() if v is not None})

    async def create(self, name: str, /, **attributes: Any) -> dict[str, Any]:
        """POST a person and return the new user."""
        answer = await self.post(name, **attributes)
        assert answer.status == 201, answer
        created: dict[str, Any] = answer.body
        return created

    async def get(self, user_id: str) -> dict[str, Any]:
        """Return a user."""
        answer = await self.send("GET", f"/Users/{user_id}")
        assert answer.status == 200, answer
        user: dict[str, Any] = answer.body
        return user

    async def patch(self, path: str, *operations: dict[str, Any]) -> Answer:
        """PATCH `Users/ID` or `Groups/ID` with operations in order."""
        return await self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": operations})

    async def set(self, user_id: str, /, **attributes: Any) -> Answer:
        """PATCH a user by one operation without a path."""
        return await self.patch(f"/Users/{user_id}", {"op": "replace", "value": attributes})

    async def set_path(self, user_id: str, path: str, value: Any, op: str = "replace") -> Answer:
        """PATCH a user by one operation with a path."""
        return await self.patch(f"/Users/{user_id}", {"op": op, "path": path, "value": value})

    async def find(self, kind: str, filter_: str = "") -> list[dict[str, Any]]:
        """Return the `Users` or `Groups` that pass a filter, the first page of them."""
        query = f"?filter={quote(filter_)}" if filter_ else ""
        answer = await self.send("GET", f"/{kind}{query}")
        assert answer.status == 200, answer
        found: list[dict[str, Any]] = answer.body["Resources"]
        return found

    async def role_names(self, user_id: str) -> list[str]:
        """Return the names of the role groups that the user is in."""
        user = await self.get(user_id)
        return [group["display"] for group in user.get("groups", [])]

    async def members(self, group_id: str) -> list[str]:
        """Return the ids of a group's members."""
        answer = await self.send("GET", f"/Groups/{group_id}")
        assert answer.status == 200, answer
        return [member["value"] for member in answer.body.get("members", [])]
