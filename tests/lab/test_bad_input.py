# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: one line that names the argument and the rule, the right exit status, and nothing changed."""

import os
import re
import subprocess

import pytest

from lab import GATEWAY, HEADGATE
from policies import status

USAGE, CANNOT = 2, 1
CAPABILITY_MISSING = [f"headgate: {what} needs CAP_NET_ADMIN: use sudo, or start the agent and join group headgate\n" for what in ("reading the conntrack table", "nftables")]


@pytest.mark.parametrize("words, says", [
    (["--protocol", "tpc"], '--protocol: "tpc" is neither a protocol\'s name nor its number'),
    (["--protocol", "any", "--protocol", "tcp"], "--protocol: ANY stands alone"),
    (["--filter", "protocol=tcp,protocol=any"], "--filter: protocol: ANY stands alone"),
    (["--protocol", "256"], "--protocol: 256 is above 255, the highest protocol number"),
    (["--destination-port", "70000"], "--destination-port: 70000 is above 65535"),
    (["--source-port", "10:5"], "--source-port: 10:5 ends before it begins; the range is 5:10"),
    (["--source", "10.0.0.0/33"], "--source: 10.0.0.0/33: /33 is longer than /32"),
    (["--source", "10.0.0.1/24"], "--source: 10.0.0.1/24 has host bits set; the prefix is 10.0.0.0/24"),
    (["--source", "10.0.0.1", "--destination", "2001:db8::1"],
     "--destination: 2001:db8::1 is not of the same family as the source, 10.0.0.1"),
    (["--filter", "protocol=tcp"] * 21, "--filter: 21 filters; an operation takes 20 at most"),
    (["--all", "--min-age", "-5"], "--min-age: -5 is negative"),
    (["--all", "--min-age", "soon"], '--min-age: "soon" is not a duration such as 90s, 5m or 12h'),
    (["--filter", "colour=red"], "--filter: colour: unknown key"),
    (["--filter", "source=10.0.0.1,source=10.0.0.2"], "--filter: source: given twice in one filter"),
    (["--filter", ""], "--filter: an empty filter"),
    (["--all", "--state", "OPEN"], '--state: "OPEN" is none of ACTIVE, NEW, ESTABLISHED, CLOSED and ANY'),
    (["--all", "--zone", "65536"], "--zone: 65536 is above 65535"),
    (["--all", "--mark", "0x100/0xff"], "--mark: 0x100 has bits outside the mask 0xff"),
    (["--all", "--min-bytes", "-1"], "--min-bytes: -1 is negative"),
    (["--all", "--min-packets", "many"], '--min-packets: "many" is not a whole number'),
    (["--translated-source", "10.0.0.0/33"], "--translated-source: 10.0.0.0/33: /33 is longer than /32"),
    (["--source", "10.0.0.1", "--translated-source", "2001:db8::1"],
     "--translated-source: 2001:db8::1 is not of the same family as the source, 10.0.0.1"),
    (["--all", "--match", "both"], '--match: "both" is none of original, translated and any'),
    (["--all", "--output", "xml"], '--output: "xml" is none of table, json, ndjson, wide and csv'),
    (["--all", "--source", "10.0.0.1"], "exclude each other"),
    (["--all", "--firewall", "nowhere"], '--firewall: "nowhere" is unknown'),
    (["--all", "--colour"], "--colour"),
    ([], "no filter"),
])
@pytest.mark.parametrize("command", [["capture"], ["flush", "--yes"]])
def test_a_wrong_argument_is_a_usage_error(lab, command, words, says):
    lab.fill(1)
    done = lab.headgate(*command, *words, netns="--firewall" not in words)
    assert done.returncode == USAGE
    assert done.stderr.startswith("headgate: ") and says in done.stderr and len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert len(lab.capture("--all")) == 1


