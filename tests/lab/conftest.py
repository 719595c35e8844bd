import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from lab import Lab  # noqa: E402


@pytest.fixture(scope="session")
def root():
    if os.geteuid() != 0:
        pytest.skip("network namespaces take root")


@pytest.fixture
def lab(request, root):
    with Lab(request.node.nodeid) as built:
        yield built
