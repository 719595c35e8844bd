# SPDX-License-Identifier: GPL-2.0-or-later
"""The deb on a gateway that carries traffic: installed by apt, used by permitted users, kept running by systemd.

The tests form a sequence: each continues with the state that the previous one left.
"""

import json
import re

from gateway_facts import (MEMBER, STRANGER, add_users, agent, configure, drop_in, flow_record, headgate, install, is_active,
                           lines, readiness, rules)
from lab import GATEWAY, SERVER4, SERVER6, wait_until
from traffic import RESET, Conversation

CANNOT, REFUSED = 1, 5
NET_ADMIN = 1 << 12


def listening(gateway):
    """All listening TCP and UDP sockets, of any process."""
    return gateway.do("ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric")


def test_installing_starts_the_agent_and_the_traffic_goes_on(gateway):
    before = rules(gateway), listening(gateway)
    with Conversation(gateway.lab, SERVER4) as talk:
        install(gateway)
        assert talk.loses_nothing()
        assert is_active(gateway) and is_active(gateway, "headgate.socket")
        assert (rules(gateway), listening(gateway)) == before
        assert headgate(gateway, "policy", "status")["policy"] == "none"
        [flow] = headgate(gateway, "capture", "--source-port", str(talk.port), "--dport", "http-alt,https")["flows"]
        assert flow["state"] == "ESTABLISHED"  # the names of services are known on a minimal machine, too
    for unit in ("headgate.service", "headgate.socket"):
        assert gateway.shows(unit, "UnitFileState") == "enabled"
    assert gateway.do("systemctl", "--failed", "--no-legend") == ""


def test_the_kernel_records_what_is_needed_and_the_agent_is_ready(gateway):
    for name in ("timestamp", "acct", "events"):
        assert gateway.do("cat", f"/proc/sys/net/netfilter/nf_conntrack_{name}") == "1\n"
    status, text = readiness(gateway)
    assert status == 200, text


def test_the_agent_has_one_capability_in_a_strict_sandbox(gateway):
    facts = dict(re.findall(r"^(\w+):\t(.*)$", gateway.do("cat", f"/proc/{agent(gateway)}/status"), re.M))
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {NET_ADMIN}
    assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2"
    user = gateway.do("id", "--user", "headgate").strip()
    assert facts["Uid"].split() == [user] * 4 and user != "0"
    told = gateway.do("systemd-analyze", "security", "--no-pager", "headgate.service")
    assert float(re.search(r"exposure level for headgate.service: ([0-9.]+)", told)[1]) <= 1.7, told


def test_systemd_knows_every_word_of_the_units(gateway):
    # A minimal root has no manual pages: dpkg excludes them.
    verified = gateway.run("systemd-analyze", "verify", "--man=no", "headgate.service", "headgate.socket")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_root_and_members_of_the_group_capture_and_flush_and_others_do_not(gateway):
    add_users(gateway)
    for user in (None, MEMBER):
        for address in (SERVER4, SERVER6):
            with Conversation(gateway.lab, address) as talk:
                that = ["--source-port", str(talk.port)]
                assert gateway.run("headgate", "flush", *that, "--yes", user=STRANGER).returncode == REFUSED
                [flow] = headgate(gateway, "capture", *that, user=user)["flows"]
                assert (flow["source_port"], flow["destination"]) == (talk.port, address)
                flushed = headgate(gateway, "flush", *that, "--yes", user=user)
                assert flushed["counts"]["flushed"] == 1
                assert not gateway.lab.conntrack("-p", "tcp", "--sport", str(talk.port))
                assert flow_record(gateway, talk.port)["headgate"]["operation_id"] == flushed["operation_id"]
                caller = lines(gateway, "audit.log")[-1]["caller"]
                assert (caller["face"], caller["user"]) == ("unix", user or "root")


def test_a_policy_is_in_force_in_the_firewall_and_stays_over_a_restart(gateway):
    headgate(gateway, "policy", "apply", "reject", user=MEMBER)
    with Conversation(gateway.lab, SERVER4) as talk:
        headgate(gateway, "flush", "--source-port", str(talk.port), "--yes", user=MEMBER)
        gateway.do("systemctl", "restart", "headgate")
        status = headgate(gateway, "policy", "status")
        assert (status["policy"], status["condition"]) == ("reject", "as_applied")
        talk.client.send()
        talk.see(client=RESET)
    headgate(gateway, "policy", "remove", user=MEMBER)
    assert "headgate" not in rules(gateway, "tables")


