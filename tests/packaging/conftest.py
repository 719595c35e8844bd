# SPDX-License-Identifier: GPL-2.0-or-later
import os
import sys

HERE = os.path.dirname(__file__)
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lab")]

from packaging_fixtures import deb, gateway, rpm  # noqa: E402, F401