@pytest.mark.parametrize("words, says", [
    (["--all", "--max-flows", "few"], '--max-flows: "few" is not a whole number'),
    (["--all", "--from-capture", "/dev/null"], "--from-capture"),
])
def test_a_wrong_argument_of_a_flush_is_a_usage_error(words, says):
    done = subprocess.run([HEADGATE, "flush", "--yes", *words], capture_output=True, text=True)
    assert done.returncode == USAGE and says in done.stderr


@pytest.mark.parametrize("words", [["policy", "apply", "drop"], ["policy", "remove"]])
def test_a_policy_is_not_changed_for_output_that_cannot_be_written(lab, words):
    lab.apply("reject")
    done = lab.headgate(*words, "--output", "xml")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr == 'headgate: --output: "xml" is none of table, json, ndjson, wide and csv\n'
    assert status(lab)["policy"] == "reject"


def test_without_a_command_it_shows_an_overview():
    done = subprocess.run([HEADGATE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (USAGE, "") and done.stderr.count("  headgate ") == 3


@pytest.mark.parametrize("words", [["explode"], ["capture", "--all", "unexpected"]])
def test_a_wrong_command_is_a_usage_error(words):
    done = subprocess.run([HEADGATE, *words], capture_output=True, text=True)
    assert done.returncode == USAGE and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "hello\n", "[1]", '{"operation_id":"x","type":"FLOW_FLUSH"}', '{"id":1}',
                                  '{"id":1,"family":"ipv4"', "\0\1\2", '{"flows":[{"id":1}]}'])
def test_a_foreign_capture_file_is_refused(lab, tmp_path, text):
    lab.fill(1)
    file = tmp_path / "capture"
    file.write_text(text)
    done = lab.headgate("flush", "--yes", "--from-capture", str(file))
    assert done.returncode == CANNOT
    assert done.stderr.startswith(f"headgate: {file}: ") and len(done.stderr.splitlines()) == 1
    assert len(lab.capture("--all")) == 1


def test_a_capture_file_that_is_missing_is_named(lab):
    done = lab.headgate("flush", "--yes", "--from-capture", "/nowhere/capture.json")
    assert (done.returncode, done.stderr) == (CANNOT, "headgate: /nowhere/capture.json: No such file or directory\n")


def test_a_namespace_that_is_missing_is_named():
    done = subprocess.run([HEADGATE, "capture", "--all", "--netns", "nowhere"], capture_output=True, text=True)
    assert done.returncode == CANNOT
    assert done.stderr == "headgate: --netns: network namespace /run/netns/nowhere: No such file or directory\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to drop privileges from")
def test_without_privilege_the_error_names_the_missing_one(lab, tmp_path):
    lab.fill(1)
    for words in (["capture", "--all"], ["flush", "--all", "--yes"], ["table"]):
        done = lab.run(GATEWAY, "setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all",
                       *lab.headgate_words(*words, netns=False), check=False)
        assert done.returncode == CANNOT
        assert done.stderr in CAPABILITY_MISSING or "use sudo, or start the agent and join group headgate" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    captured = tmp_path / "capture.json"
    captured.write_text(lab.headgate("capture", "--all", "--json").stdout)
    # Still root, so that the file is readable, but without capabilities.
    done = lab.run(GATEWAY, "setpriv", "--bounding-set", "-all",
                   *lab.headgate_words("flush", "--from-capture", str(captured), "--yes", netns=False), check=False)
    assert done.returncode == CANNOT and re.sub(r" \(operation [0-9a-f-]{36}\)", "", done.stderr) in CAPABILITY_MISSING
    assert len(lab.capture("--all")) == 1


