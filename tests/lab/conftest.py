# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

from lab_fixtures import lab, root  # noqa: E402, F401


def pytest_configure(config):
    config.addinivalue_line("markers", "long: does one thing very often, or waits long; left out where every second counts twice")
