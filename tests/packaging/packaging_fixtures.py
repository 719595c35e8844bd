# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages built by `make package`, and a gateway to install one on."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from debian_root import PROJECT, base_root, copy_of
from lab import Lab
from machine import Machine

DIST = pathlib.Path(os.environ.get("HEADGATE_DIST", PROJECT / "dist"))


def only(pattern):
    found = [each for each in DIST.glob(pattern) if "dbgsym" not in each.name]
    assert len(found) == 1, f"{DIST}/{pattern}: {found}; make package builds it"
    return found[0]


@pytest.fixture(scope="session")
def deb():
    return only("*.deb")


@pytest.fixture(scope="session")
def rpm():
    return only("*.rpm")


def skip_without_tools():
    if os.geteuid() != 0:
        pytest.skip("a container takes root")
    for tool in ("systemd-nspawn", "mmdebstrap"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing (packaging/install-deps.sh)")


def skip_where_nothing_boots(root):
    tried = subprocess.run(["systemd-nspawn", "--quiet", "--directory", root, "--keep-unit", "--register=no", "--private-network",
                            "--machine", f"headgate-{os.getpid()}", "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"no container runs on this machine: {tried.stderr}")


@pytest.fixture(scope="module")
def gateway(request, deb):
    """A gateway, at first without headgate; each test continues with the state that the previous one left."""
    skip_without_tools()
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(Lab(request.module.__name__))
        root = stack.enter_context(copy_of(base_root(deb)))
        skip_where_nothing_boots(root)
        shutil.copy(deb, root / "root" / "headgate.deb")
        yield stack.enter_context(Machine(lab, root))
