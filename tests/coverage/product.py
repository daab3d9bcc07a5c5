"""The product behind a workspace, which calls the core over gRPC with a token of its own."""

from typing import Any

from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import Name, User, UserRef, Workplace

from tests.system import System
from tests.workspaces import Place


class Product:
    """A product that may do everything in one workspace."""

    def __init__(self, directory: System, place: Place) -> None:
        """Call the directory within the process."""
        self._stub = UserDirectoryStub(directory.process)
        self._metadata = (("authorization", f"Bearer {directory.service_token}"),)
        self.place = place

    async def create(self, name: str, role: str = "Member", **fields: Any) -> User:
        """Create a user as the product does, `Given Family`, and return it."""
        user = User(
            user_name=f"{name}@{self.place.workspace_id}.example",
            name=Name(given_name="Given", family_name="Family"),
            workplace=Workplace(user_role=role),
        )
        user.MergeFrom(User(**fields))
        request = api.CreateUserRequest(workspace_id=self.place.workspace_id, user=user)
        made: User = (await self._stub.CreateUser(request, metadata=self._metadata)).user
        return made

    async def get(self, user_id: str) -> User:
        """Return a user, also one who is hidden from provisioning."""
        request = api.GetUserRequest(workspace_id=self.place.workspace_id, user=UserRef(id=user_id))
        found: User = (await self._stub.GetUser(request, metadata=self._metadata)).user
        return found

    async def set_role(self, user_id: str, role: str) -> None:
        """Give a user a role, as the product does."""
        request = api.UpdateUserRequest(
            workspace_id=self.place.workspace_id,
            user=User(id=user_id, workplace=Workplace(user_role=role)),
        )
        request.update_mask.paths.append("workplace.user_role")
        await self._stub.UpdateUser(request, metadata=self._metadata)
