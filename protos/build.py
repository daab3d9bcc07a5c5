"""
Compile the contract: `.proto` files to modules that lie beside them.

Run by hand (`python protos/build.py`) or by the install as hatchling's build hook.
"""

import sys
from importlib import resources
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


def compile_protos() -> None:
    """Write the modules beside every `.proto` file, and the comments to `contract.binpb`."""
    from grpc_tools import protoc

    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={ROOT}",
            f"--proto_path={resources.files('grpc_tools') / '_proto'}",
            f"--python_out={ROOT}",
            f"--pyi_out={ROOT}",
            f"--grpc_python_out={ROOT}",
            # The comments of the contract, which describe the attributes in SCIM's /Schemas.
            f"--descriptor_set_out={ROOT / 'userdirectory' / 'v1' / 'contract.binpb'}",
            "--include_source_info",
            *sources,
        ]
    )
    if status != 0:
        raise SystemExit("The contract does not compile; the messages above say where.")


class CustomBuildHook(BuildHookInterface[Any]):
    """Compiles the contract before the package is built or installed for development."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the contract; hatchling calls this before it collects files."""
        compile_protos()


if __name__ == "__main__":
    sys.exit(compile_protos())
