# SPDX-License-Identifier: GPL-2.0-or-later
"""A flush does not end the operator's own SSH session to the gateway; tested with a real sshd."""

import ctypes
import json
import platform
import shlex
import struct
import subprocess

import pytest

from lab import GATEWAY, wait_until
from ssh_host import HIDDEN_PORT, as_user, ssh, tmux  # noqa: F401
from test_agent import start_agent  # noqa: F401
from test_capture import conversation
from test_operations import audit

ALL = ["flush", "--all", "--yes", "--json"]
NOT_KNOWN = "which one is the caller's is not known"


def outcomes(result):
    """Outcomes by client port, including that of the conversation with the server."""
    return {flow["source_port"]: flow["outcome"] for flow in result["flows"]}


def line(lab, *words):
    """The command line as typed on the gateway."""
    return lab.headgate_line(*(words or ALL), netns=False)


def here(lab, *words, before=(), **options):
    """Runs headgate on the gateway without an sshd as ancestor and without environment variables, as cron does."""
    return lab.run(GATEWAY, *before, "env", "-i", *lab.headgate_words(*(words or ALL), netns=False), check=False, **options)


@pytest.fixture
def talk(lab):
    return conversation(lab, port=8080)


def test_from_within_a_session_that_one_is_left_alone(lab, ssh, talk):
    _, other = ssh.stay()
    done = ssh.do(line(lab), port=HIDDEN_PORT)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["counts"]["protected"] == 1 and result["counts"]["flushed"] == 2
    [own] = [port for port, outcome in outcomes(result).items() if outcome == "protected"]
    assert outcomes(result)[other] == "flushed" and own != other
    assert NOT_KNOWN not in done.stderr and "SSH session" in done.stderr
    assert audit(lab)[-1]["caller"]["source_address"] == "10.0.1.2"


def test_from_within_a_session_without_its_variable_too(lab, ssh, talk):
    ssh.stay()
    done = ssh.do("exec env -i " + line(lab))
    assert json.loads(done.stdout)["counts"]["protected"] == 1, done.stderr


@pytest.mark.parametrize("first_goes_on", [False, True])
def test_in_a_tmux_that_was_attached_again_all_sessions_are_left_alone(lab, ssh, talk, first_goes_on):
    with tmux(lab) as words:
        first, first_port = ssh.stay(f"{words} new-session -d && echo here; cat")
        if not first_goes_on:
            lab.stop(first)
            wait_until(lambda: first_port not in ssh.ports(), "the first session ends")
        # It draws its screen; what was written before can be lost when tmux takes the terminal.
        ssh.stay(f"TERM=xterm exec {words} attach", sign="\x1b[", terminal=True)
        out, done = lab.folder / "out", lab.folder / "done"
        subprocess.run([*words.split(), "send-keys", f"{line(lab)} >{out} 2>{out}.stderr; touch {done}", "Enter"], check=True)
        wait_until(done.exists, "the flush in the tmux ends", seconds=60)
        told = out.with_name("out.stderr").read_text()
        sessions = ssh.ports()
        assert len(sessions) == (2 if first_goes_on else 1)
        result = json.loads(out.read_text())
        assert {outcomes(result)[port] for port in sessions} == {"protected"}, told
        assert result["counts"]["flushed"] >= 1 and NOT_KNOWN in told


def test_from_cron_or_a_script_all_sessions_are_left_alone_and_the_operation_has_the_reason(lab, ssh, talk):
    ports = {ssh.stay()[1], ssh.stay(port=HIDDEN_PORT)[1]}
    preview = json.loads(here(lab, "flush", "--all", "--dry-run", "--json").stdout)
    assert preview["counts"]["protected"] == 2
    done = here(lab)
    result = json.loads(done.stdout)
    assert (result["counts"]["protected"], result["counts"]["flushed"]) == (2, 1), done.stderr
    assert {port for port, outcome in outcomes(result).items() if outcome == "protected"} == ports, result["flows"]
    assert f"2 flows are left alone as SSH sessions into this machine: {NOT_KNOWN}" in result["warnings"]


def test_a_flush_of_other_flows_does_not_mention_sessions(lab, ssh, talk):
    ssh.stay()
    done = here(lab, "flush", "--destination-port", "8080", "--yes", "--json")
    assert json.loads(done.stdout)["counts"]["flushed"] == 1 and "SSH" not in done.stderr


def test_include_protected_ends_sessions_too_and_the_audit_log_records_it(lab, ssh):
    ssh.stay()
    done = here(lab, *ALL, "--include-protected")
    assert json.loads(done.stdout)["counts"] | {"scanned": 0} == {"scanned": 0, "matched": 1, "flushed": 1, "gone": 0, "failed": 0,
                                                                  "protected": 0}
    assert audit(lab)[-1]["include_protected"] and "SSH" not in done.stderr


