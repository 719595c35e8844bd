# SPDX-License-Identifier: GPL-2.0-or-later
"""`headgate agent`: serves its socket, maintains the policy, handles signals, and recovers after a kill."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import CLIENT, GATEWAY, HEADGATE, SERVER4, wait_until
from test_capture import conversation
from test_operations import audit, expect_nothing_lost_and_nothing_invented, ids

CANNOT, USAGE, REFUSED = 1, 2, 5

EDGE = """
firewalls:
  - name: edge
    endpoints: [{{availability_zone: a, netns: {gateway}}}]
"""


class Agent:
    def __init__(self, lab, **options):
        self.lab = lab
        self.log = lab.folder / "agent.log"
        self.log_began = self.log.stat().st_size if self.log.exists() else 0  # content written by an earlier agent
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([HEADGATE, "agent", "--config", str(lab.configuration)], stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def said(self):
        return self.log.read_bytes()[self.log_began:].decode()

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=90)


@pytest.fixture
def start_agent(lab):
    agents = []

    def start(configuration="", **options):
        lab.configure((EDGE + configuration).format(gateway=lab.name(GATEWAY)))
        agents.append(Agent(lab, **options))
        wait_until(lambda: "serves" in agents[-1].said() or agents[-1].process.poll() is not None, "the agent starts")
        return agents[-1]

    yield start
    for agent in agents:
        with contextlib.suppress(ProcessLookupError):
            agent.process.kill()
            agent.process.wait()


def headgate(lab, *words, **options):
    """Runs headgate as a client of the agent, with the configured endpoint."""
    return lab.headgate(*words, netns=False, **options)


def headgate_json(lab, *words, status=0):
    done = headgate(lab, *words, "--json")
    assert done.returncode == status, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def test_a_shell_is_offered_the_operations_that_the_agent_knows(lab, start_agent):
    agent = start_agent()
    lab.fill(1)
    captured = {headgate_json(lab, "capture", "--all")["operation_id"] for _ in range(2)}
    shell_asks = ["candidates", "3", "headgate", "operations", "show", ""]
    offered = headgate(lab, *shell_asks)
    assert offered.returncode == 0
    assert {line.split("\t")[0] for line in offered.stdout.splitlines()} == {"words"} | captured
    assert agent.stop() == 0
    assert headgate(lab, *shell_asks).stdout == "words\n", "nothing is opened for it"


def test_what_the_command_line_asks_the_agent_does(lab, start_agent):
    start_agent()
    conversation(lab, port=8080)
    lab.fill(3)
    captured = headgate_json(lab, "capture", "--protocol", "udp")
    assert captured["requested_by"]["face"] == "unix" and captured["requested_by"]["user"] == "root"
    assert len(captured["flows"]) == 3 and captured["firewall"] == "edge"
    assert headgate_json(lab, "operations", "results", captured["operation_id"]) == captured
    flushed = headgate_json(lab, "flush", "--from-capture", captured["operation_id"], "--yes")
    assert flushed["counts"]["flushed"] == 3 and {flow["outcome"] for flow in flushed["flows"]} == {"flushed"}
    assert [each["type"] for each in headgate_json(lab, "operations", "list")["operations"]] == ["FLOW_FLUSH", "FLOW_CAPTURE"]
    assert headgate_json(lab, "table")["in_use"] == lab.count() >= 1
    assert headgate_json(lab, "policy", "apply", "drop")["policy"] == "drop"
    assert headgate_json(lab, "policy", "status")["condition"] == "as_applied"
    assert headgate_json(lab, "policy", "remove")["policy"] == "none"
    assert headgate(lab, "operations", "list", "--output", "table").stdout.startswith("ID ")
    assert len({line["caller"]["face"] for line in audit(lab)}) == 1


def test_errors_are_the_same_as_without_an_agent(lab, start_agent):
    commands = (["capture", "--all", "--firewall", "core"], ["flush", "--all", "--yes", "--max-flows", "1"],
                ["flush", "--all"], ["operations", "show", "nothing"], ["policy", "apply", "nonsense"],
                ["flush", "--from-capture", "01234567-89ab-cdef-0123-456789abcdef", "--yes"],
                ["flush", "--all", "--yes", "--stream-exception-policy", "nonsense"], ["table", "--availability-zone", "x"])
    lab.fill(2)
    lab.configure(EDGE.format(gateway=lab.name(GATEWAY)))
    def outcome(words):
        done = headgate(lab, *words)
        return done.returncode, re.sub(r"\(operation [0-9a-f-]{36}\)", "(operation ID)", done.stderr), done.stdout

    without = [outcome(words) for words in commands]
    start_agent()
    for before, words in zip(without, commands):
        assert outcome(words) == before, words
    assert lab.count() == 2


def test_protected_flows_are_protected_through_the_agent_too(lab, start_agent):
    start_agent("protected: ['destination-port=8080']\n")
    conversation(lab, port=8080)
    conversation(lab, port=8081)
    environment = os.environ | {"SSH_CONNECTION": f"10.0.1.2 40081 {SERVER4} 8081"}
    result = json.loads(headgate(lab, "flush", "--protocol", "tcp", "--yes", "--json").stdout)
    assert result["counts"]["flushed"] == 1 and result["counts"]["protected"] == 1
    conversation(lab, port=22)
    lines = lab.conntrack("-p", "tcp", "--dport", "22")
    environment = os.environ | {"SSH_CONNECTION": f"10.0.1.2 {lines[0]['sport']} {SERVER4} 22"}
    done = headgate(lab, "flush", "--destination-port", "22", "--yes", "--json", env=environment)
    assert json.loads(done.stdout)["counts"]["protected"] == 1, "the session of who types, not of the agent"
    done = headgate(lab, "flush", "--protocol", "tcp", "--yes", "--include-protected", "--json", env=environment)
    assert json.loads(done.stdout)["counts"]["protected"] == 0
    assert audit(lab)[-1]["include_protected"]


def test_the_policy_in_force_after_a_reload_and_a_flush_can_be_traced_to_who_put_it_there(lab, start_agent):
    agent = start_agent()
    lab.fill(1)
    flushed = headgate_json(lab, "flush", "--all", "--yes", "--stream-exception-policy", "drop")
    assert flushed["policy_applied"]
    lab.configure((EDGE + "stream_exception_policy: reject\n").format(gateway=lab.name(GATEWAY)))
    agent.signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in agent.said(), "it is read again")
    changes = [line for line in audit(lab) if line["action"] == "policy_apply"]
    assert [(line["caller"]["face"], line["stream_exception_policy"]) for line in changes] == [("unix", "drop"), ("agent", "reject")]
    assert changes[0]["operation_id"] == flushed["operation_id"] and changes[0]["caller"]["user"] == "root"
    assert changes[1]["detail"] == "stream_exception_policy: policy drop was in force: now reject is"


def test_what_was_not_agreed_to_stands_in_the_agents_history(lab, start_agent):
    start_agent("protected: [source-port=2]\n")
    lab.fill(2)
    assert headgate(lab, "flush", "--all").returncode == REFUSED
    refused, dry_run = headgate_json(lab, "operations", "list")["operations"]
    assert refused["consent"] == "not_asked" and refused["refused"] and "--yes" in refused["detail"]
    assert refused["from_capture"] == dry_run["operation_id"] and refused["requested_by"]["face"] == "unix"
    assert refused["protected_by"] == [{"rule": "protected: source-port=2", "flows": 1}]
    assert [line["result"] for line in audit(lab)] == ["COMPLETED", "REFUSED"]
    assert lab.count() == 2


def test_an_operation_of_the_agent_keeps_the_command_line_out(lab, start_agent):
    start_agent()
    state = str(lab.folder / "state")
    for words in (["capture", "--all"], ["capture", "--all", "--state-dir", state]):  # the second bypasses the agent
        for _ in range(5):
            lab.fill_many(60_000)
            first = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--json", netns=False), stdout=subprocess.PIPE,
                                     text=True)
            wait_until(lambda: lab.count() < 60_000, "the flush begins")
            done = headgate(lab, *words)
            too_late = done.returncode != REFUSED and first.poll() is not None  # the flush may have ended
            assert json.loads(first.communicate()[0])["counts"]["flushed"] == 60_000
            if not too_late:
                break
        assert done.returncode == REFUSED and "is running on firewall edge in a" in done.stderr, done


def test_the_configured_policy_is_kept_in_force(lab, start_agent):
    agent = start_agent("stream_exception_policy: reject\n")
    status = headgate_json(lab, "policy", "status")
    assert (status["policy"], status["condition"]) == ("reject", "as_applied")
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    wait_until(lambda: headgate_json(lab, "policy", "status")["condition"] == "as_applied", "it is in force again")
    lab.run(GATEWAY, "nft", "add", "rule", "inet", "headgate", "forward_1", "accept")
    wait_until(lambda: "another process had changed" in agent.said() or agent.said().count("reject") >= 3, "the change is noticed")
    wait_until(lambda: headgate_json(lab, "policy", "status")["condition"] == "as_applied", "and mended")
    for words in (["policy", "remove"], ["policy", "apply", "drop"], ["flush", "--all", "--yes", "--stream-exception-policy", "drop"]):
        done = headgate(lab, *words)
        assert done.returncode == REFUSED and "policy reject is to be in force" in done.stderr, words
    assert agent.stop() == 0
    assert headgate_json(lab, "policy", "status")["policy"] == "reject", "the end of the agent changes no policy"
    kept = [line for line in audit(lab) if line["caller"]["face"] == "agent"]
    assert {(line["action"], line["stream_exception_policy"], line["firewall"], line["result"]) for line in kept} == {
        ("policy_apply", "reject", "edge", "COMPLETED")}
    assert kept[0]["detail"] == "stream_exception_policy: no policy was in force: now reject is"
    assert any("the table inet headgate was missing" in line["detail"] for line in kept)


def test_a_policy_that_none_leaves_alone_is_removed_by_removed(lab, start_agent):
    assert lab.headgate("policy", "apply", "drop").returncode == 0
    agent = start_agent("stream_exception_policy: none\n")
    assert headgate_json(lab, "policy", "status")["policy"] == "drop"
    assert headgate_json(lab, "policy", "apply", "reject")["policy"] == "reject"
    agent.stop()
    agent = start_agent("stream_exception_policy: removed\n")
    wait_until(lambda: "policy reject was in force and was removed" in agent.said(), "the agent says so")
    assert headgate_json(lab, "policy", "status")["policy"] == "none"
    changes = [(line["caller"]["face"], line["action"], line["stream_exception_policy"]) for line in audit(lab)]
    assert changes == [("cli", "policy_apply", "drop"), ("unix", "policy_apply", "reject"), ("agent", "policy_remove", "reject")]
    for words in (["policy", "apply", "drop"], ["flush", "--all", "--yes", "--stream-exception-policy", "drop"]):
        done = headgate(lab, *words)
        assert done.returncode == REFUSED and "no policy is to be in force here" in done.stderr, words
    assert headgate(lab, "policy", "remove").returncode == 0
    assert "drop" not in lab.run(GATEWAY, "nft", "list", "ruleset").stdout


def test_with_unusable_credentials_it_does_not_start_and_tells_every_fault(lab):
    credentials = lab.folder / "credentials.yaml"
    credentials.write_text("tokens: [{name: a, sha256: 12, role: viewer}]\n")
    credentials.chmod(0o600)
    lab.configure()
    further = lab.folder / "conf.d" / "http.yaml"
    further.parent.mkdir()
    further.write_text(f"""http:
  credentials: {credentials}
  listeners:
    - {{address: 127.0.0.1, port: 8443, tls: {{certificate: /nowhere/a.crt, key: /nowhere/a.key}}}}
