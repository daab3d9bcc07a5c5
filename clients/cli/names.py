"""`userdir team` and `userdir region`: the two lists of names that a workspace keeps."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from userdirectory.v1 import workspace_admin_pb2 as api

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes

Name = Annotated[str, typer.Argument(metavar="NAME", help="The exact name.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]


def _app(
    word: str, field: str, loss: str, create: type[Any], change: type[Any], end: type[Any]
) -> typer.Typer:
    """
    Return the commands about one of the lists.

    Args:
        word: What people call an entry.
        field: The list in the messages of the contract.
        loss: What removing an entry does.
        create: The request that adds one.
        change: The request that renames one.
        end: The request that removes one.
    """
    app = noun(f"List, add, rename and remove {word}s.")

    def shown(session: Session, answer: Any, names: Sequence[str]) -> None:
        session.out.rows(answer, (word,), [(name,) for name in names], empty=f"No {word} is there.")

    def list_(session: Session) -> None:
        answer = session.ask(api.GetWorkspaceRequest())
        names = list(getattr(answer.workspace, field))
        # The program gets the list that the other commands answer with.
        shown(session, create_response(**{field: names}), names)

    def add(session: Session, name: Name) -> None:
        answer = session.ask(create(name=name))
        shown(session, answer, getattr(answer, field))

    def rename(session: Session, name: Name, new_name: NewName) -> None:
        answer = session.ask(change(name=name, new_name=new_name))
        shown(session, answer, getattr(answer, field))

    def remove(session: Session, name: Name, yes: Yes = False) -> None:
        session.confirm(f"Remove the {word} {name}? {loss}", yes=yes)
        answer = session.ask(end(name=name))
        shown(session, answer, getattr(answer, field))

    create_response = {
        "teams": api.CreateTeamResponse,
        "absence_regions": api.CreateAbsenceRegionResponse,
    }[field]
    list_.__doc__ = f"List the {word}s."
    add.__doc__ = f"Add a {word}."
    rename.__doc__ = f"Rename a {word}; its users stay in it."
    remove.__doc__ = f"Remove a {word}. {loss}"
    command(app, f"userdir {word} list", name="list")(list_)
    command(app, f"userdir {word} add Berlin")(add)
    command(app, f"userdir {word} rename Berlin Hamburg")(rename)
    command(app, f"userdir {word} remove Hamburg --yes")(remove)
    return app


COMMANDS = {
    "team": _app(
        "team",
        "teams",
        "Its users leave it.",
        api.CreateTeamRequest,
        api.RenameTeamRequest,
        api.DeleteTeamRequest,
    ),
    "region": _app(
        "region",
        "absence_regions",
        "No user may have it.",
        api.CreateAbsenceRegionRequest,
        api.RenameAbsenceRegionRequest,
        api.DeleteAbsenceRegionRequest,
    ),
}