def test_help_and_version_are_no_errors():
    for words in (["--help"], ["capture", "--help"], ["flush", "--help"], ["version"]):
        done = subprocess.run([HEADGATE, *words], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout and done.stderr == ""


POLICY = "stream_exception_policy: drop\n"


@pytest.mark.parametrize("in_force", [None, "reject"])
@pytest.mark.parametrize("text, line", [
    ("stream_exception_policy: [drop\n", None),
    ("\tdrop", None),
    ("\0\1\2", None),
    ("", None),
    ("- drop\n", 1),
    ("drop\n", 1),
    ("scope: all\n", None),
    ("stream_exception_policy: explode\n", 1),
    ("stream_exception_policy:\n", 1),
    ("stream_exception_policy: [drop, reject]\n", 1),
    (POLICY + POLICY, 2),
    (POLICY + "\ncolour: red\n", 3),
    (POLICY + "scope: some\n", 2),
    (POLICY + "hooks: [forward, prerouting]\n", 2),
    (POLICY + "hooks: forward\n", 2),
    (POLICY + "hooks: []\n", 2),
    (POLICY + "hooks: [forward, forward]\n", 2),
    (POLICY + "remember_flushed_for: -4s\n", 2),
    (POLICY + "remember_flushed_for: 0s\n", 2),
    (POLICY + "remember_flushed_for: soon\n", 2),
    (POLICY + "remember_flushed_for: 99999999999999999999s\n", 2),
    (POLICY + "remember_flushed_for: 8d\n", 2),
    (POLICY + "priority: -200\n", 2),
    (POLICY + "priority: 300\n", 2),
    (POLICY + "priority: high\n", 2),
    (POLICY + "priority: 1.5\n", 2),
    (POLICY + "remember_at_most: 0\n", 2),
    (POLICY + "remember_at_most: -1\n", 2),
    (POLICY + "remember_at_most: 1048577\n", 2),
    (POLICY + "log: loud\n", 2),
    (POLICY + "log: {prefix: 'a\"b'}\n", 2),
    (POLICY + "log: {prefix: " + "x" * 128 + "}\n", 2),
    (POLICY + "log: {prefix: a, colour: red}\n", 2),
])
def test_a_policy_file_that_is_wrong_changes_nothing(lab, tmp_path, text, line, in_force):
    if in_force:
        lab.apply(in_force)
    before = lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    for words in (["policy", "apply", str(file)], ["policy", "show", str(file)],
                  ["flush", "--all", "--yes", "--stream-exception-policy", str(file)]):
        done = lab.headgate(*words, netns=words[1] != "show")
        assert done.returncode == USAGE
        assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
        assert f"{file}:" in done.stderr if line is None else f"{file}:{line}" in done.stderr
    assert lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout == before


@pytest.mark.parametrize("name, says, status", [
    ("nonsense", '"nonsense"', USAGE), ("", '""', USAGE), ("reject.yaml", '"reject.yaml"', USAGE),
    ("/nowhere/policy.yaml", "/nowhere/policy.yaml: No such file or directory", CANNOT), ("/dev/null", "/dev/null", USAGE),
    ("/", "/", USAGE)])
def test_a_policy_that_is_unknown_changes_nothing(lab, name, says, status):
    lab.fill(1)
    lab.apply("drop")
    before = lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout
    for words in (["policy", "apply", name], ["policy", "show", name],
                  ["flush", "--all", "--yes", "--stream-exception-policy", name]):
        done = lab.headgate(*words, netns=words[1] != "show")
        assert done.returncode == status and says in done.stderr and len(done.stderr.splitlines()) == 1
    assert lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout == before
    assert len(lab.capture("--all")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to drop privileges from")
@pytest.mark.parametrize("in_force", [None, "drop"])
def test_without_privilege_a_policy_is_neither_applied_nor_removed(lab, in_force):
    if in_force:
        lab.apply(in_force)
    before = lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout
    for words in (["apply", "reject"], ["remove"], ["status"]):
        for privilege in (["--reuid", "65534", "--clear-groups"], []):
            done = lab.run(GATEWAY, "setpriv", *privilege, "--bounding-set", "-all",
                           *lab.headgate_words("policy", *words, netns=False), check=False)
            assert done.returncode == CANNOT and done.stdout == ""
            assert len(done.stderr.splitlines()) == 1 and "use sudo" in done.stderr
    assert lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout == before
