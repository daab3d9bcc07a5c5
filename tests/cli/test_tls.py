"""A command over TLS in both directions, with files of our own authority."""

from pathlib import Path

from tests.cli.conftest import Userdir
from tests.contract.conftest import clock, core, identity, storage
from tests.contract.test_server import pki, secured
from tests.workspaces import new_place

__all__ = ["clock", "core", "identity", "pki", "storage"]


async def test_the_files_secure_the_connection(core, identity, pki, tmp_path: Path):
    """With the authority, the certificate and its key a command is answered, without it is not."""
    place = await new_place(core)
    files = ("--ca", pki / "ca.pem", "--cert", pki / "client.pem", "--key", pki / "client.key")
    userdir = Userdir({"DATA": str(tmp_path), "USERDIR_TOKEN": place.token})
    async with secured(core, identity, pki) as address:
        done = await userdir("role", "list", "--server", address, *map(str, files))
        plain = await userdir("role", "list", "--server", address)

    assert (0, 3) == (done.status, len(done.rows))
    assert (3, "") == (plain.status, plain.out)
