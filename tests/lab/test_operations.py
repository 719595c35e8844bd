# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures and flushes as operations: stored, found, refused while another runs, recovered after a kill, audited."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from lab import GATEWAY, SERVER4, wait_until
from test_capture import conversation

CANNOT, USAGE, REFUSED = 1, 2, 5


def audit(lab):
    return [json.loads(line) for line in (lab.folder / "audit.log").read_text().splitlines()]


def ids(lab):
    """Ids with ports: among that many flows, two may have the same id."""
    return [(flow["ct_id"], flow["src"], int(flow["sport"])) for flow in lab.conntrack()]


def headgate(lab, *words, **options):
    """Runs a command that has no endpoint."""
    return lab.headgate(*words, netns=False, **options)


def headgate_json(lab, *words):
    done = headgate(lab, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_was_captured_can_be_looked_up_again(lab):
    lab.fill(5)
    captured = lab.headgate_json("capture", "--source-port", "1:3", "--protocol", "udp")
    again = headgate_json(lab, "operations", "results", captured["operation_id"])
    assert again == captured
    shown = headgate_json(lab, "operations", "show", captured["operation_id"])
    assert shown == {key: value for key, value in captured.items() if key != "flows"}
    rows = headgate(lab, "operations", "results", captured["operation_id"], "--output", "ndjson").stdout.splitlines()
    assert [json.loads(row)["id"] for row in rows[:-1]] == [flow["id"] for flow in captured["flows"]]
    assert json.loads(rows[-1]) == shown


def test_operations_are_listed_newest_first_and_by_type(lab):
    lab.fill(2)
    first = lab.headgate_json("capture", "--all")["operation_id"]
    second = lab.headgate_json("flush", "--all", "--yes")["operation_id"]
    listed = headgate_json(lab, "operations", "list")["operations"]
    assert [each["operation_id"] for each in listed] == [second, first]
    assert "flows" not in listed[0] and listed[0]["counts"]["flushed"] == 2
    assert [each["operation_id"] for each in headgate_json(lab, "operations", "list", "--type", "capture")["operations"]] == [first]
    assert len(headgate_json(lab, "operations", "list", "--limit", "1")["operations"]) == 1
    table = headgate(lab, "operations", "list", "--output", "table").stdout
    assert table.splitlines()[0].split()[:3] == ["ID", "TYPE", "STATUS"] and first[:8] in table


def test_the_outcomes_of_a_flush_can_be_printed_again(lab):
    lab.fill(3)
    flushed = lab.headgate_json("flush", "--all", "--yes")
    again = headgate_json(lab, "operations", "results", flushed["operation_id"])
    assert again == flushed and {flow["outcome"] for flow in again["flows"]} == {"flushed"}


def test_exactly_the_flows_of_a_capture_are_flushed_by_its_id(lab):
    lab.fill(5)
    captured = lab.headgate_json("capture", "--source-port", "1:3", "--protocol", "udp")
    lab.run(GATEWAY, "conntrack", "-D", "-p", "udp", "--sport", "1")
    lab.fill(6)  # new flows, one of which has the tuple of a captured flow
    flushed = lab.headgate_json("flush", "--from-capture", captured["operation_id"], "--yes")
    assert flushed["counts"]["flushed"] == 2 and flushed["counts"]["gone"] == 1
    assert flushed["filters"] == captured["filters"] and flushed["from_capture"] == captured["operation_id"]
    assert len(ids(lab)) == 4
    done = lab.headgate("flush", "--from-capture", flushed["operation_id"], "--yes")
    assert done.returncode == REFUSED and "is a flush itself" in done.stderr
    done = lab.headgate("flush", "--from-capture", "01234567-89ab-cdef-0123-456789abcdef", "--yes")
    assert done.returncode == USAGE and "does not exist, or was removed" in done.stderr


def test_what_is_not_there_is_an_error(lab):
    for words in (["show", "nothing"], ["results", "nothing"], ["list", "--type", "drain"], ["list", "--limit", "few"]):
        done = headgate(lab, "operations", *words)
        assert done.returncode == USAGE and done.stdout == "" and len(done.stderr.splitlines()) == 1


def test_every_request_leaves_a_line_of_audit(lab):
    lab.fill(3)
    environment = os.environ | {"SUDO_USER": "alice"}
    captured = json.loads(lab.headgate("capture", "--all", "--json", env=environment).stdout)
    lab.headgate("flush", "--all", "--dry-run")
    lab.headgate("flush", "--all", "--yes", "--max-flows", "1")
    lab.headgate("flush", "--all", "--yes", "--include-protected")
    lab.headgate("flush", "--from-capture", "01234567-89ab-cdef-0123-456789abcdef", "--yes")
    lab.headgate("policy", "apply", "drop")
    lines = audit(lab)
    assert [line["action"] for line in lines] == ["capture", "flush", "flush", "flush", "flush", "policy_apply"]
    assert [line["result"] for line in lines] == ["COMPLETED", "COMPLETED", "REFUSED", "COMPLETED", "REFUSED", "COMPLETED"]
    first = lines[0]
    assert first["operation_id"] == captured["operation_id"] and first["counts"] == captured["counts"]
    assert first["caller"] == {"face": "cli", "uid": 0, "user": "root", "sudo_user": "alice"}
    assert lines[1]["dry_run"] and not lines[3]["dry_run"] and lines[3]["include_protected"]
    assert lines[5]["stream_exception_policy"] == "drop"


def big_flush(lab):
    return subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--json"), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def running(lab):
    """Reads the database without headgate, which would recover interrupted operations."""
    if not (lab.folder / "state" / "operations.db").exists():
        return []
    with sqlite3.connect(f"file:{lab.folder}/state/operations.db?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute("SELECT id FROM operations WHERE status = 'IN_PROGRESS'")]


def begun(lab, process):
    """Waits for the operation of the process, without a pause, in which it could end."""
    while process.poll() is None:
        if found := running(lab):
            return found
    return []


def test_a_second_operation_is_refused_with_the_id_of_the_running_one(lab):
    lab.fill_many(40_000)
    first = big_flush(lab)
    [running_id] = wait_until(lambda: running(lab), "the flush begins")
    done = lab.headgate("capture", "--all")
    assert done.returncode == REFUSED and f"operation {running_id} is running" in done.stderr
    assert first.wait() == 0
    assert lab.headgate("capture", "--all").returncode == 3
    assert [line["result"] for line in audit(lab)][-3:-1] == ["REFUSED", "COMPLETED"]


def expect_nothing_lost_and_nothing_invented(lab, before):
    """Compares the journal with conntrack(8), after the next start has recovered the operation."""
    left = set(ids(lab))
    [newest, *_] = headgate_json(lab, "operations", "list", "--type", "flush")["operations"]
    result = headgate_json(lab, "operations", "results", newest["operation_id"])
    outcomes = {(flow["id"], flow["source"], flow["source_port"]): flow["outcome"] for flow in result["flows"]}
    counts = newest["counts"]
    assert newest["status"] in ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED")
    assert set(outcomes) <= set(before)
    gone = {flow for flow, outcome in outcomes.items() if outcome in ("flushed", "gone")}
    assert gone == set(before) - left, "what is not there any more is told, and nothing else"
    assert {flow for flow, outcome in outcomes.items() if outcome == "failed"} <= left
    assert counts["flushed"] + counts["gone"] == len(gone)
    if gone:
        assert counts["failed"] == len(left), "what was left alone is counted"
    if gone and left:
        assert newest["status"] == "COMPLETED_WITH_ERRORS" and "cut short" in newest["detail"]
    return len(gone), len(left)


@pytest.mark.long
@pytest.mark.parametrize("policy, configuration", [(None, ""), ("reject", ""), (None, "fast_flush: true\n")],
                         ids=["without a policy", "reject", "fast flush"])
def test_killed_at_any_moment_it_loses_and_invents_nothing(lab, policy, configuration):
    lab.configure(configuration)
    if policy:
        lab.apply(policy)
    chance = random.Random(20261121)
    cut = 0
    for number in range(12):
        lab.run(GATEWAY, "conntrack", "-F")
        lab.fill_many(15_000)
        before = ids(lab)
        process = big_flush(lab)
        if number % 2:  # on any machine, some must be killed while they end flows
            wait_until(lambda: lab.count() < 15_000 or process.poll() is not None, "the flush ends its first flows")
            time.sleep(chance.uniform(0, 0.03))
        else:
            time.sleep(chance.uniform(0, 0.35))
        process.kill()
        process.wait()
        if not running(lab) and len(ids(lab)) == len(before):
            continue  # killed before the operation began
        ended, left = expect_nothing_lost_and_nothing_invented(lab, before)
        cut += ended != 0 and left != 0
        if policy:
            remembered = lab.headgate_json("policy", "status")["remembered_flows"]
            assert remembered <= 15_000 * 12 and remembered >= ended
        assert lab.headgate("capture", "--all").returncode in (0, 3), "the next operation works"
    assert cut >= 2, "hardly one was killed in the middle"


@pytest.mark.long
def test_a_flush_of_many_flows_that_is_killed_loses_and_invents_nothing(lab):
    lab.fill_many(100_000)
    before = ids(lab)
    process = big_flush(lab)
    wait_until(lambda: len(before) - lab.count() > 20_000, "the flush is under way")
    process.kill()
    process.wait()
    ended, left = expect_nothing_lost_and_nothing_invented(lab, before)
    assert ended > 20_000 and left > 0
    assert lab.headgate_json("flush", "--all", "--yes")["counts"]["flushed"] == left


def test_a_capture_that_is_killed_has_failed(lab):
    lab.fill_many(60_000)
    process = subprocess.Popen(lab.headgate_words("capture", "--all", "--json", "--no-fast-scan"), stdout=subprocess.DEVNULL)
    [cut] = begun(lab, process)
    process.kill()
    process.wait()
    shown = headgate_json(lab, "operations", "show", cut)
    assert (shown["status"], shown["status_message"]) == ("FAILED", "Flow operation error")
    assert "cut short" in shown["detail"]
    assert audit(lab)[-1]["operation_id"] == cut and audit(lab)[-1]["result"] == "FAILED"


def test_an_interrupted_capture_has_failed_at_once(lab):
    lab.fill_many(60_000)
    for _ in range(10):
        process = subprocess.Popen(lab.headgate_words("capture", "--all", "--json", "--no-fast-scan"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        begun(lab, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        if process.returncode != 0:  # otherwise it was complete before the signal
            break
    assert process.returncode == CANNOT
    assert b"interrupted" in err


def make_newer(file):
    database = sqlite3.connect(file)
    database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize("damage, says", [
    (lambda file: file.write_bytes(b"not a database" * 1000), "damaged"),
    (lambda file: file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192), "damaged"),
    (lambda file: file.write_bytes(b""), "not a database of headgate"),
    (make_newer, "has version 99"),
])
def test_a_store_that_is_damaged_or_newer_is_refused_and_left_as_it_is(lab, damage, says):
    lab.fill(1)
    assert lab.headgate("capture", "--all").returncode == 0
    store = lab.folder / "state" / "operations.db"
    damage(store)
    before = store.read_bytes()
    for words in (["capture", "--all"], ["flush", "--all", "--yes"]):
        done = lab.headgate(*words)
        assert done.returncode == CANNOT and says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert headgate(lab, "operations", "list").returncode == CANNOT
    assert store.read_bytes() == before and len(ids(lab)) == 1
    assert lab.headgate("table").returncode == 0, "what needs no store works on"


def test_on_a_full_disk_a_flush_fails_before_its_first_delete(lab):
    state = lab.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(state)], check=True)
    try:
        lab.fill_many(20_000)
        done = lab.headgate("flush", "--all", "--yes")
        assert done.returncode == CANNOT and "no space left on the disk" in done.stderr, done.stderr
        assert lab.count() == 20_000
    finally:
        subprocess.run(["umount", "-l", str(state)], check=True)


def test_in_a_read_only_state_directory_nothing_is_begun(lab):
    state = lab.folder / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(state)], check=True)
    try:
        lab.fill(1)
        done = lab.headgate("flush", "--all", "--yes")
        assert done.returncode == CANNOT and "Read-only file system" in done.stderr
        assert len(ids(lab)) == 1
    finally:
        subprocess.run(["umount", "-l", str(state)], check=True)


def test_two_processes_at_once_work_on_two_endpoints(lab):
    lab.configure(f"""firewalls:
  - name: edge
    endpoints:
      - {{availability_zone: a, netns: {lab.name(GATEWAY)}, conntrack_zone: 0}}
      - {{availability_zone: b, netns: {lab.name(GATEWAY)}, conntrack_zone: 5}}
""")
    lab.fill_many(20_000)
    both = [subprocess.Popen(lab.headgate_words("capture", "--all", "--availability-zone", zone, "--json", netns=False),
                             stdout=subprocess.PIPE, text=True) for zone in ("a", "b")]
    results = [json.loads(process.communicate()[0]) for process in both]
    assert [result["counts"]["matched"] for result in results] == [20_000, 0]
    assert len(headgate_json(lab, "operations", "list")["operations"]) == 2


def test_what_the_configuration_protects_no_capture_takes_down(lab):
    conversation(lab, port=8080)
    lab.configure(f"protected: ['destination={SERVER4},destination-port=8080']")
    captured = lab.headgate_json("capture", "--all")
    flushed = lab.headgate_json("flush", "--from-capture", captured["operation_id"], "--yes", status=3)
    assert flushed["counts"]["protected"] == 1 and flushed["counts"]["flushed"] == 0