""")
    done = headgate(lab, "agent", timeout=30)
    assert done.returncode == USAGE
    assert f"http.credentials: {credentials}:1: tokens: sha256: must be 64 hexadecimal digits" in done.stderr
    assert "http.listeners: tls: /nowhere/a.crt: No such file" in done.stderr
    assert not (lab.folder / "state").exists()


def test_sysctls_are_set_where_they_were_not(lab, start_agent):
    lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=0", "net.netfilter.nf_conntrack_timestamp=0",
            "net.netfilter.nf_conntrack_events=2")
    lab.fill(1)
    agent = start_agent()
    values = lab.run(GATEWAY, "sysctl", "-n", "net.netfilter.nf_conntrack_acct", "net.netfilter.nf_conntrack_timestamp",
                     "net.netfilter.nf_conntrack_events").stdout.split()
    assert values == ["1", "1", "1"]
    assert agent.said().count("is 1 now") == 3
    # The existing flow has no time stamp, but it is known to be older than the agent.
    time.sleep(2.1)
    assert len(headgate_json(lab, "capture", "--all", "--min-age", "2")["flows"]) == 1


def test_the_configuration_is_read_again_on_sighup(lab, start_agent):
    agent = start_agent()
    lab.fill(2)
    (lab.folder / "audit.log").write_text("")
    os.rename(lab.folder / "audit.log", lab.folder / "audit.log.1")
    lab.configure((EDGE + "protected: ['protocol=udp']\n").format(gateway=lab.name(GATEWAY)))
    agent.signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in agent.said(), "it is read again")
    assert headgate_json(lab, "flush", "--all", "--yes", status=3)["counts"]["protected"] == 2
    assert len(audit(lab)) == 1, "and the log opened anew"
    lab.configure("retention: soon\n")
    agent.signal(signal.SIGHUP)
    wait_until(lambda: "stays as it was" in agent.said(), "the error is told")
    assert "retention: \"soon\"" in agent.said()
    lab.configure(EDGE.format(gateway=lab.name(GATEWAY)))
    assert headgate_json(lab, "flush", "--all", "--yes", status=3)["counts"]["protected"] == 2, "and nothing else has changed"


def test_on_sigterm_what_is_running_comes_to_its_end(lab, start_agent):
    agent = start_agent()
    lab.fill_many(20_000)
    told = lab.folder / "told.json"
    with open(told, "w") as out:
        running = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--json", netns=False), stdout=out,
                                   stderr=subprocess.PIPE, text=True)
    wait_until(lambda: headgate_json(lab, "operations", "list")["operations"], "the flush begins")
    assert agent.stop() == 0
    _, err = running.communicate()
    assert running.returncode == 0, err
    assert len(json.loads(told.read_text())["flows"]) == 20_000, "who follows it hears the end"
    assert lab.count() == 0
    [operation] = headgate_json(lab, "operations", "list")["operations"]
    assert operation["status"] == "COMPLETED" and operation["counts"]["flushed"] == 20_000
    assert not (lab.folder / "headgate.sock").exists()


def test_an_agent_that_is_killed_in_a_flush_settles_it_when_it_starts_again(lab, start_agent):
    agent = start_agent()
    for _ in range(5):
        lab.fill_many(50_000)
        before = ids(lab)
        running = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--json", netns=False), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: lab.count() < 48_000, "the flush is under way")
        agent.process.kill()
        agent.process.wait()
        _, err = running.communicate()
        agent = start_agent()
        ended, left = expect_nothing_lost_and_nothing_invented(lab, before)
        if left > 0:  # on a busy machine the flush may have ended
            break
    assert running.returncode == CANNOT and "headgate operations show" in err, "the command line says what to do"
    assert ended > 2000 and left > 0
    assert headgate_json(lab, "flush", "--all", "--yes")["counts"]["flushed"] == left


def test_ctrl_c_at_the_command_line_reaches_the_agent(lab, start_agent):
    start_agent()
    lab.fill_many(60_000)
    running = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--json", netns=False), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_until(lambda: lab.count() < 55_000, "the flush is under way")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    counts = json.loads(out)["counts"]
    assert counts["flushed"] + counts["failed"] == 60_000 and counts["failed"] == lab.count()
    assert running.returncode == (4 if counts["failed"] else 0) and ("interrupted" in err) == bool(counts["failed"])


def test_systemd_is_notified_when_it_is_ready_and_that_it_lives(lab, start_agent):
    path = lab.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(10)
        agent = start_agent(env=os.environ | {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
        assert b"READY=1" in manager.recv(4096)
        assert manager.recv(4096) == b"WATCHDOG=1"
        agent.signal(signal.SIGHUP)
        said = [manager.recv(4096) for _ in range(6)]
        assert any(b"RELOADING=1" in each for each in said) and any(b"READY=1" in each for each in said)
        agent.signal(signal.SIGTERM)
        wait_until(lambda: manager.recv(4096).startswith(b"STOPPING=1\nEXTEND_TIMEOUT_USEC="), "it says that it stops")


def listen_for_agent(lab, path):
    """Socket activation, as by systemd: the agent starts with the first connection."""
    lab.configure(EDGE.format(gateway=lab.name(GATEWAY)))
    return subprocess.Popen(["systemd-socket-activate", "--listen", str(path), HEADGATE, "agent", "--config",
                             str(lab.configuration)], stderr=subprocess.PIPE, text=True)


def test_a_socket_that_systemd_opened_is_served_and_left_as_it_is(lab):
    path = lab.folder / "headgate.sock"
    activator = listen_for_agent(lab, path)
    try:
        wait_until(path.exists, "systemd listens")
        assert headgate_json(lab, "operations", "list")["operations"] == [], "who comes first waits for the agent"
        activator.terminate()  # the process is the agent by now
        _, said = activator.communicate()
        assert activator.returncode == 0 and f"serves {path}" in said
        assert path.exists()
    finally:
        activator.kill()


def test_a_socket_that_systemd_opened_elsewhere_is_not_served(lab):
    other = lab.folder / "other.sock"
    activator = listen_for_agent(lab, other)
    try:
        wait_until(other.exists, "systemd listens")
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(other))
            wait_until((lab.folder / "headgate.sock").exists, "the agent serves its own")
        activator.terminate()
        assert f"{other} is not served" in activator.communicate()[1]
    finally:
        activator.kill()


@pytest.mark.parametrize("wrong, says", [
    ("retention: soon\n", "retention"),
    ("firewalls: []\nfirewall: 5\n", "firewall"),
])
def test_with_a_wrong_configuration_it_does_not_start(lab, wrong, says):
    lab.configure(wrong)
    done = headgate(lab, "agent", timeout=30)
    assert done.returncode == USAGE and f"headgate.yaml:" in done.stderr and says in done.stderr
    assert not (lab.folder / "state").exists()


def test_a_second_agent_is_refused(lab, start_agent):
    start_agent()
    done = headgate(lab, "agent", timeout=30)
    assert done.returncode == REFUSED and "already running" in done.stderr
    assert headgate(lab, "operations", "list").returncode == 0, "the first one serves on"


def test_a_damaged_store_keeps_it_from_starting(lab):
    (lab.folder / "state").mkdir()
    (lab.folder / "state" / "operations.db").write_bytes(b"x" * 10_000)
    done = headgate(lab, "agent", timeout=30)
    assert done.returncode == CANNOT and "damaged" in done.stderr
    assert (lab.folder / "state" / "operations.db").read_bytes() == b"x" * 10_000


def test_others_than_root_and_the_group_are_refused(lab, start_agent):
    start_agent()
    lab.fill(1)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           *lab.headgate_words("flush", "--all", "--yes", netns=False)], capture_output=True, text=True)
    assert done.returncode == REFUSED and "root and members of the group headgate" in done.stderr
    assert lab.count() == 1


def test_an_endpoint_whose_namespace_is_missing_does_not_stop_the_others(lab, start_agent):
    agent = start_agent("""  - name: other
    endpoints: [{{availability_zone: a, netns: nowhere}}]
