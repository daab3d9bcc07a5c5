"""The SCIM gateway as a process of its own: `python -m scim_gateway --help`."""

import argparse
import dataclasses
import inspect
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import uvloop
from userdirectory import logs, tracing

from scim_gateway.app import create_app
from scim_gateway.channel import connect
from scim_gateway.monitored import monitored
from scim_gateway.serving import port_taken, serve
from scim_gateway.settings import Settings, problems

_ENVIRONMENT = "SCIM_"
_KINDS: dict[type, Callable[[str], Any]] = {str: str, int: int, float: float, type(None): int}


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the gateway until SIGINT or SIGTERM.

    Returns:
        The exit status: 0, or 2 if the settings do not fit together, which is said in full, or
        if the port is taken.
    """
    settings, found = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    if found:
        print("The gateway cannot start:", *found, sep="\n  ", file=sys.stderr)
        return 2
    for option, host, port in (
        ("--port", settings.host, settings.port),
        ("--metrics-port", settings.metrics_host, settings.metrics_port or 0),
    ):
        if port_taken(host, port):
            print(
                f"Port {port} is taken. Choose another with {option}, or end the program that "
                "has it.",
                file=sys.stderr,
            )
            return 2
    logs.set_up(settings.log_level, settings.log_format)
    uvloop.run(_run(settings))
    return 0


def read_settings(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[Settings, list[str]]:
    """
    Return the settings and everything that is wrong with them, one sentence each.

    Args:
        arguments: Options of the command line; they win.
        environment: `SCIM_MAX_BODY_BYTES` and the like.
    """
    fields = dataclasses.fields(Settings)
    told = vars(_parser().parse_args(list(arguments)))
    values: dict[str, Any] = {}
    wrong = []
    for field in fields:
        text = told[field.name]
        if text is None:
            text = environment.get(f"{_ENVIRONMENT}{field.name.upper()}")
        if text is None:
            continue
        try:
            values[field.name] = _KINDS[type(field.default)](text)
        except ValueError:
            wrong.append(f"{field.name} is {text!r}. Use a number.")
    settings = Settings(**values)
    try:
        tracing.exporter(environment)
    except ValueError as error:
        wrong.append(str(error))
    return settings, wrong + problems(settings)


async def _run(settings: Settings) -> None:
    def say_where(port: int) -> None:
        where = (settings.host, port, settings.prefix, settings.core)
        logging.getLogger("scim_gateway").info("Listening on %s:%d%s, core at %s", *where)

    channel, stubs = connect(settings)
    async with (
        channel,
        tracing.traced("scim-gateway", os.environ) as traces,
        monitored(settings) as measures,
    ):
        app = create_app(stubs, settings, measures, traces)
        await serve(app, settings, on_listening=say_where)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scim_gateway",
        description="SCIM 2.0 in front of a user directory core.",
        epilog="Every option can also be given in the environment: --max-body-bytes as "
        f"{_ENVIRONMENT}MAX_BODY_BYTES. Options win.",
    )
    told = _descriptions()
    for field in dataclasses.fields(Settings):
        default = "" if field.default in ("", None) else f" Default: {field.default}."
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar="TEXT" if isinstance(field.default, str) else "NUMBER",
            help=f"{told[field.name].replace('%', '%%')}{default}",
        )
    return parser


def _descriptions() -> dict[str, str]:
    """Return what the docstring of Settings says of each field."""
    told: dict[str, str] = {}
    name = ""
    section = inspect.getdoc(Settings) or ""
    for line in section.partition("Attributes:\n")[2].splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            name, _, text = line.strip().partition(": ")
            told[name] = text
        else:
            told[name] += f" {line.strip()}"
    return told


if __name__ == "__main__":
    sys.exit(main())
