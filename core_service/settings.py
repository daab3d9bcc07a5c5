"""What can be set when the core starts: one table for flags, environment and help."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

from userdirectory.logs import FORMS, LEVELS

from core_service.ports import SmtpServer


class SettingsError(Exception):
    """
    Settings with which nothing can start.

    Args:
        problems: Each one sentence that names the setting and never a secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Make an error of all *problems* at once."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Setting:
    """
    How a field of a settings class is given.

    The environment variable is the field's name in capitals, the flag the same with hyphens.

    Attributes:
        default: What holds if neither is given, as it would be written.
        parse: Makes the value; raises ValueError with the end of "NAME must ...".
        help: One sentence for `--help`.
        secret: Whether the value is kept out of everything that is printed.
    """

    default: str
    parse: Callable[[str], Any]
    help: str
    secret: bool = False


def port(text: str) -> int:
    """Return a TCP port; 0 lets the system choose one."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > 65535:
        raise ValueError("be a port, a number from 0 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Return a duration of at most an hour."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text, re.ASCII) or float(text) > 3600:
        raise ValueError("be a number of seconds from 0 to 3600")
    return float(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number from *least* to *most*."""

    def read_number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"be a whole number from {least} to {most}")
        return int(text)

    return read_number


def days(text: str) -> int:
    """Return a number of days, at most a hundred years."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > 36_500:
        raise ValueError("be a number of days from 0 to 36500")
    return int(text)


def switch(text: str) -> bool:
    """Return what `on` or `off` says."""
    answers = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.lower() not in answers:
        raise ValueError("be on or off")
    return answers[text.lower()]


def level(text: str) -> str:
    """Return the name of a log level."""
    if text.upper() not in LEVELS:
        raise ValueError(f"be one of {', '.join(LEVELS)}")
    return text.upper()


def form(text: str) -> str:
    """Return the name of a form of log lines."""
    if text.lower() not in FORMS:
        raise ValueError(f"be one of {', '.join(FORMS)}")
    return text.lower()


def optional_port(text: str) -> int | None:
    """Return a TCP port, None if none is named."""
    return port(text) if text else None


def host(text: str) -> str:
    """Return a name or an address to listen at."""
    if not re.fullmatch(r"[0-9A-Za-z.:_-]{1,255}", text, re.ASCII):
        raise ValueError("be a host name or an IP address, such as 127.0.0.1 or 0.0.0.0")
    return text


def database(text: str) -> str:
    """Return the URL of a database, empty for SQLite in the data folder."""
    if text and not text.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("begin with postgresql:// or sqlite:///")
    return text


def mail_server(text: str) -> SmtpServer | None:
    """Return the mail server at a URL, None if none is named."""
    return SmtpServer.parse(text) if text else None


def sender(text: str) -> str:
    """Return who sends mails: an address, perhaps with a name before it."""
    address = parseaddr(text)[1]
    if text and (not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not text.isprintable()):
        raise ValueError("be an address, such as Directory <directory@example.com>")
    return text


def file(text: str) -> Path | None:
    """Return the path of a file that can be read, None if none is named."""
    if not text:
        return None
    try:
        with Path(text).open("rb"):
            return Path(text)
    except OSError as error:
        raise ValueError(f"name a file that can be read ({error.strerror})") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the core is started with; `read` makes one."""

    data: Annotated[
        Path, Setting("./var", Path, "The folder for all data; made if it does not exist.")
    ]
    database_url: Annotated[
        str,
        Setting("", database, "The database. Default: SQLite in the data folder.", secret=True),
    ] = field(repr=False)
    grpc_host: Annotated[
        str, Setting("127.0.0.1", host, "Where to listen; 0.0.0.0 for all networks.")
    ]
    grpc_port: Annotated[int, Setting("50051", port, "The gRPC port; 0: the system chooses.")]
    grpc_tls_cert: Annotated[
        Path | None, Setting("", file, "A certificate chain (PEM), to speak TLS.")
    ]
    grpc_tls_key: Annotated[
        Path | None, Setting("", file, "The private key (PEM) of the certificate.")
    ]
    grpc_tls_client_ca: Annotated[
        Path | None,
        Setting("", file, "Accept only clients with a certificate of these authorities (PEM)."),
    ]
    reflection: Annotated[
        bool, Setting("on", switch, "Whether grpcurl and buf curl can list the services.")
    ]
    shutdown_seconds: Annotated[
        float, Setting("20", seconds, "How long calls may finish after SIGTERM or Ctrl-C.")
    ]
    log_level: Annotated[
        str, Setting("INFO", level, f"The least that is logged: {', '.join(LEVELS)}.")
    ]
    rate_limit: Annotated[
        int,
        Setting(
            "500",
            whole(0, 1_000_000),
            "How many requests a second each credential may make in the long run; 0: no limit.",
        ),
    ]
    rate_burst: Annotated[
        int,
        Setting(
            # An initial synchronisation of that many people goes through at full speed.
            "50000",
            whole(1, 1_000_000_000),
            "How many requests each credential may make at once after a pause.",
        ),
    ]
    log_format: Annotated[
        str, Setting("text", form, "How: text, or json for one JSON object a line.")
    ]
    metrics_host: Annotated[
        str, Setting("127.0.0.1", host, "Where to listen for those who watch this process.")
    ]
    metrics_port: Annotated[
        int | None,
        Setting("", optional_port, "The port of /metrics, /healthz and /readyz; default: none."),
    ]
    metrics_by_workspace: Annotated[
        bool, Setting("off", switch, "Whether /metrics shows the seats of each workspace.")
    ]

    log_retention_days: Annotated[
        int, Setting("90", days, "How long the provisioning log is kept, in days; 0: for ever.")
    ]

    smtp_url: Annotated[
        SmtpServer | None,
        Setting(
            "",
            mail_server,
            "The mail server: smtp://user:password@host:587 (STARTTLS) or smtps://host:465; "
            "smtp://localhost:25?tls=off for this machine. Without one, mails are only logged.",
            secret=True,
        ),
    ]
    mail_from: Annotated[
        str, Setting("", sender, "Who sends mails: Directory <directory@example.com>.")
    ]

    @property
    def storage_url(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{quote(str(self.data / 'directory.db'))}"


def read(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """
    Return the settings of the command line and, for what it leaves out, the environment.

    Args:
        flags: By field name; None and missing mean not given. Unset and empty are the same.
        environment: By variable name: `GRPC_PORT`.

    Raises:
        SettingsError: Every setting that is wrong, at once; no value of a secret.
    """
    texts = {name: flags.get(name) or environment.get(name.upper()) or "" for name in TABLE}
    values, problems = {}, _conflicts(texts)
    for name, setting in TABLE.items():
        text = texts[name] or setting.default
        try:
            values[name] = setting.parse(text)
        except ValueError as error:
            shown = "" if setting.secret else f", not {text!r}"
            problems.append(f"{name.upper()} must {error}{shown}.")
    if problems:
        raise SettingsError(problems)
    return Settings(**values)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the core's command line; its help tells all that can be set."""
    made = argparse.ArgumentParser(
        prog="python -m core_service",
        description="The user directory: every identity rule, behind gRPC.",
        epilog="Secrets belong in the environment: a command line can be read by every process. "
        "The settings are checked before anything starts; all that are wrong are named at once.",
    )
    for name, setting in TABLE.items():
        default = f" Default: {setting.default}." if setting.default else ""
        made.add_argument(
            f"--{name.replace('_', '-')}",
            metavar=name.rpartition("_")[2].upper(),
            help=f"{setting.help}{default} Environment: {name.upper()}.",
        )
    return made


def _conflicts(texts: Mapping[str, str]) -> list[str]:
    """Return a sentence for every setting that another one rules out or asks for."""
    problems = []
    if bool(texts["grpc_tls_cert"]) != bool(texts["grpc_tls_key"]):
        problems.append("GRPC_TLS_CERT and GRPC_TLS_KEY must be given together.")
    if texts["grpc_tls_client_ca"] and not texts["grpc_tls_cert"]:
        problems.append("GRPC_TLS_CLIENT_CA needs GRPC_TLS_CERT and GRPC_TLS_KEY.")
    if texts["smtp_url"] and not texts["mail_from"]:
        problems.append("SMTP_URL needs MAIL_FROM.")
    return problems


TABLE: dict[str, Setting] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""Every setting by the name of its field."""
