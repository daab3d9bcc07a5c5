"""`userdir seats`: how many seats are used, paid for and free."""

from userdirectory.v1.workspace_admin_pb2 import GetSeatsRequest

from clients.cli.context import Session, command
from clients.cli.texts import verb
from clients.cli.values import local

app = verb()
COMMANDS = {"seats": app}


@command(app, "userdir seats", "userdir seats -w single-role --json")
def seats(session: Session) -> None:
    """Show how many seats are used, paid for and free, and what is not yet invoiced."""
    answer = session.ask(GetSeatsRequest())
    window = answer.open_window
    session.out.details(
        answer,
        [
            ("used", answer.used),
            ("paid for", answer.total),
            ("free", answer.free),
            ("metered", "yes" if answer.metered else "no: nobody needs one here"),
            *(
                [
                    ("booked", window.seats),
                    ("since", local(window, "open_time")),
                    ("invoice at", local(window, "close_time")),
                ]
                if answer.HasField("open_window")
                else []
            ),
        ],
    )
