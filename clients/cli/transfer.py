"""`userdir import` and `userdir export`: users from and to CSV and JSONL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import grpc
import typer
from userdirectory.errors import DirectoryError

from clients.cli import transfer_export, transfer_files, transfer_progress
from clients.cli.context import DONE, REFUSED, Session, command
from clients.cli.texts import verb
from clients.cli.transfer_import import Import
from clients.cli.transfer_lines import Source
from clients.cli.transfer_plan import Planner
from clients.cli.transfer_progress import Progress
from clients.cli.transfer_report import Report
from clients.cli.transfer_waiting import Bar
from clients.cli.values import duration

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""

_import = verb()
_export = verb()
COMMANDS = {"import": _import, "export": _export}

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar.")]
Wait = Annotated[
    str, typer.Option(metavar="TIME", help="How long to wait for a directory that is away.")
]


@command(
    _import,
    "userdir import people.csv --dry-run",
    "userdir import people.csv",
    "userdir import people.csv --resume",
    "userdir import people.jsonl --keep-going --json",
    name="import",
)
def import_(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv or .jsonl.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an import of this file stopped.")
    ] = False,
    clear_empty: Annotated[
        bool, typer.Option("--clear-empty", help="Empty cells take values away.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave wrong lines out, import the others.")
    ] = False,
    quiet: Quiet = False,
    wait: Wait = "2m",
) -> int:
    """
    Create and update users from a file.

    People are matched by user_name: who is there is updated in the columns that the file has, and
    others are created. Empty cells leave values alone.

    A CSV file names its columns in the first line as the contract does: user_name, external_id,
    name.given_name, title, active, enterprise.department, workplace.teams (with commas between),
    workplace.user_role and so on; emails.work, phone_numbers.mobile for the element of a type.
    It is UTF-8, with commas, semicolons or tabs. A JSONL file has a User of the contract in every
    line, as `userdir export people.jsonl` writes it.

    The column manager has the user name of somebody in the file or in the workspace, and is set
    when everybody is there. enterprise.manager.user_id has an id; where the file has ids of its
    own, an id in the file means who has it there.

    Lines of people.csv that are refused go to people.rejected.csv with the reasons, to be mended
    and imported; how far an import has come is in people.csv.progress.
    """
    source = transfer_files.read(file)
    report = Report(session.out, diff=dry_run)
    report.wrong(source.wrong)
    if source.wrong and not dry_run and not keep_going:
        session.out.failure("Nothing was sent. Mend these lines, or leave them: --keep-going")
        return REFUSED
    progress = _progress(session, source, resume=resume and not dry_run, clear_empty=clear_empty)
    planner = Planner(
        session.ask, (line.key for line in source.lines), clear_empty=progress.clear_empty
    )
    prints = dry_run or session.out.as_json
    with Bar("Comparing" if dry_run else "Importing", quiet=quiet, prints=prints) as bar:
        work = Import(session.connection, source, planner, report, bar, wait_seconds=seconds(wait))
        if dry_run:
            work.preview(progress.counts)
        else:
            with _resumable(session, source):
                work.run(progress)
    return _finish(session, source, progress, report, dry_run=dry_run)


@command(
    _export,
    "userdir export people.csv",
    "userdir export people.jsonl --inactive",
    "userdir export --filter-role Guest --columns user_name,manager",
    name="export",
)
def export(
    session: Session,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Ends in .csv or .jsonl; - is standard output."),
    ] = None,
    filter_role: Annotated[str, typer.Option(help="Only who has this role, exactly.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Only who cannot sign in.")] = False,
    columns: Annotated[str, typer.Option(help="Only these, with commas between.")] = "",
    quiet: Quiet = False,
    wait: Wait = "2m",
) -> None:
    """
    Write users to a file, or to standard output.

    Standard output is CSV, with --json JSONL. The file is there when it is complete, and not
    before. `userdir import` takes it back, and finds nothing to change as long as nothing has
    changed. Passwords are never exported.

    CSV has one address and number of each type; JSONL has everything. Columns of CSV are those of
    `userdir import`, and id, etag, create_time, update_time; of JSONL fields of User: emails.
    """
    name = None if file is None or str(file) == "-" else file
    csv = transfer_files.is_csv(name) if name else not session.out.as_json
    chosen = transfer_export.chosen(columns, csv=csv)
    request = transfer_export.request(chosen, filter_role, inactive=inactive)
    bar = Bar("Exporting", quiet=quiet, prints=name is None)
    work = transfer_export.Export(session.ask, bar, seconds(wait))
    with bar, transfer_export.target(name) as written:
        notes = work.write(request, written, chosen, csv=csv)
    for note in notes:
        session.out.note(note)


def seconds(text: str) -> float:
    """Return how long a person says, in seconds."""
    said = duration(text)
    return said.ToTimedelta().total_seconds() if said else 0.0


def _progress(session: Session, source: Source, *, resume: bool, clear_empty: bool) -> Progress:
    kept = transfer_progress.load(source.path) if resume else None
    file = transfer_progress.file_of(source.path)
    if kept is None and resume:
        session.out.note(f"There is no {file.name}: beginning with the first line.")
    if not resume and file.exists():
        session.out.note(
            f"{file.name} tells of an import that stopped; this one begins with the first line. "
            "With --resume it would go on."
        )
    new = Progress(source.sha256, session.server, session.workspace, clear_empty)
    return transfer_progress.begin(new, kept)


@contextmanager
def _resumable(session: Session, source: Source) -> Iterator[None]:
    """Say how to go on if what is within stops."""
    go_on = f"The import stopped. Go on with: userdir import {source.path} --resume"
    try:
        yield
    except (DirectoryError, grpc.RpcError):
        session.out.note(go_on)
        raise
    except KeyboardInterrupt:
        session.out.note(go_on)
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        session.out.note(go_on)
        raise typer.BadParameter(f"Cannot write {error.filename}: {error.strerror}.") from None


def _finish(
    session: Session, source: Source, progress: Progress, report: Report, *, dry_run: bool
) -> int:
    counts = progress.counts
    counts["wrong"] = len(source.wrong)
    report.summary(counts)
    if dry_run:
        session.out.note("Nothing was changed.")
    else:
        transfer_progress.file_of(source.path).unlink(missing_ok=True)
        if counts["refused"]:
            session.out.note(f"Refused lines: {transfer_progress.rejected_of(source.path)}")
    return REFUSED if counts["refused"] or counts["wrong"] else DONE