def test_what_root_does_without_the_agent_is_no_obstacle_to_it(gateway):
    """Without the agent, the command itself runs the operation; the agent's user owns files that root creates then."""
    gateway.do("systemctl", "stop", "headgate.socket", "headgate.service")
    gateway.do("sh", "-c", "rm -rf /var/lib/headgate/* /var/log/headgate/*")
    gateway.lab.fill(2)
    headgate(gateway, "policy", "apply", "drop", "--netns", "/proc/1/ns/net")
    assert headgate(gateway, "flush", "--source-port", "1", "--yes", "--netns", "/proc/1/ns/net")["counts"]["flushed"] == 1
    assert headgate(gateway, "capture", "--all")["requested_by"]["face"] == "cli"
    gateway.do("systemctl", "start", "headgate.socket")
    assert headgate(gateway, "flush", "--source-port", "2", "--yes")["requested_by"]["face"] == "unix"
    assert len(headgate(gateway, "operations", "list")["operations"]) == 3
    headgate(gateway, "policy", "remove")
    assert flow_record(gateway, 1) and flow_record(gateway, 2)
    owners = gateway.do("sh", "-c", "stat -c %U /var/lib/headgate/* /var/log/headgate/* /run/headgate/*").split()
    assert set(owners) == {"headgate"}, owners


def test_who_asks_while_the_agent_restarts_waits_a_moment(gateway):
    gateway.lab.fill(1)
    gateway.do("systemctl", "stop", "headgate.service")
    assert not is_active(gateway)
    assert headgate(gateway, "capture", "--all", user=MEMBER)["counts"]["matched"] == 1
    assert is_active(gateway)


def set_for_a_while(gateway, setting):
    folder = "/run/systemd/system/headgate.service.d"
    gateway.do("mkdir", "-p", folder)
    gateway.file(f"{folder}/test.conf").write_text(f"[Service]\n{setting}\n")
    gateway.do("systemctl", "daemon-reload")


def test_a_restart_does_not_cut_a_running_flush(gateway):
    set_for_a_while(gateway, "TimeoutStopSec=1s")  # the agent extends it by EXTEND_TIMEOUT_USEC
    gateway.lab.fill_many(60_000)
    running = gateway.start("sh", "-c", "headgate flush --source 10.9.0.0/16 --yes --output ndjson >/run/flushed")
    wait_until(lambda: gateway.lab.count() < 55_000, "the flush is under way")
    gateway.do("systemctl", "restart", "headgate")
    _, err = running.communicate()
    assert running.returncode == 0, err
    assert json.loads(gateway.do("tail", "-n", "1", "/run/flushed"))["counts"]["flushed"] >= 60_000


def test_an_agent_that_hangs_is_ended_by_the_watchdog_and_another_one_serves(gateway):
    set_for_a_while(gateway, "WatchdogSec=1s")
    gateway.do("systemctl", "restart", "headgate")
    first = agent(gateway)
    gateway.do("systemctl", "kill", "--signal=STOP", "--kill-who=main", "headgate")
    wait_until(lambda: agent(gateway) not in (0, first) and is_active(gateway), "another one serves")
    assert "Watchdog timeout" in gateway.log() and gateway.shows("headgate.service", "NRestarts") == "1"
    assert headgate(gateway, "operations", "list", user=MEMBER)["operations"]
    gateway.do("rm", "-r", "/run/systemd/system/headgate.service.d")
    gateway.do("systemctl", "daemon-reload")


def test_a_reload_with_a_bad_configuration_fails_and_changes_nothing(gateway):
    serving = agent(gateway)
    configure(gateway, "site", "retention: 6h\n")
    gateway.do("systemctl", "reload", "headgate")
    wait_until(lambda: "headgate: reloaded\n" in gateway.log(), "it reloads")
    configure(gateway, "site", "retention: soon\n")
    assert gateway.run("systemctl", "reload", "headgate").returncode != 0
    assert "/etc/headgate/conf.d/site.yaml:1" in gateway.log()
    gateway.do("systemctl", "kill", "--signal=HUP", "--kill-who=main", "headgate")  # like logrotate
    wait_until(lambda: "the configuration stays as it was" in gateway.log(), "it says so")
    assert is_active(gateway) and agent(gateway) == serving
    assert readiness(gateway)[0] == 200
    gateway.file("/etc/headgate/conf.d/site.yaml").unlink()
    gateway.do("systemctl", "reload", "headgate")


def test_logs_are_rotated_without_loss(gateway):
    """Simulates logrotate, which a minimal root does not have."""
    gateway.lab.fill(1)
    gateway.do("mv", "/var/log/headgate/flow.json", "/var/log/headgate/flow.json.1")
    gateway.do("systemctl", "kill", "--signal=HUP", "--kill-who=main", "headgate")
    headgate(gateway, "flush", "--source-port", "1", "--yes")
    assert flow_record(gateway, 1)["headgate"]["user"] == "root"


