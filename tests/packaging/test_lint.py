# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of the distributions' own linters about the packages."""

import shutil
import subprocess

from debian_root import PROJECT

PACKAGING = PROJECT / "packaging"


def judge(*words, **options):
    """Expects that the linter succeeds, and shows its output if not."""
    assert shutil.which(words[0]), f"{words[0]} is missing (packaging/install-deps.sh)"
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_lintian_reports_nothing(deb):
    assert judge("lintian", "--allow-root", "--no-cfg", "--fail-on", "error,warning", "--tag-display-limit", "0", str(deb)) == ""


def test_rpmlint_reports_nothing(rpm):
    told = judge("rpmlint", "--ignore-unused-rpmlintrc", "--rpmlintrc", str(PACKAGING / "rpm/headgate.rpmlintrc"), str(rpm))
    assert " 0 errors, 0 warnings" in told, told


def test_apparmor_understands_the_profile():
    judge("apparmor_parser", "--skip-kernel-load", "--skip-cache", "--warn=all", "--Werror", "--kernel-features", "/etc/apparmor.d/abi/3.0", str(PACKAGING / "apparmor/headgate-agent"))
