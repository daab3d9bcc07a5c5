"""What ports are told of a workspace."""

from dataclasses import dataclass

from userdirectory.v1 import workspace_pb2


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """
    A workspace as the directory knows it.

    Attributes:
        plan: A Plan of the contract.
        sign_on: A SignOn of the contract.
    """

    id: str
    plan: int
    sign_on: int


def facts_of(workspace_id: str, message: workspace_pb2.Workspace) -> WorkspaceFacts:
    """Return the facts of a workspace from its message, which does not hold its id."""
    return WorkspaceFacts(id=workspace_id, plan=message.plan, sign_on=message.sign_on)