def test_a_configured_credentials_file_is_read_if_it_is_the_agents(gateway):
    gateway.file("/etc/headgate/credentials.yaml").write_text(
        f"tokens:\n  - {{name: t, sha256: \"{'0' * 64}\", role: viewer}}\n")
    gateway.do("chmod", "600", "/etc/headgate/credentials.yaml")
    configure(gateway, "http", "http: {credentials: /etc/headgate/credentials.yaml, listeners: [{address: 127.0.0.1, port: 8443}]}\n")
    assert gateway.run("systemctl", "restart", "headgate").returncode != 0
    assert "credentials.yaml" in gateway.log()
    gateway.do("chown", "headgate", "/etc/headgate/credentials.yaml")
    gateway.do("systemctl", "reset-failed", "headgate.service", "headgate.socket")
    gateway.do("systemctl", "restart", "headgate.socket", "headgate.service")
    assert "127.0.0.1:8443" in listening(gateway)


def test_an_endpoint_in_another_namespace_takes_the_drop_in(gateway):
    gateway.do("ip", "netns", "add", "branch")
    configure(gateway, "http", """firewalls:
  - {name: branch, endpoints: [{availability_zone: a, netns: branch, stream_exception_policy: drop}]}
""")
    gateway.do("systemctl", "restart", "headgate")
    assert "CAP_SYS_ADMIN" in gateway.log()
    assert readiness(gateway)[0] == 503
    drop_in(gateway, "network-namespaces")
    status, text = readiness(gateway)
    assert status == 200, text
    branch = ["ip", "netns", "exec", "branch"]
    assert gateway.do(*branch, "cat", "/proc/sys/net/netfilter/nf_conntrack_timestamp") == "1\n"
    headgate(gateway, "capture", "--all", user=MEMBER, status=3)
    assert headgate(gateway, "policy", "status", user=MEMBER)["policy"] == "drop"
    # A namespace that is created later is found, too.
    gateway.do("ip", "netns", "delete", "branch")
    gateway.do("ip", "netns", "add", "branch")
    wait_until(lambda: readiness(gateway)[0] == 200, "it is guarded like the first")


def test_a_listener_on_a_low_port_takes_the_drop_in(gateway):
    configure(gateway, "http", "http: {insecure_loopback: true, listeners: [{address: 127.0.0.1, port: 443}]}\n")
    assert gateway.run("systemctl", "restart", "headgate").returncode != 0
    gateway.do("systemctl", "reset-failed", "headgate.service", "headgate.socket")
    drop_in(gateway, "low-ports")
    assert "127.0.0.1:443 " in listening(gateway)
    gateway.file("/etc/headgate/conf.d/http.yaml").unlink()
    gateway.do("systemctl", "restart", "headgate")


def test_fast_scans_take_the_drop_in(gateway):
    def plan():
        done = gateway.run("headgate", "capture", "--source-port", "1:100", "--protocol", "udp", "--explain", "--count", user=MEMBER)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), re.search("plan: (.*)", done.stderr)[1]
    gateway.lab.fill_many(6000)
    without = plan()
    assert "the hash cannot be walked: loading the programs: Operation not permitted" in without[1]
    assert "fast scans are off, and flow tables are dumped instead: " in gateway.log()
    drop_in(gateway, "fast-scan")
    count, walked = plan()
    assert count == without[0]
    assert walked.startswith("walk of the hash in the kernel") and "cannot be walked" not in walked, walked
    assert not re.search(r"ffff[0-9a-f]{12}", gateway.log()), "an address of the kernel"
    gateway.lab.run(GATEWAY, "conntrack", "-F")


# A program that deletes all flows (a conntrack request without a tuple) and keeps running.
DELETER = r"""
socket(my $s, 16, 3, 12) or die; bind($s, pack("SSLL", 16, 0, 0, 0)) or die;
syswrite($s, pack("LSSLLCCS", 20, 0x102, 5, 1, 0, 0, 0, 0)); sleep 10;
"""


def test_other_programs_that_delete_flows_are_named_with_the_drop_in(gateway):
    def deleted(port):
        # The destination distinguishes it from the flows of test_fast_scans_take_the_drop_in.
        gateway.lab.fill(port)
        deleter = gateway.start("perl", "-e", DELETER)
        record = flow_record(gateway, port, dest_ip="10.9.0.2")
        deleter.communicate()
        return record["headgate"]["flushed_by"]
    assert set(deleted(21)) == {"port_id"}
    drop_in(gateway, "program-names")
    assert deleted(22)["process"] == "perl"
