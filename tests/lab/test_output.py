# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables on terminals of several widths, the options of lists, short ids, and places where nothing is found."""

import csv
import datetime
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from lab import GATEWAY, HEADGATE
from test_operations import headgate, headgate_json

CANNOT, USAGE, NOTHING = 1, 2, 3
WIDTHS = [80, 100, 120, 200]


def on_terminal(width, words):
    """Runs a command with its stdout on a terminal of that width; returns its lines and its stderr."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                               env=os.environ | {"NO_COLOR": "1"})
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    stderr = process.communicate()[1]
    assert process.returncode in (0, NOTHING), stderr
    return shown.decode().replace("\r\n", "\n").splitlines(), stderr


def columns_left_out(stderr):
    found = re.search(r"^headgate: columns left out: (.*); use -o wide$", stderr, re.MULTILINE)
    return found.group(1).split(", ") if found else []


@pytest.mark.parametrize("width", WIDTHS)
def test_time_user_and_result_of_operations_are_seen_at_every_width(lab, width):
    lab.configure("firewalls:\n  - name: a-firewall-with-a-long-name\n    endpoints:\n"
                  f"      - {{availability_zone: eu-central-1a, netns: {lab.name(GATEWAY)}}}\n")
    lab.fill(3)
    assert headgate(lab, "capture", "-s", "10.0.0.0/8", "-p", "udp").returncode == 0
    assert headgate(lab, "flush", "-s", "10.0.0.0/8", "--dry-run").returncode == 0
    lines, stderr = on_terminal(width, lab.headgate_words("operations", "list", netns=False))
    assert len(lines) == 3 and max(map(len, lines)) <= width
    shown = re.split(r"  +", lines[0].strip())
    assert shown[:7] == ["ID", "TYPE", "STATUS", "TIME", "BY", "MATCHED", "FLUSHED"]
    everything = shown + [name.upper() for name in columns_left_out(stderr)]
    assert set(everything) >= {"FIREWALL", "ZONE", "FILTERS"}, "what is left out is said"
    assert re.search(r"^[0-9a-f]{8}  dry run  COMPLETED  \d\d:\d\d:\d\d  root ", lines[1]), lines[1]
    assert "source=10" in lines[1], "filters are shown, as far as they fit"
    if width >= 120:
        assert columns_left_out(stderr) == [] and "a-firewall-with-a-long-name" in lines[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_refused_and_why_is_seen_at_every_width(lab, width):
    lab.fill(3)
    assert lab.headgate("flush", "--all").returncode == 5
    lines, _ = on_terminal(width, lab.headgate_words("operations", "list", netns=False))
    assert len(lines) == 3 and max(map(len, lines)) <= width
    assert re.search(r"^[0-9a-f]{8}  flush    REFUSED    \d\d:\d\d:\d\d  root .* 3 +0 .*3 flows m", lines[1]), lines[1]
    assert re.search(r"^[0-9a-f]{8}  dry run  COMPLETED  \d\d:\d\d:\d\d  root .* 3 +would 3", lines[2]), lines[2]
    assert "REASON" in lines[0]


@pytest.mark.parametrize("width", WIDTHS)
def test_time_user_and_reason_of_ended_flows_are_seen_at_every_width(lab, width):
    lab.fill(3)
    assert lab.headgate("flush", "--all", "--yes").returncode == 0
    lines, stderr = on_terminal(width, lab.headgate_words("log", "--lines", "3", netns=False))
    assert len(lines) == 4 and max(map(len, lines)) <= width
    shown = re.split(r"  +", lines[0].strip())
    assert {"TIME", "SOURCE", "DESTINATION", "REASON", "BY"} <= set(shown), lines[0]
    assert {"LAST STATE", "AGE", "PACKETS", "OPERATION"} <= set(shown) | {
        name.upper().replace("_", " ") for name in columns_left_out(stderr)}
    assert re.search(r"^\d\d:\d\d:\d\d  ", lines[1]) and " root" in lines[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_and_long_addresses_hide_neither_time_nor_user_nor_result(lab, width):
    alice = os.environ | {"SUDO_USER": "an-engineer-on-call-whose-name-is-long"}
    lab.run(GATEWAY, "conntrack", "-I", "-p", "tcp", "-s", "2001:db8::1", "-d", "2001:db8:1::2", "--sport", "5000",
            "--dport", "443", "--state", "ESTABLISHED", "-t", "300", "-u", "SEEN_REPLY")
    assert lab.headgate("flush", "-p", "tcp", "--yes", env=alice).returncode == 0
    listed, _ = on_terminal(width, lab.headgate_words("operations", "list", netns=False))
    assert max(map(len, listed)) <= width
    assert {"TIME", "BY", "MATCHED", "FLUSHED"} <= set(re.split(r"  +", listed[0].strip())) and "  an-engine" in listed[1]
    ended, _ = on_terminal(width, lab.headgate_words("log", netns=False))
    assert max(map(len, ended)) <= width
    assert {"TIME", "REASON", "BY"} <= set(re.split(r"  +", ended[0].strip())) and "  an-engine" in ended[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_use_the_room_that_a_wide_one_leaves(lab, width):
    lab.run(GATEWAY, "conntrack", "-I", "-p", "tcp", "-s", "10.0.1.9", "-d", "203.0.113.7", "--sport", "5001", "--dport", "443",
            "--state", "ESTABLISHED", "-t", "300", "-u", "SEEN_REPLY", "--src-nat", "198.51.100.1")
    lines, stderr = on_terminal(width, lab.headgate_words("capture", "-p", "tcp"))
    shown = re.split(r"  +", lines[0].strip())
    assert {"STATE", "AGE"} <= set(shown) and max(map(len, lines)) <= width
    assert ("TRANSLATED" in shown) == (width >= 100) and ("translated" in columns_left_out(stderr)) == (width < 100)


@pytest.mark.parametrize("width", WIDTHS)
def test_flows_and_their_outcomes_are_seen_at_every_width(lab, width):
    lab.fill(3)
    lines, stderr = on_terminal(width, lab.headgate_words("flush", "--all", "--dry-run"))
    assert max(map(len, lines)) <= width
    assert re.split(r"  +", lines[0].strip())[-1] == "OUTCOME" and lines[1].endswith("would be flushed")
    assert re.search(r"^headgate: operation [0-9a-f-]{36}$", stderr, re.MULTILINE)
    wide, stderr = on_terminal(width, lab.headgate_words("capture", "--all", "-o", "wide"))
    assert wide[0].endswith("ID") and columns_left_out(stderr) == []


def test_times_are_local_unless_told_otherwise(lab):
    lab.fill(1)
    operation = lab.headgate_json("capture", "--all")
    requested = datetime.datetime.fromisoformat(operation["requested_at"].replace("Z", "+00:00"))
    environment = os.environ | {"TZ": "Etc/GMT-5"}  # five hours east of Greenwich
    local = requested.astimezone(datetime.timezone(datetime.timedelta(hours=5))).strftime("%H:%M:%S")
    row = headgate(lab, "operations", "list", "-o", "table", env=environment).stdout.splitlines()[1]
    assert f"{local}  " in row
    row = headgate(lab, "operations", "list", "-o", "table", "--utc", env=environment).stdout.splitlines()[1]
    assert requested.strftime("%H:%M:%SZ") in row
    for words in (["-o", "wide"], ["--columns", "time"]):
        row = headgate(lab, "operations", "list", *words, env=environment).stdout.splitlines()[1]
        assert re.search(rf"\d\d\d\d-\d\d-\d\d {local} \+0500", row), "with date and zone, to be kept or passed on"
    assert headgate_json(lab, "operations", "list", "--utc")["operations"][0]["requested_at"] == operation["requested_at"]


def test_a_list_has_the_columns_the_order_and_the_form_that_are_asked_for(lab):
    lab.fill(4)
    words = ["capture", "-p", "udp"]
    assert lab.headgate(*words, "--count").stdout == "4\n"
    assert json.loads(lab.headgate(*words, "--count", "--json").stdout) == {"count": 4}
    bare = lab.headgate(*words, "--columns", "protocol,destination", "--no-header").stdout.splitlines()
    assert len(bare) == 4, "rows alone"
    assert all(len(line.split()) == 2 and line.startswith("udp") for line in bare)
    by_source = [flow["source_port"] for flow in lab.headgate_json(*words, "--sort", "source")["flows"]]
    assert by_source == sorted(by_source)
    assert [flow["source_port"] for flow in lab.headgate_json(*words, "--sort", "source:desc")["flows"]] == by_source[::-1]
    done = lab.headgate(*words, "-o", "csv", "--sort", "source")
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    flows = lab.headgate_json(*words, "--sort", "source")["flows"]
    assert [int(row["id"]) for row in rows] == [flow["id"] for flow in flows]
    assert rows[0]["timeout_seconds"].isdigit() and rows[0]["started_at"].endswith("Z"), "named as in JSON"
    chosen = lab.headgate(*words, "-o", "csv", "--columns", "source,timeout").stdout
    assert chosen.startswith("source,timeout\n"), "named as in the table"
    assert re.search(r"^headgate: operation [0-9a-f-]{36}$", done.stderr, re.MULTILINE) and " flows match" in done.stderr
    assert lab.headgate(*words, "--json").stderr == "", "JSON has both"
    counted = lab.headgate(*words, "--count")
    assert " flows match" in counted.stderr and "headgate: operation " in counted.stderr
    identity = re.search(r"operation ([0-9a-f-]{36})", counted.stderr).group(1)
    listed = headgate(lab, "operations", "list", "--columns", "id", "--no-header", "--limit", "1")
    assert listed.stdout == f"{identity}\n", "whole, for a program"


def test_a_wrong_column_ends_no_flow(lab):
    lab.fill(2)
    done = lab.headgate("flush", "--all", "--yes", "--columns", "source,outcom")
    assert done.returncode == USAGE and 'did you mean "outcome"?' in done.stderr
    assert len(lab.capture("--all")) == 2


def test_operations_are_listed_by_user_time_and_status(lab):
    lab.fill(1)
    alice = os.environ | {"SUDO_USER": "alice"}
    theirs = json.loads(lab.headgate("capture", "--all", "--json", env=alice).stdout)["operation_id"]
    ours = lab.headgate_json("capture", "--all")["operation_id"]

    def listed(*words):
        return [each["operation_id"] for each in headgate_json(lab, "operations", "list", *words)["operations"]]

    assert listed() == [ours, theirs]
    assert listed("--by", "alice") == [theirs]
    assert listed("--by", "nobody") == []
    assert listed("--since", "1h", "--status", "completed") == [ours, theirs]
    assert listed("--since", "2026-01-01T00:00:00Z", "--limit", "1") == [ours]
    assert listed("--since", "2199-01-01T00:00:00Z") == []
    assert listed("--status", "failed") == []
    for words in (["--since", "yesterday"], ["--status", "done"]):
        assert headgate(lab, "operations", "list", *words).returncode == USAGE


def test_the_first_characters_of_an_id_do(lab):
    lab.fill(3)
    captured = lab.headgate_json("capture", "-p", "udp")
    short = captured["operation_id"][:8]
    assert headgate_json(lab, "operations", "show", short)["operation_id"] == captured["operation_id"]
    assert headgate_json(lab, "operations", "results", short.upper()) == captured
    flushed = lab.headgate_json("flush", "--from-capture", short, "--yes")
    assert flushed["from_capture"] == captured["operation_id"] and flushed["counts"]["flushed"] == 3
    done = headgate(lab, "operations", "show", captured["operation_id"][:3])
    assert done.returncode == USAGE and "the first 4 or more characters" in done.stderr


def test_lists_and_services_select_flows(lab):
    lab.fill(6)
    chosen = lab.headgate_json("capture", "--sport", "1,3:4", "-p", "udp,tcp")
    assert sorted(flow["source_port"] for flow in chosen["flows"]) == [1, 3, 4]
    assert [each["source_port"] for each in chosen["filters"]] == ["1", "3:4"]
    named = lab.headgate("capture", "--dport", "https,domain", "--json")
    assert [each["destination_port"] for each in json.loads(named.stdout)["filters"]] == ["443", "53"]
    assert lab.headgate_json("capture", "--all", "--min-age", "5m", status=NOTHING)["minimum_age_seconds"] == 300


def test_the_wrong_place_does_not_look_like_nothing(lab):
    lab.configure("firewalls: [{name: edge, endpoints: [{availability_zone: a, netns: " + lab.name(GATEWAY) + "}]}]\n")
    done = headgate(lab, "capture", "--all", "-o", "table")
    assert done.returncode == NOTHING
    assert f"searched: firewall edge, availability zone a, network namespace {lab.name(GATEWAY)}; its flow table is " \
           "empty, and connection tracking may be off there" in done.stderr
    lab.fill(1)
    done = headgate(lab, "capture", "-d", "192.0.2.1")
    assert done.returncode == NOTHING
    assert f"searched: firewall edge, availability zone a, network namespace {lab.name(GATEWAY)}\n" in done.stderr


def test_an_agent_that_is_named_and_does_not_answer_is_an_error(lab):
    nowhere = str(lab.folder / "nowhere.sock")
    done = headgate(lab, "operations", "list", "--socket", nowhere)
    assert (done.returncode, done.stdout) == (CANNOT, "") and f"no agent answers at {nowhere}" in done.stderr
    done = headgate(lab, "operations", "list", env=os.environ | {"HEADGATE_SOCKET": nowhere})
    assert done.returncode == 0 and f"HEADGATE_SOCKET: no agent answers at {nowhere}" in done.stderr


def test_headgate_helps_itself():
    for words in (["help"], ["help", "operations", "list"], ["--version"]):
        done = subprocess.run([HEADGATE, *words], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout and done.stderr == ""
    done = subprocess.run([HEADGATE, "captrue", "--all"], capture_output=True, text=True)
    assert done.returncode == USAGE and 'did you mean "capture"?' in done.stderr
