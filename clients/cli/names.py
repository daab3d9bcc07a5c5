"""`userdir team` and `userdir region`: the two lists of names that a workspace keeps."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from userdirectory.v1 import workspace_admin_pb2 as api

from clients.cli.context import Session, command
from clients.cli.texts import noun
from clients.cli.user import Yes

Name = Annotated[str, typer.Argument(metavar="NAME", help="The exact name.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]


@dataclass(frozen=True, slots=True)
class Names:
    """
    One of the lists.

    Attributes:
        word: What people call an entry.
        field: The list in the messages of the contract.
        loss: What removing an entry does.
        create: The request that adds one.
        created: What answers it, with the list.
        rename: The request that renames one.
        delete: The request that removes one.
    """

    word: str
    field: str
    loss: str
    create: type[Any]
    created: type[Any]
    rename: type[Any]
    delete: type[Any]

    def show(self, session: Session, answer: Any) -> None:
        """Print the list that is in *answer*."""
        names = getattr(answer, self.field)
        rows = [(name,) for name in names]
        session.out.rows(answer, (self.word,), rows, empty=f"No {self.word} is there.")


def _app(names: Names) -> typer.Typer:
    word = names.word
    app = noun(f"List, add, rename and remove {word}s.")

    def list_(session: Session) -> None:
        workspace = session.ask(api.GetWorkspaceRequest()).workspace
        # Programs get what the other commands answer with.
        names.show(session, names.created(**{names.field: getattr(workspace, names.field)}))

    def add(session: Session, name: Name) -> None:
        names.show(session, session.ask(names.create(name=name)))

    def rename(session: Session, name: Name, new_name: NewName) -> None:
        names.show(session, session.ask(names.rename(name=name, new_name=new_name)))

    def remove(session: Session, name: Name, yes: Yes = False) -> None:
        session.confirm(f"Remove the {word} {name}? {names.loss}", yes=yes)
        names.show(session, session.ask(names.delete(name=name)))

    list_.__doc__ = f"List the {word}s."
    add.__doc__ = f"Add a {word}."
    rename.__doc__ = f"Rename a {word}; its users stay in it."
    remove.__doc__ = f"Remove a {word}. {names.loss}"
    command(app, f"userdir {word} list", name="list")(list_)
    command(app, f"userdir {word} add Berlin")(add)
    command(app, f"userdir {word} rename Berlin Hamburg")(rename)
    command(app, f"userdir {word} remove Hamburg --yes")(remove)
    return app


_TEAMS = Names(
    word="team",
    field="teams",
    loss="Its users leave it.",
    create=api.CreateTeamRequest,
    created=api.CreateTeamResponse,
    rename=api.RenameTeamRequest,
    delete=api.DeleteTeamRequest,
)
_REGIONS = Names(
    word="region",
    field="absence_regions",
    loss="No user may have it.",
    create=api.CreateAbsenceRegionRequest,
    created=api.CreateAbsenceRegionResponse,
    rename=api.RenameAbsenceRegionRequest,
    delete=api.DeleteAbsenceRegionRequest,
)
COMMANDS = {"team": _app(_TEAMS), "region": _app(_REGIONS)}
