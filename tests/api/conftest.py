# SPDX-License-Identifier: GPL-2.0-or-later
import os
import subprocess
import sys

import pytest

sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "..", "lab")]

from lab import Lab  # noqa: E402
from lab_fixtures import lab, root  # noqa: E402, F401
from service import Sdk, Service  # noqa: E402


@pytest.fixture
def service(lab):
    served = Service(lab).start()
    assert served.process.poll() is None, served.said()
    yield served
    served.stop()


@pytest.fixture(scope="session")
def node():
    """The SDK requires Node.js 20."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if int(version.removeprefix("v").split(".")[0] or 0) < 20:
        pytest.skip(f"the AWS SDK takes node 20, and this is {version}")


@pytest.fixture
def sdk(lab, service, node):
    return Sdk(lab)


@pytest.fixture(scope="module")
def shared_sdk(request, root, node):
    """One lab for all tests that change nothing."""
    with Lab(request.node.nodeid) as lab:
        served = Service(lab).start()
        assert served.process.poll() is None, served.said()
        yield Sdk(lab)
        served.stop()


@pytest.fixture(scope="module")
def shared_service(request, root):
    """The same for tests without the SDK."""
    with Lab(request.node.nodeid + " service") as lab:
        served = Service(lab).start()
        assert served.process.poll() is None, served.said()
        yield served
        served.stop()