def test_a_session_is_left_alone_by_the_address_that_it_was_redirected_from(lab, ssh):
    lab.load_rules(f"table ip moved {{\nchain arriving {{\ntype nat hook prerouting priority dstnat;\n"
                   f"tcp dport 4444 redirect to :{HIDDEN_PORT}\n}}\n}}\n")
    ssh.stay(port=4444)
    result = json.loads(here(lab).stdout)
    assert result["counts"]["protected"] == 1
    assert [flow["destination_port"] for flow in result["flows"]] == [4444]


def test_another_user_who_sees_no_process_of_root_has_the_variable_below_sshd(lab, ssh, talk):
    ssh.stay()
    ssh.open_lab_to_all()
    done = ssh.do(shlex.join(as_user()) + " " + line(lab), port=HIDDEN_PORT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["protected"] == 1 and NOT_KNOWN not in done.stderr


def test_another_user_without_the_variable_leaves_alone_what_leads_to_port_22_and_is_warned_of_the_rest(lab, ssh, talk):
    _, port = ssh.stay()
    _, hidden = ssh.stay(port=HIDDEN_PORT)
    ssh.open_lab_to_all()
    result = json.loads(here(lab, before=as_user()).stdout)
    assert outcomes(result)[port] == "protected" and outcomes(result)[hidden] == "flushed"
    [told] = [warning for warning in result["warnings"] if "cannot be seen" in warning]
    assert told.startswith("1 flow is a connection into this machine") and "protected" in told


def test_every_face_of_the_agent_leaves_sessions_alone(lab, ssh, start_agent):
    start_agent()
    ports = {ssh.stay()[1], ssh.stay(port=HIDDEN_PORT)[1]}
    own = lab.conntrack("-p", "tcp", "--dport", "22")[0]
    named = f"source={own['src']},destination={own['dst']},source-port={own['sport']},destination-port=22,protocol=tcp"

    def ask(**more):
        body = json.dumps({"type": "FLOW_FLUSH", "filters": [{}], "all": True, "dry_run": True} | more)
        told = subprocess.run(["curl", "-sS", "--unix-socket", lab.folder / "headgate.sock", "--json", body,
                               "http://agent/v1/operations"], capture_output=True, text=True, check=True)
        identity = json.loads(told.stdout)["operation_id"]
        told = subprocess.run(["curl", "-sS", "--unix-socket", lab.folder / "headgate.sock",
                               f"http://agent/v1/operations/{identity}?wait_ms=20000"], capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    assert ask()["counts"]["protected"] == len(ports)
    assert ask(own_sessions=[named])["counts"]["protected"] == 1
    assert ask(own_sessions=[named.replace("10.0.1.2", "10.0.1.3")])["counts"]["protected"] == 2, "there is none such"
    done = lab.headgate(*ALL, netns=False)
    assert json.loads(done.stdout)["counts"]["protected"] == 2 and NOT_KNOWN in done.stderr
    done = ssh.do(line(lab), port=HIDDEN_PORT)
    result = json.loads(done.stdout)
    assert result["requested_by"]["face"] == "unix" and result["counts"]["protected"] == 1, done.stderr


def test_a_policy_that_would_cut_a_session_is_refused_to_those_who_may_sit_on_it(lab, ssh, tmp_path):
    policy = lab.write_policy(tmp_path, "all", "drop", scope="all")
    session, port = ssh.stay()
    assert here(lab, "policy", "apply", policy).returncode == 0
    assert here(lab, "policy", "remove").returncode == 0
    lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp", "--dport", "22")
    done = here(lab, "policy", "apply", policy)
    assert done.returncode == 5
    assert "1 of 1 SSH sessions into this machine, one of which may be yours, is not tracked yet" in done.stderr
    assert here(lab, "policy", "apply", policy, "--include-protected").returncode == 0


def without_sock_diag():
    """Denies the process NETLINK_SOCK_DIAG sockets, with a seccomp(2) filter."""
    AF_NETLINK, NETLINK_SOCK_DIAG, SYS_SOCKET, EPERM = 16, 4, {"x86_64": 41, "aarch64": 198}, 1
    load, jump, give, allow = 0x20, 0x15, 0x06, 0x7FFF0000
    rules = [(load, 0, 0, 0), (jump, 0, 5, SYS_SOCKET[platform.machine()]), (load, 0, 0, 16), (jump, 0, 3, AF_NETLINK),
             (load, 0, 0, 32), (jump, 0, 1, NETLINK_SOCK_DIAG), (give, 0, 0, 0x00050000 | EPERM), (give, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) == 0, ctypes.get_errno()


def test_where_sessions_cannot_be_searched_there_is_a_warning(lab, talk):
    done = here(lab, preexec_fn=without_sock_diag)
    result = json.loads(done.stdout)
    assert result["counts"]["flushed"] == 1
    [told] = [warning for warning in result["warnings"] if "could not be looked for" in warning]
    assert told.startswith("SSH sessions into this machine") and "Operation not permitted" in told
    assert told in done.stderr