""")
    assert "/run/netns/nowhere: No such file or directory" in agent.said()
    assert headgate(lab, "capture", "--all", "--firewall", "edge").returncode == 3
    done = headgate(lab, "capture", "--all", "--firewall", "other")
    assert done.returncode == CANNOT and "nowhere" in done.stderr


def remake_gateway_namespace(lab):
    """Replaces the namespace by an empty one of the same name."""
    lab.run(GATEWAY, "ip", "link", "del", "client")
    lab.run(GATEWAY, "ip", "link", "del", "server")
    subprocess.run(["ip", "netns", "del", lab.name(GATEWAY)], check=True)
    subprocess.run(["ip", "netns", "add", lab.name(GATEWAY)], check=True)


def test_a_namespace_that_is_made_anew_is_guarded_like_the_first(lab, start_agent):
    start_agent("stream_exception_policy: reject\n")
    remake_gateway_namespace(lab)
    wait_until(lambda: headgate_json(lab, "policy", "status")["condition"] == "as_applied", "the policy is in force again")
    assert lab.run(GATEWAY, "sysctl", "-n", "net.netfilter.nf_conntrack_timestamp").stdout.strip() == "1"


def test_flows_without_time_stamps_are_not_called_old_when_that_is_not_known(lab, start_agent):
    start_agent()
    time.sleep(2)
    lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=0")
    lab.fill(3)
    for _ in range(2):
        captured = headgate_json(lab, "capture", "--all", "--min-age", "1", status=3)
        assert captured["counts"]["age_unknown"] == 3
        lab.run(GATEWAY, "sysctl", "-qw", "net.netfilter.nf_conntrack_timestamp=1")  # existing flows stay without


def test_a_changed_policy_file_is_kept_as_it_is_now(lab, start_agent):
    folder = pathlib.Path("/etc/headgate/policies")
    name = lab.tag
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    try:
        file.write_text("stream_exception_policy: drop\npriority: -190\n")
        agent = start_agent(f"stream_exception_policy: {name}\n")
        assert headgate_json(lab, "policy", "status")["priority"] == -190
        file.write_text("stream_exception_policy: drop\npriority: -180\n")
        assert headgate_json(lab, "policy", "apply", name)["priority"] == -180
        time.sleep(1.5)
        assert headgate_json(lab, "policy", "status")["priority"] == -180
        file.write_text("stream_exception_policy: explode\n")
        agent.signal(signal.SIGHUP)
        wait_until(lambda: "stays as it was" in agent.said(), "the policy that cannot be read is told")
        lab.run(GATEWAY, "nft", "flush", "ruleset")
        wait_until(lambda: headgate_json(lab, "policy", "status")["priority"] == -180, "the one that could be read is kept")
    finally:
        file.unlink()


def test_a_slow_reader_gets_everything(lab, start_agent):
    start_agent()
    lab.fill_many(20_000)
    line = lab.headgate_line("capture", "--all", "--output", "ndjson", netns=False)
    done = subprocess.run(f"{line} | (sleep 2; wc -l)", shell=True, capture_output=True, text=True)
    assert int(done.stdout) == 20_001, done.stderr


def test_the_bytes_are_the_same_with_the_agent_and_without(lab, start_agent):
    agent = start_agent("protected: ['source-port=7']\n")
    conversation(lab, port=8080)
    lab.fill(300)
    lab.run(GATEWAY, "conntrack", "-U", "-p", "udp", "-s", "10.9.0.1", "--sport", "9", "--mark", "5")
    captured = headgate_json(lab, "capture", "--all")["operation_id"]
    flushed = headgate_json(lab, "flush", "--from-capture", captured, "--yes")["operation_id"]

    def results():
        return {(identity, form): headgate(lab, "operations", "results", identity, "--output", form).stdout
                for identity in (captured, flushed) for form in ("json", "ndjson", "table", "wide", "csv")}

    def asked(identity, form):
        return subprocess.run(["curl", "-sS", "--unix-socket", lab.folder / "headgate.sock", "-H", f"Accept: {form}",
                               f"http://agent/v1/operations/{identity}/results"], check=True, capture_output=True, text=True).stdout

    through_agent = results()
    for identity in (captured, flushed):
        lines = through_agent[identity, "ndjson"].splitlines(keepends=True)
        assert len(lines) > 300 and asked(identity, "application/x-ndjson") == "".join(lines[:-1])
        assert asked(identity, "application/json") == through_agent[identity, "json"]
        assert asked(identity, "text/csv").splitlines() == through_agent[identity, "csv"].splitlines()
    assert agent.stop() == 0
    assert results() == through_agent


def resident_kib(pid, which="VmRSS"):
    return int(re.search(rf"{which}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def test_flows_that_wait_for_a_reader_take_no_memory(lab, start_agent):
    agent = start_agent()
    lab.fill_many(60_000)
    assert headgate(lab, "capture", "--source-port", "1").returncode == 0
    before = resident_kib(agent.process.pid, "VmHWM")
    with subprocess.Popen(lab.headgate_words("capture", "--all", "--output", "ndjson", netns=False), stdout=subprocess.PIPE,
                          text=True) as command:
        command.stdout.readline()
        wait_until(lambda: headgate_json(lab, "operations", "list")["operations"][0]["status"] == "COMPLETED", "all are found")
        time.sleep(0.5)
        ours, agents = resident_kib(command.pid, "VmHWM"), resident_kib(agent.process.pid, "VmHWM") - before
        assert sum(1 for _ in command.stdout) == 60_000
    if b"__asan_init" not in pathlib.Path(HEADGATE).read_bytes():
        assert ours <= 24 * 1024 and agents <= 8 * 1024, "all of them take 14 MiB as values, and 20 MiB as text"


def switches(pid):
    return sum(int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())[1])
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


@pytest.mark.long
def test_at_rest_it_does_nothing(lab, start_agent):
    agent = start_agent("stream_exception_policy: reject\n")
    lab.fill_many(20_000)
    headgate(lab, "flush", "--all", "--yes")
    time.sleep(6.5)  # by then the agent has released its memory

    def sleeps():
        before = switches(agent.process.pid)
        time.sleep(1.5)
        return switches(agent.process.pid) == before

    # Namespaces that other tests create meanwhile wake it up, as intended.
    wait_until(sleeps, "a while without anything to do", seconds=60)
    if b"__asan_init" not in pathlib.Path(HEADGATE).read_bytes():
        assert resident_kib(agent.process.pid) <= 16 * 1024


def begin_agent(lab, listening):
    """Starts the agent with a listening socket passed by its parent, as systemd does."""
    with open(lab.folder / "agent.log", "a") as log:
        return subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&0 </dev/null', HEADGATE, "agent",
                                 "--config", str(lab.configuration)], stdin=listening, stderr=log)


def test_clients_that_ask_while_the_agent_restarts_are_answered_or_advised_to_ask_again(lab):
    lab.configure(EDGE.format(gateway=lab.name(GATEWAY)))
    lab.fill(3)
    answers, enough = [], threading.Event()

    def ask(*words):
        while not enough.is_set():
            answers.append(headgate(lab, *words, "--json"))

    with socket.socket(socket.AF_UNIX) as listening, concurrent.futures.ThreadPoolExecutor() as pool:
        listening.bind(str(lab.folder / "headgate.sock"))
        listening.listen(64)
        asking = [pool.submit(ask, "capture", "--all"), pool.submit(ask, "operations", "list")]
        agents = []
        try:
            for _ in range(4):
                agents.append(begin_agent(lab, listening))
                before = len(answers)
                wait_until(lambda: len(answers) > before + 2, "it answers", 60)
                agents[-1].terminate()
                assert agents[-1].wait(timeout=90) == 0
            agents.append(begin_agent(lab, listening))
        finally:
            enough.set()
            concurrent.futures.wait(asking, timeout=60)
            agents[-1].terminate()
            agents[-1].wait(timeout=90)
    told = {(answer.returncode, answer.stderr.strip()) for answer in answers if answer.returncode != 0}
    assert all(status == REFUSED and "is stopping" in said for status, said in told), told
    started = [json.loads(answer.stdout)["operation_id"] for answer in answers if answer.stdout.startswith('{"operation_id')]
    kept = [operation["operation_id"] for operation in headgate_json(lab, "operations", "list")["operations"]]
    assert sorted(kept) == sorted(started), "nothing was started twice"
