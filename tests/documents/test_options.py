# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that documents name and headgate does not have."""

import pytest

from options import unknown_options


@pytest.mark.parametrize("line", [
    "headgate capture --source 10.0.0.1 -p tcp --dport=https # --no-such-option",
    "sudo headgate flush --from-capture ID --yes", "headgate operations list --type capture\\|flush --config FILE",
    "jq -r .id --arg x | headgate flush --from-capture -", "source <(headgate completion bash) --posix",
    "headgate log --follow && ls -l"])
def test_what_headgate_has_and_what_is_of_other_programs_is_known(line):
    assert list(unknown_options(line)) == []


@pytest.mark.parametrize("line, option, command", [
    ("headgate capture --destination-prt 80", "--destination-prt", "headgate capture"),
    ("headgate capture --all --yes", "--yes", "headgate capture"),
    ("sudo headgate operations list --reason flushed", "--reason", "headgate operations list"),
    ("ls --color | headgate flush --all -x", "-x", "headgate flush"),
    ("headgate captures --all", "--all", "headgate")])
def test_an_option_of_another_command_is_unknown(line, option, command):
    assert list(unknown_options(line)) == [(option, command)]
