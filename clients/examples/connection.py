"""What every example needs: where the directory is, who asks, and what went wrong in a sentence."""

import argparse
import os

import grpc

from clients.directory import Directory, DirectoryError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every example has."""
    for name, what in (
        ("server", "host:port of the directory"),
        ("token", "a credential"),
        ("workspace", "the workspace, where the credential is for all"),
    ):
        variable = f"USERDIR_{name.upper()}"
        parser.add_argument(
            f"--{name}", default=os.environ.get(variable, ""), help=f"{what} (${variable})"
        )


def connect(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Directory:
    """Return a client of the directory that *options* name; end the program if they do not."""
    for name in ("server", "token"):
        if not getattr(options, name):
            parser.error(f"Nothing says --{name}. Add it, or set USERDIR_{name.upper()}.")
    try:
        return Directory(options.server, options.token, workspace_id=options.workspace)
    except ValueError as error:
        parser.error(str(error))


def sentence(error: DirectoryError | grpc.RpcError) -> str:
    """Return what went wrong: what the directory says, else that it says nothing."""
    if isinstance(error, DirectoryError):
        return f"{error.reason}: {error.message}"
    return f"The directory does not answer: {error.code().name}. Check --server, or try again."
