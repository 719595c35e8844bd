# SPDX-License-Identifier: GPL-2.0-or-later
"""The rpm, installed by rpm on a booted Debian gateway. rpm does not know the libraries there: they are the deb's
dependencies, installed by apt.
"""

import shutil

import pytest

from gateway_facts import MEMBER, add_users, configure, headgate, install, is_active, rules
from lab import SERVER4
from traffic import Conversation

RPM = "/root/headgate.rpm"


@pytest.fixture(scope="module", autouse=True)
def libraries(gateway, rpm):
    install(gateway)
    gateway.do("apt-get", "purge", "--yes", "headgate")
    gateway.do("apt-get", "install", "--yes", "--no-install-recommends", "rpm")
    shutil.copy(rpm, gateway.file(RPM))


def test_installing_starts_the_agent_and_members_of_the_group_may_use_it(gateway):
    before = rules(gateway)
    gateway.do("rpm", "--install", "--nodeps", RPM)
    assert gateway.run("rpm", "--verify", "--nodeps", "headgate").stdout == ""
    assert is_active(gateway) and is_active(gateway, "headgate.socket")
    for unit in ("headgate.service", "headgate.socket"):
        assert gateway.shows(unit, "UnitFileState") == "enabled"
    assert rules(gateway) == before
    add_users(gateway)
    with Conversation(gateway.lab, SERVER4) as talk:
        flushed = headgate(gateway, "flush", "--source-port", str(talk.port), "--yes", user=MEMBER)
        assert flushed["counts"]["flushed"] == 1


def test_installing_over_it_keeps_configuration_and_history_and_starts_the_agent_anew(gateway):
    gateway.do("sh", "-c", "echo 'retention: 6h' >>/etc/headgate/headgate.yaml")
    headgate(gateway, "policy", "apply", "reject")
    before = gateway.shows("headgate.service", "MainPID")
    gateway.do("rpm", "--upgrade", "--force", "--nodeps", RPM)
    assert is_active(gateway) and gateway.shows("headgate.service", "MainPID") != before
    assert "retention: 6h" in gateway.file("/etc/headgate/headgate.yaml").read_text()
    assert len(headgate(gateway, "operations", "list")["operations"]) == 1
    assert headgate(gateway, "policy", "status")["condition"] == "as_applied"


def test_erasing_leaves_no_rule_and_no_unit_behind(gateway):
    configure(gateway, "kept", "stream_exception_policy: drop\n")
    gateway.do("systemctl", "restart", "headgate")
    gateway.do("rpm", "--erase", "headgate")
    assert "headgate" not in rules(gateway, "tables")
    assert gateway.run("pidof", "headgate").stdout == ""
    assert gateway.run("systemctl", "cat", "headgate.service").returncode != 0
    assert not gateway.file("/run/headgate").exists() and not gateway.file("/usr/share/headgate").exists()
    assert gateway.file("/var/lib/headgate/operations.db").exists()
