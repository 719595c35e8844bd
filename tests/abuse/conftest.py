# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys

HERE = os.path.dirname(__file__)
sys.path[:0] = [HERE, os.path.join(HERE, "..", "api"), os.path.join(HERE, "..", "lab")]

from lab_fixtures import lab, root  # noqa: E402, F401


def pytest_configure(config):
    config.addinivalue_line("markers", "long: of the tests that some helpers come from")
