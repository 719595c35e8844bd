# SPDX-License-Identifier: GPL-2.0-or-later
"""Queries of the packaging tests to the gateway, and to headgate on it."""

import json
import subprocess

from lab import GATEWAY, wait_until

MEMBER, STRANGER = "alice", "mallory"


def headgate(gateway, *words, user=None, status=0):
    """The JSON output of headgate on the gateway."""
    done = gateway.run("headgate", *words, "--json", user=user)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else {}


def install(gateway, deb="/root/headgate.deb"):
    gateway.do("apt-get", "install", "--yes", "--no-install-recommends", deb)


def add_users(gateway):
    """Adds a user who may use the agent, and one who may not."""
    gateway.do("useradd", "--groups", "headgate", MEMBER)
    gateway.do("useradd", STRANGER)


def agent(gateway):
    return int(gateway.shows("headgate.service", "MainPID"))


def is_active(gateway, unit="headgate.service"):
    return gateway.run("systemctl", "is-active", unit).stdout.strip() == "active"


def readiness(gateway):
    """Status and text of the agent's /readyz."""
    socket = gateway.file("/run/headgate/headgate.sock")
    done = subprocess.run(["curl", "--silent", "--write-out", "\n%{http_code}", "--unix-socket", str(socket), "http://agent/readyz"],
                          check=True, capture_output=True, text=True)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


def configure(gateway, name, text):
    """Writes a configuration file of the operator."""
    gateway.file(f"/etc/headgate/conf.d/{name}.yaml").write_text(text)


def drop_in(gateway, name):
    """Enables the drop-in as described in its comment."""
    gateway.do("mkdir", "-p", "/etc/systemd/system/headgate.service.d")
    gateway.do("ln", "-s", f"/usr/share/headgate/drop-ins/{name}.conf", "/etc/systemd/system/headgate.service.d/")
    gateway.do("systemctl", "daemon-reload")
    gateway.do("systemctl", "restart", "headgate")


def lines(gateway, log):
    """The records of one of headgate's logs."""
    return [json.loads(line) for line in gateway.file(f"/var/log/headgate/{log}").read_text().splitlines()]


def flow_record(gateway, port, **others):
    """The oldest record of a flow with this source port, and with these values of other fields."""
    wanted = {"src_port": port, **others}
    def find():
        return next((each for each in lines(gateway, "flow.json") if wanted.items() <= each.items()), None)
    return wait_until(find, f"the record of {wanted}")


def rules(gateway, *what):
    return gateway.lab.run(GATEWAY, "nft", "list", *(what or ("ruleset",))).stdout
