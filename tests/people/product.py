"""A product that calls the core: one workspace, use cases without a channel."""

from dataclasses import dataclass, field, replace

from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import EnterpriseUser, Manager, Name, User, UserRef

from core_service import users
from core_service.core import Caller, Core
from tests.workspaces import Place


@dataclass(frozen=True, slots=True)
class Product:
    """
    A caller in one workspace.

    Attributes:
        caller: The product; `provisioning` is the workspace's identity provider.
    """

    core: Core
    place: Place
    caller: Caller = field(init=False)
    provisioning: Caller = field(init=False)

    def __post_init__(self) -> None:
        """Make the callers."""
        product = Caller(self.place.workspace_id, "", "", frozenset("*"), "1" * 32)
        object.__setattr__(self, "caller", product)
        provisioning = replace(
            product, integration_id="tests", scopes=frozenset(), trace_id="2" * 32
        )
        object.__setattr__(self, "provisioning", provisioning)

    async def create(self, user: User, *, provisioning: bool = False) -> User:
        """Create a user and return it."""
        caller = self.provisioning if provisioning else self.caller
        made = await users.create(self.core, caller, api.CreateUserRequest(user=user))
        return made.user

    async def get(self, user_id: str) -> User:
        """Return a user as the product sees it."""
        request = api.GetUserRequest(user=UserRef(id=user_id))
        return (await users.get(self.core, self.caller, request)).user

    async def deactivate(self, user_id: str) -> None:
        """Set a user inactive, as the identity provider does."""
        user = User(id=user_id, active=False)
        await users.update(self.core, self.provisioning, api.UpdateUserRequest(user=user))

    async def remove(self, user_id: str) -> None:
        """Delete a user, as the identity provider does."""
        request = api.DeleteUserRequest(user=UserRef(id=user_id))
        await users.delete(self.core, self.provisioning, request)


def person(user_name: str, *, manager: str = "", **fields: str) -> User:
    """Return a user to create."""
    user = User(user_name=user_name, name=Name(given_name="Grace", family_name="Hopper"), **fields)
    if manager:
        user.enterprise.CopyFrom(EnterpriseUser(manager=Manager(user_id=manager)))
    return user
