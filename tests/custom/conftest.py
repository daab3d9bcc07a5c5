"""A workspace with attributes of its own, its identity provider, and the product behind it."""

from typing import Any

import pytest
from google.protobuf.message import Message
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.custom_pb2 import CustomAttribute, CustomElement, CustomValue
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User, UserRef
from userdirectory.v1.workspace_admin_pb2 import DeclareAttributesRequest
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.coverage.conftest import NewIdp, new_idp
from tests.coverage.idp import Idp
from tests.system import System

__all__ = ["NewIdp", "new_idp"]

HR = "urn:example:params:scim:schemas:hr:2.0:User"
# As Entra wants the URNs of custom attributes to be.
ENTRA = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"

ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {"urn": HR, "name": "badge", "case_exact": True, "description": "What opens the doors."},
    {"urn": HR, "name": "shirt", "canonical_values": ["S", "M", "L"]},
    {"urn": HR, "name": "languages", "multi_valued": True},
    {"urn": HR, "name": "desk", "type": "CUSTOM_TYPE_INTEGER"},
    {"urn": HR, "name": "remote", "type": "CUSTOM_TYPE_BOOLEAN"},
    {"urn": HR, "name": "hired", "type": "CUSTOM_TYPE_DATE_TIME"},
    {"urn": ENTRA, "name": "floors", "type": "CUSTOM_TYPE_INTEGER", "multi_valued": True},
)


class Workspace:
    """A workspace seen by its identity provider (`idp`) and by the product."""

    def __init__(self, directory: System, idp: Idp) -> None:
        """Call the directory within the process."""
        self.core = directory.core
        self.idp = idp
        self._stubs = (UserDirectoryStub(directory.process), WorkspaceAdminStub(directory.process))
        self._metadata = (("authorization", f"Bearer {directory.service_token}"),)

    async def ask(self, request: Message) -> Any:
        """Return the answer to *request*, asked for the workspace by the product."""
        request.workspace_id = self.idp.place.workspace_id  # type: ignore[attr-defined]
        name = type(request).__name__.removesuffix("Request")
        stub = next(stub for stub in self._stubs if hasattr(stub, name))
        return await getattr(stub, name)(request, metadata=self._metadata)

    async def declare(self, *attributes: dict[str, Any], etag: str = "") -> list[CustomAttribute]:
        """Declare attributes, all that the workspace has."""
        wanted = [CustomAttribute(**each) for each in attributes]
        answer = await self.ask(DeclareAttributesRequest(attributes=wanted, etag=etag))
        return list(answer.attributes)

    async def user(self, user_id: str) -> User:
        """Return a user as the product sees it."""
        return (await self.ask(api.GetUserRequest(user=UserRef(id=user_id)))).user

    async def set(self, user_id: str, *values: CustomValue) -> User:
        """Set custom attributes of a user, as the product does."""
        request = api.UpdateUserRequest(user=User(id=user_id, custom=values))
        request.update_mask.paths.append("custom")
        return (await self.ask(request)).user

    async def names(self, filter_: str) -> list[str]:
        """Return the names of the users that pass a SCIM filter, in order."""
        found = await self.idp.find("Users", filter_)
        return sorted(user["userName"].partition("@")[0] for user in found)


def value(name: str, *elements: Any, urn: str = HR) -> CustomValue:
    """Return a value of texts, flags and numbers."""
    kinds = {str: "text", bool: "flag", int: "number"}
    made = [CustomElement(**{kinds[type(each)]: each}) for each in elements]
    return CustomValue(urn=urn, name=name, elements=made)


@pytest.fixture
async def bare(directory: System, new_idp: NewIdp) -> Workspace:
    """Give a workspace that declares nothing."""
    return Workspace(directory, await new_idp("SINGLE_ROLE"))


@pytest.fixture
async def strict(directory: System, new_idp: NewIdp) -> Workspace:
    """Give a workspace that refuses what it does not know and declares ATTRIBUTES."""
    workspace = Workspace(directory, await new_idp("STRICT_RFC"))
    await workspace.declare(*ATTRIBUTES)
    return workspace


@pytest.fixture
async def workspace(bare: Workspace) -> Workspace:
    """Give a workspace that declares ATTRIBUTES."""
    await bare.declare(*ATTRIBUTES)
    return bare
