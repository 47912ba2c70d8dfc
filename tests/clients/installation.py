"""The installation of the clients that come from the npm registry, into `.build/clients`.

`make down` leaves that folder. Those from the Python package index have environments of their own,
which the Makefile makes.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".build" / "clients"
NODE = "node@22.23.3"
NODE_OLDEST = (22, 19)
"""The clients need a Node.js of this version; where an older one is installed, NODE is used."""
PACKAGES = ("@salesforce/cli@2.146.3", "@salesforce/core@8.32.6")
SOQL_PARSER = ("@salesforce/soql-common@0.2.2", "antlr4ts@0.5.0-alpha.3")
"""Salesforce's SOQL parser, and the library that it needs without saying so."""
SECONDS = 600


class ClientMissingError(RuntimeError):
    """A client cannot be installed; the message says what is missing."""


def install_packages() -> Path:
    """Install the npm packages where they are missing, and return their folder.

    Raises:
        ClientMissingError: when npm or its registry cannot be reached.
    """
    return _install("packages", PACKAGES, scripts=False)


def install_soql_parser() -> Path:
    """Install Salesforce's SOQL parser where it is missing, and return its folder.

    Raises:
        ClientMissingError: when npm or its registry cannot be reached.
    """
    return _install("soql", SOQL_PARSER, scripts=False)


def node() -> str:
    """Return the path of a Node.js that is recent enough; install one where there is none.

    Raises:
        ClientMissingError: when npm or its registry cannot be reached.
    """
    installed = shutil.which("node")
    if installed is not None:
        answer = subprocess.run(
            [installed, "--version"], check=True, capture_output=True, text=True
        )
        version = tuple(int(part) for part in answer.stdout.strip().lstrip("v").split("."))
        if version >= NODE_OLDEST:
            return installed
    return str(_install("node", (NODE,), scripts=True) / "node_modules" / ".bin" / "node")


def _install(name: str, packages: tuple[str, ...], *, scripts: bool) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ClientMissingError("npm is not installed")
    folder = FOLDER / name
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == str(packages):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    options = ["--no-audit", "--no-fund", *([] if scripts else ["--ignore-scripts"])]
    try:
        subprocess.run(
            [npm, "install", *options, *packages],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ClientMissingError(f"npm cannot install {', '.join(packages)}") from error
    stamp.write_text(str(packages), encoding="utf-8")
    return folder
