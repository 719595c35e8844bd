# SPDX-License-Identifier: GPL-2.0-or-later
"""Completions that bash and zsh offer at a terminal."""

import os
import pathlib
import shutil

import pytest

from shells import SHELLS, Shell

HEADGATE = os.environ["HEADGATE"]
CONFIGURATION = """
firewalls:
  - {name: edge, endpoints: [{availability_zone: eu-1a}, {availability_zone: eu-1b, netns: b}]}
  - {name: core, endpoints: [{availability_zone: eu-1a, netns: c}]}
"""
COMMANDS = {"capture", "flush", "rematch", "operations", "log", "policy", "quarantine", "table", "agent", "check-config", "completion",
            "version", "help"}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "headgate.yaml").write_text(CONFIGURATION)
    (folder / "state").mkdir()
    (folder / "seen.json").write_text("{}")
    shell = Shell(request.param, folder, HEADGATE)
    yield shell
    shell.close()


def test_commands(shell):
    assert shell.completions("headgate ") == COMMANDS
    assert shell.completions("headgate c") == {"capture", "check-config", "completion"}
    assert shell.completions("headgate policy ") == {"list", "show", "apply", "remove", "status"}
    assert shell.completions("headgate --state-dir state operations ") == {"list", "show", "results"}


def test_options(shell):
    assert shell.completions("headgate capture --m") == {"--mark", "--match", "--min-age", "--min-bytes", "--min-packets"}
    assert shell.completions("headgate flush --all --dry-run --from-capture x --st") >= {
        "--state", "--state-dir", "--stream-exception-policy"}
    assert shell.completions("headgate --c") == {"--config"}
    assert shell.completions("headgate operations list --t") == {"--type"}
    assert shell.completions("headgate policy status --include") == {"--include"}, "an option of its sister's alone"


@pytest.mark.parametrize("typed, choices", [
    ("headgate capture --output ", {"table", "json", "ndjson", "wide", "csv"}),
    ("headgate capture -o nd", {"ndjson"}),
    ("headgate capture --filter dest", {"destination", "destination-port"}),
    ("headgate capture --filter source=10.0.0.1,source-p", {"source=10.0.0.1,source-port"}),
    ("headgate capture --filter source=fd00::1,source-p", {"source=fd00::1,source-port"}),
    ("headgate capture --filter=destination-port=80:90,protocol=sc", {"--filter=destination-port=80:90,protocol=sctp"}),
    ("headgate capture --all --state E", {"ESTABLISHED"}),
    ("headgate flush --match ", {"original", "translated", "any"}),
    ("headgate log --reason ", {"flushed", "closed", "timeout", "evicted"}),
    ("headgate log --reason flushed --reason t", {"timeout"}),
    ("headgate operations list --type ", {"capture", "flush", "rematch"}),
    ("headgate capture --protocol ud", {"udp", "udplite"}),
    ("headgate completion ", {"bash", "zsh"}),
])
def test_choices(shell, typed, choices):
    assert shell.completions(typed) == choices


def test_a_value_behind_an_equals_sign(shell):
    assert shell.completions("headgate capture --output=n") in ({"--output=ndjson"}, {"ndjson"})
    assert shell.completions("headgate capture --output=table --state C") == {"CLOSED"}
    assert shell.completions("headgate table --config=headgate.yaml --firewall=e") in ({"--firewall=edge"}, {"edge"})
    assert shell.completions("headgate check-config --config=head") in ({"--config=headgate.yaml"}, {"headgate.yaml"})


def test_a_value_that_only_its_user_knows_is_left_to_them(shell):
    assert shell.completions("headgate capture --source 10") == {"10"}


def test_policies_are_those_that_there_are(shell):
    there = {file.stem for file in (pathlib.Path(HEADGATE).parent / "policies").glob("*.yaml")}
    assert there >= {"drop", "reject", "continue"}
    for typed in ("headgate policy apply ", "headgate policy show --ruleset ", "headgate flush --stream-exception-policy "):
        assert shell.completions(typed) >= there, typed
    assert shell.completions("headgate policy apply dr") >= {"drop"}


def test_names_are_those_of_the_configuration_that_was_named(shell):
    assert shell.completions("headgate --config headgate.yaml capture --firewall ") == {"edge", "core"}
    assert shell.completions("headgate --config=headgate.yaml table --firewall e") == {"edge"}
    assert shell.completions("headgate log --config headgate.yaml --firewall c") == {"core"}
    assert shell.completions("headgate table --config headgate.yaml --availability-zone ") == {"eu-1a", "eu-1b"}


def test_files_where_files_are_wanted(shell):
    assert shell.completions("headgate check-config --config head") == {"headgate.yaml"}
    assert shell.completions("headgate flush --from-capture see") == {"seen.json"}
    assert shell.completions("headgate capture --state-dir ") == {"state"}
    assert shell.completions("headgate policy apply ./see") == {"./seen.json"}


def test_nothing_that_was_typed_is_carried_out(shell):
    shell.completions("headgate --config '$(touch carried-out)' capture --firewall ")
    shell.completions("headgate capture `touch carried-out` --output ")
    assert shell.completions("headgate check-config --config carr") == {"carr"}
