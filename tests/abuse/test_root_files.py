# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's user owns its folders. Whatever that user puts there, root's commands access no more than it could."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import pytest

from lab import HEADGATE

USER = 65534  # nobody; any user except root


def headgate(*words, **environment):
    return subprocess.run([HEADGATE, *words], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"HEADGATE_SOCKET": "/nonexistent"} | environment)


@pytest.fixture
def theirs(root, tmp_path):
    """A state directory like the agent's, with a store."""
    for each in (tmp_path, *tmp_path.parents[:-2]):
        each.chmod(0o755)
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o750)
    assert headgate("operations", "list", "--state-dir", str(folder)).returncode == 0
    for each in (folder, *folder.iterdir()):
        os.chown(each, USER, USER)
    return folder


@pytest.fixture
def victim(tmp_path):
    folder = tmp_path / "roots"
    folder.mkdir()
    file = folder / "victim"
    file.write_text("no name of a journal\n")
    return file


def as_user(work):
    """Runs `work` in a child process as the agent's user."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        try:
            work()
        finally:
            os._exit(sys.exc_info()[0] is not None)
    assert os.waitpid(child, 0)[1] == 0


def hot_journal(super_journal):
    magic, name = bytes.fromhex("d9d505f920a163d7"), os.fsencode(super_journal)
    head = (magic + struct.pack(">5I", 0, 0, 1, 512, 4096)).ljust(512, b"\0")
    return head + struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name)) + magic


COMMANDS = [["operations", "list"], ["capture", "--all"], ["operations", "show", "00000000-0000-0000-0000-000000000000"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_journal_that_is_left_behind_makes_root_delete_nothing(theirs, victim, words):
    as_user(lambda: (theirs / "operations.db-journal").write_bytes(hot_journal(victim)))
    done = headgate(*words, "--state-dir", str(theirs))
    assert victim.exists(), done.stderr


@pytest.mark.parametrize("name", ["operations.db", "audit.log", "log/audit.log"])
def test_links_lead_roots_writes_nowhere(theirs, tmp_path, name):
    """The link is the last component of the path, or a component above it."""
    target = tmp_path / "roots"
    target.mkdir()

    def plant():
        (theirs / "operations.db").unlink()
        (theirs / "deep").symlink_to(target)
        path = theirs / name
        if path.parent == theirs:
            path.symlink_to(target / path.name)
        else:
            path.parent.symlink_to(target)

    as_user(plant)
    configuration = tmp_path / "headgate.yaml"
    configuration.write_text(f"state_dir: {theirs}\naudit_log: {theirs}/{name}\n")
    headgate("capture", "--all", "--config", str(configuration))
    headgate("capture", "--all", "--state-dir", str(theirs / "deep"))
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("way", ["cwd", "fd"])
def test_what_a_process_of_roots_has_open_is_no_way_to_where_the_user_cannot_go(theirs, tmp_path, way):
    """The kernel follows links in /proc by capability, regardless of the target's path (proc(5))."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    inner = private / "inner"
    inner.mkdir()
    inner.chmod(0o777)
    holder = subprocess.Popen(["sh", "-c", "exec 9<.; echo there; exec sleep 60"], cwd=inner, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"there\n"
        target = f"/proc/{holder.pid}/" + {"cwd": "cwd", "fd": "fd/9"}[way]
        as_user(lambda: (theirs / "logs").symlink_to(target))
        configuration = tmp_path / "headgate.yaml"
        configuration.write_text(f"state_dir: {theirs}\naudit_log: {theirs}/logs/audit.log\n")
        done = headgate("capture", "--all", "--config", str(configuration))
        assert list(inner.iterdir()) == [], done.stderr
    finally:
        holder.kill()
        holder.wait()


def test_what_root_makes_is_the_users(theirs, tmp_path):
    configuration = tmp_path / "headgate.yaml"
    configuration.write_text(f"state_dir: {theirs}\naudit_log: {theirs}/audit.log\n")
    assert headgate("capture", "--all", "--config", str(configuration)).returncode in (0, 3)
    owners = {each.name: each.stat().st_uid for each in theirs.iterdir()}
    assert set(owners.values()) == {USER}, owners
    assert len(json.loads((theirs / "audit.log").read_text().splitlines()[0])) > 3


@pytest.mark.parametrize("definition", [
    "CREATE VIEW operations AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS number FROM n",
    "CREATE TABLE operations (number, id, token, type, status, firewall, availability_zone, requested_at, document)",
])
def test_what_only_has_the_name_of_a_table_is_reported_as_damaged(theirs, definition):
    sqlite = shutil.which("sqlite3")
    statements = f"DROP TABLE operations; {definition};"
    subprocess.run([sqlite, str(theirs / "operations.db"), statements], check=True)
    done = headgate("operations", "list", "--state-dir", str(theirs))
    assert done.returncode == 1 and "not the tables that headgate makes" in done.stderr


def test_a_trigger_of_another_program_is_reported_as_damaged(theirs):
    subprocess.run(["sqlite3", str(theirs / "operations.db"),
                    "CREATE TRIGGER t AFTER INSERT ON operations BEGIN DELETE FROM operations; END"], check=True)
    done = headgate("capture", "--all", "--state-dir", str(theirs))
    assert done.returncode == 1 and "not the tables that headgate makes" in done.stderr


def test_names_in_the_store_are_no_orders_to_a_terminal(theirs):
    """A copied row has a firewall name that changes the terminal's colours and begins a new line."""
    made = headgate("capture", "--all", "--state-dir", str(theirs))
    assert made.returncode in (0, 3), made.stderr
    bad = "edge\x1b[31m\x9b31m\r\nfake  FLOW_FLUSH\u202e"
    connection = f"UPDATE operations SET firewall = {sql(bad)}, document = json_set(document, '$.caller', {sql(bad)});"
    subprocess.run(["sqlite3", str(theirs / "operations.db"), connection], check=True)
    listed = headgate("operations", "list", "--state-dir", str(theirs), "--output", "json")
    [operation] = json.loads(listed.stdout)["operations"]
    for words in (["list"], ["show", operation["operation_id"]], ["results", operation["operation_id"]]):
        for output in ("table", "json", "ndjson"):
            done = headgate("operations", *words, "--state-dir", str(theirs), "--output", output)
            said = done.stdout + done.stderr
            assert not any(c in said for c in "\x1b\x9b\r\u202e"), (words, output, said)
            assert "\nfake" not in said


def sql(text):
    return "CAST(x'" + text.encode().hex() + "' AS TEXT)"
