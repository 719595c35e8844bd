# SPDX-License-Identifier: GPL-2.0-or-later
"""Effects of upgrade, removal and purge of the package on a gateway's configuration, history, policy and traffic.

The next version is the same program with a higher version number; the store that it finds has the previous schema
(tests/support/store_version_1.db). So maintainer scripts and schema migration are real; an upgrade from a running
program of the previous version is not tested.
"""

import sqlite3
import subprocess
import time

import pytest

from debian_root import PROJECT
from gateway_facts import MEMBER, add_users, agent, configure, drop_in, headgate, install, is_active, lines, rules
from lab import SERVER4
from traffic import RESET, Conversation

STORE = "/var/lib/headgate/operations.db"
NEXT = "/root/next.deb"


@pytest.fixture(scope="module", autouse=True)
def next_deb(gateway, deb, tmp_path_factory):
    """The package with the next version number."""
    unpacked = tmp_path_factory.mktemp("next")
    subprocess.run(["dpkg-deb", "--raw-extract", deb, unpacked / "tree"], check=True)
    control = unpacked / "tree/DEBIAN/control"
    control.write_text("".join(f"{line}+next\n" if line.startswith("Version:") else f"{line}\n"
                               for line in control.read_text().splitlines()))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", unpacked / "tree", gateway.file(NEXT)],
                   check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module", autouse=True)
def operators_own_table(gateway):
    """Must precede the policy: nft 1.0.6 (Debian 12) crashes if a table was made by libnftables 1.1 (Debian 13)."""
    gateway.lab.load_rules("table inet own { chain forward { type filter hook forward priority 0; policy accept; }\n}\n")


def plant_store_of_first_version(gateway):
    """Dates its operations to now, because older ones would expire."""
    file = gateway.file(STORE)
    file.write_bytes((PROJECT / "tests/support/store_version_1.db").read_bytes())
    with sqlite3.connect(file) as database:
        database.execute("UPDATE operations SET requested_at = ?", (time.time_ns(),))
    database.close()
    gateway.do("chown", "headgate:headgate", STORE)


def version_of_store(gateway):
    with sqlite3.connect(f"file:{gateway.file(STORE)}?mode=ro", uri=True) as database:
        [version] = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return version


def test_an_upgrade_keeps_configuration_history_policy_and_traffic(gateway):
    install(gateway)
    add_users(gateway)
    gateway.do("sh", "-c", "echo 'retention: 6h' >>/etc/headgate/headgate.yaml")
    configure(gateway, "site", "protected: ['source=10.255.0.0/16']\n")
    gateway.do("systemctl", "stop", "headgate.socket", "headgate.service")
    gateway.do("sh", "-c", f"rm {STORE}*")
    plant_store_of_first_version(gateway)
    assert version_of_store(gateway) == 1
    # Without the agent, which would migrate the store when it starts: the upgrade must do that.
    headgate(gateway, "policy", "apply", "reject", "--netns", "/proc/1/ns/net")
    with Conversation(gateway.lab, SERVER4) as talk, Conversation(gateway.lab, SERVER4, port=8081, server_port=8081) as flushed:
        gateway.do("systemctl", "start", "headgate.socket")
        install(gateway, NEXT)
        assert talk.loses_nothing()
        assert is_active(gateway) and is_active(gateway, "headgate.socket")
        headgate(gateway, "flush", "--source-port", str(flushed.port), "--yes", user=MEMBER)
        flushed.client.send()
        flushed.see(client=RESET)
    assert version_of_store(gateway) == 8
    operations = headgate(gateway, "operations", "list", user=MEMBER)["operations"]
    assert [each["type"] for each in operations] == ["FLOW_FLUSH", "FLOW_FLUSH", "FLOW_CAPTURE"]
    [_, planted] = operations[1:]
    assert len(headgate(gateway, "operations", "results", planted["operation_id"])["flows"]) == 2
    assert headgate(gateway, "policy", "status")["condition"] == "as_applied"
    assert "retention: 6h" in gateway.file("/etc/headgate/headgate.yaml").read_text()


def test_clients_that_ask_while_the_package_changes_are_answered_or_advised_to_ask_again(gateway):
    asking = gateway.start("sh", "-c", """
        while [ ! -e /run/enough ]; do
            headgate capture --all --json >/dev/null 2>/run/said
            status=$?
            case $status in
                0 | 3) echo answered; : >/run/said ;;
                5) grep -q 'is stopping' /run/said || break ;;
                *) break ;;
            esac
        done
        cat /run/said >&2""")
    before = agent(gateway)
    gateway.do("apt-get", "install", "--yes", "--reinstall", NEXT)
    gateway.do("touch", "/run/enough")
    out, err = asking.communicate()
    assert (err, asking.returncode) == ("", 0)
    assert out.count("answered") > 5 and agent(gateway) != before


def test_removing_stops_the_agent_and_leaves_no_rule_behind(gateway):
    gateway.do("ip", "netns", "add", "branch")
    configure(gateway, "kept", "stream_exception_policy: drop\n")
    drop_in(gateway, "network-namespaces")
    headgate(gateway, "policy", "apply", "reject", "--netns", "branch")
    gateway.do("sh", "-c", "touch /run/annex && unshare --net=/run/annex true")
    headgate(gateway, "policy", "apply", "reject", "--netns", "/run/annex")
    gateway.do("sh", "-c", "echo 'firewalls: [{name: edge, endpoints: [{availability_zone: a, netns: /run/annex}]}]' >/etc/headgate/conf.d/annex.yaml")
    assert headgate(gateway, "policy", "status")["condition"] == "as_applied"
    with Conversation(gateway.lab, SERVER4) as talk:
        gateway.do("apt-get", "remove", "--yes", "headgate")
        assert talk.loses_nothing()
    assert "headgate" not in rules(gateway, "tables") and "table inet own" in rules(gateway, "tables")
    assert gateway.run("pidof", "headgate").stdout == ""
    assert gateway.run("systemctl", "cat", "headgate.service").returncode != 0
    for namespace in ("/run/netns/branch", "/run/annex"):
        nft = ["nsenter", f"--net=/proc/{gateway.init}/root{namespace}", "nft", "list", "tables"]
        assert subprocess.run(nft, check=True, capture_output=True, text=True).stdout == "", namespace
    for kept in ("/etc/headgate/headgate.yaml", STORE, "/var/log/headgate/audit.log"):
        assert gateway.file(kept).exists()
    assert not gateway.file("/run/headgate").exists()
    assert lines(gateway, "audit.log")[-1]["action"] == "policy_remove"
    assert gateway.do("systemctl", "--failed", "--no-legend") == ""


def test_purging_leaves_neither_files_nor_the_user(gateway):
    gateway.do("apt-get", "purge", "--yes", "headgate")
    left = gateway.do("sh", "-c", "find / -xdev -path /proc -prune -o -path '*headgate*' -print")
    ours = [line for line in left.splitlines() if not line.startswith(("/root/", "/etc/systemd/system/headgate.service.d"))]
    assert ours == [], left
    assert "headgate" not in gateway.do("cat", "/etc/passwd") + gateway.do("cat", "/etc/group")
