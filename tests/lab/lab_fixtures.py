# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of all tests with hosts."""

import os

import pytest

from lab import Lab


@pytest.fixture(scope="session")
def root():
    if os.geteuid() != 0:
        pytest.skip("network namespaces take root")


@pytest.fixture
def lab(request, root):
    with Lab(request.node.nodeid) as built:
        yield built
