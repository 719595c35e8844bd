# SPDX-License-Identifier: GPL-2.0-or-later
"""Which flows `headgate flush` ends and which it leaves, compared with conntrack(8)."""

import fcntl
import json
import os
import pathlib
import pty
import re
import subprocess
import termios

import pytest

from lab import CLIENT4, GATEWAY, GATEWAY4_OUTSIDE, HEADGATE, SERVER, SERVER4, SERVER6, wait_until
from test_capture import MASQUERADE, REDIRECT, ZONE_5_FOR_THE_CLIENT, conversation
from traffic import Conversation

TO_8080 = ["--destination", SERVER4, "--destination-port", "8080", "--protocol", "tcp"]


def ids(lab):
    return sorted(flow["ct_id"] for flow in lab.conntrack_of_both_families())


def flush(lab, *words, status=0):
    return lab.headgate_json("flush", *words, "--yes", status=status)


def test_ends_exactly_the_flow_that_matches(lab):
    # A quiet one: a flow recreated by its next packet could have the same id, since the kernel reuses memory.
    quiet = Conversation(lab, SERVER4)
    others = [conversation(lab, port=8081), conversation(lab, SERVER6, 8082), conversation(lab, port=5300, protocol="udp")]
    before = ids(lab)
    [doomed] = lab.capture(*TO_8080)
    result = flush(lab, *TO_8080)
    assert result["type"] == "FLOW_FLUSH" and result["status"] == "COMPLETED"
    assert result["counts"] | {"scanned": 0} == {"scanned": 0, "matched": 1, "flushed": 1, "gone": 0, "failed": 0, "protected": 0}
    [ended] = result["flows"]
    assert ended["id"] == doomed["id"] and ended["outcome"] == "flushed"
    assert ended["protocol_state"] == "ESTABLISHED" and ended["bytes"] >= doomed["bytes"]
    after = ids(lab)
    assert doomed["id"] not in after
    assert set(before) - {doomed["id"]} <= set(after), "the other flows are the same as before"
    assert all(talk.goes_on() for talk in others)
    quiet.client.close(), quiet.server.close()


def test_a_dry_run_changes_nothing(lab):
    conversation(lab)
    before = ids(lab)
    result = lab.headgate_json("flush", *TO_8080, "--dry-run")
    assert result["counts"]["matched"] == 1 and result["counts"]["flushed"] == 0
    assert len(result["flows"]) == 1 and "outcome" not in result["flows"][0]
    assert ids(lab) == before


def test_more_than_the_maximum_is_refused_before_the_first_delete(lab):
    lab.fill(50)
    done = lab.headgate("flush", "--all", "--yes", "--max-flows", "49")
    assert done.returncode == 5
    assert re.search(r"^headgate: 50 flows match, more than --max-flows 49: nothing was flushed "
                     r"\(operation [0-9a-f-]{36}\)$", done.stderr, re.MULTILINE)
    assert len(ids(lab)) == 50
    assert flush(lab, "--all", "--max-flows", "50")["counts"]["flushed"] == 50
    assert ids(lab) == []


def test_without_a_terminal_a_flush_takes_yes(lab):
    lab.fill(3)
    done = lab.headgate("flush", "--all")
    assert done.returncode == 5 and "--yes" in done.stderr
    assert len(ids(lab)) == 3


def test_without_a_filter_it_explains_all(lab):
    lab.fill(3)
    for words in (["flush", "--yes"], ["capture"], ["flush", "--yes", "--state", "NEW"], ["flush", "--yes", "--protocol", "any"]):
        done = lab.headgate(*words)
        assert done.returncode == 2 and "--all" in done.stderr
    assert len(ids(lab)) == 3


CTRL_C = "\x03"


def on_a_terminal(lab, answer, *words):
    """Runs headgate on a terminal of its own and types the answer at the prompt; without one, the terminal goes away."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(lab.headgate_words(*words), stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(terminal)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(screen, 4096)
    status = pathlib.Path(f"/proc/{process.pid}/stat")
    wait_until(lambda: status.read_text().rpartition(")")[2].split()[0] == "S", "it waits for the answer")
    if answer is None:
        os.close(screen)
        return process.wait(), shown.decode()
    os.write(screen, answer.encode() + (b"" if answer == CTRL_C else b"\n"))
    try:
        while chunk := os.read(screen, 4096):
            shown += chunk
    except OSError:
        pass  # the other end is closed
    os.close(screen)
    return process.wait(), shown.decode()


def test_on_a_terminal_it_asks_and_shows_what_it_is_about(lab):
    lab.fill(15)
    status, shown = on_a_terminal(lab, "n", "flush", "--all")
    assert status == 5 and "not confirmed" in shown
    assert "... and 5 more" in shown and "Flush 15 flows? [y/N]" in shown
    assert shown.count("udp 10.9.0.1:") == 10
    assert len(ids(lab)) == 15
    status, shown = on_a_terminal(lab, "y", "flush", "--all")
    assert status == 0 and "15 flushed" in shown
    assert ids(lab) == []


def history(lab):
    return json.loads(lab.headgate("operations", "list", "--json", netns=False).stdout)["operations"]


def audited(lab):
    """(action, result, detail) of each line."""
    lines = [json.loads(line) for line in (lab.folder / "audit.log").read_text().splitlines()]
    return [(line["action"], line["result"], line.get("detail")) for line in lines]


WITHOUT_TERMINAL = "3 flows match; without a terminal to ask on, a flush requires --yes: nothing was flushed"


@pytest.mark.parametrize("answer, called, reason", [
    ("n", "DECLINED", "not confirmed: nothing was flushed"),
    (CTRL_C, "DECLINED", "not confirmed: nothing was flushed"),
    (None, "DECLINED", "not confirmed: nothing was flushed"),
    ("no terminal", "REFUSED", WITHOUT_TERMINAL),
], ids=["declined", "interrupted", "hung up", "no terminal"])
def test_a_flush_that_was_not_agreed_to_stands_in_history_and_audit_with_the_reason(lab, answer, called, reason):
    lab.fill(3)
    if called == "DECLINED":
        assert on_a_terminal(lab, answer, "flush", "--all")[0] == 5
    else:
        assert lab.headgate("flush", "--all").returncode == 5
    flush_, dry_run = history(lab)
    assert dry_run["dry_run"] and dry_run["status"] == "COMPLETED" and "consent" not in dry_run
    assert "dry_run" not in flush_ and (flush_["status"], flush_["detail"]) == ("FAILED", reason)
    assert flush_["from_capture"] == dry_run["operation_id"] and flush_["refused"]
    assert flush_["consent"] == {"DECLINED": "declined", "REFUSED": "not_asked"}[called]
    assert (flush_["counts"]["matched"], flush_["counts"]["flushed"]) == (3, 0)
    assert audited(lab) == [("flush", "COMPLETED", None), ("flush", called, reason)]
    listed = lab.headgate("operations", "list", "-o", "wide", netns=False).stdout.splitlines()
    assert re.search(rf"  flush    +{called} .* 3 +0 .*{re.escape(reason)}", listed[1]), listed[1]
    assert re.search(r"  dry run  +COMPLETED .* 3 +would 3 ", listed[2]), listed[2]
    shown = lab.headgate("operations", "show", flush_["operation_id"], "-o", "table", netns=False).stdout
    assert re.search(rf"^status +{called}$", shown, re.MULTILINE) and reason in shown
    shown = lab.headgate("operations", "show", dry_run["operation_id"], "-o", "table", netns=False).stdout
    assert "3 would be flushed, 0 gone, 0 protected (dry run)" in shown
    chosen = lab.headgate("operations", "list", "--status", called.lower(), "--columns", "id", "--no-header", netns=False)
    assert chosen.stdout == flush_["operation_id"] + "\n"
    assert len(ids(lab)) == 3
    assert flush(lab, "--from-capture", dry_run["operation_id"])["counts"]["flushed"] == 3, "it can be done later"


def test_a_flush_that_a_guard_refused_stands_in_history_with_the_reason(lab):
    lab.fill(3)
    for words, reason in ((["--max-flows", "2"], "3 flows match, more than --max-flows 2: nothing was flushed"),
                          (["--require-policy"], "no stream exception policy is in force")):
        for yes in (["--yes"], ["--dry-run"]):
            assert lab.headgate("flush", "--all", *words, *yes).returncode == 5
            newest = history(lab)[0]
            assert (newest["status"], newest["refused"], "consent" in newest) == ("FAILED", True, False)
            assert newest["detail"].startswith(reason) and newest.get("dry_run", False) == (yes == ["--dry-run"])
            row = lab.headgate("operations", "list", "-o", "wide", "--limit", "1", netns=False).stdout.splitlines()[1]
            assert "  REFUSED  " in row and reason in row and ("would 0" in row) == (yes == ["--dry-run"])
            assert audited(lab)[-1][1] == "REFUSED" and audited(lab)[-1][2].startswith(reason)
    assert len(ids(lab)) == 3


def test_the_policy_that_a_flush_puts_in_force_is_audited_and_said_to_stay(lab):
    lab.fill(2)
    done = lab.headgate("flush", "--source-port", "1", "--protocol", "udp", "--yes", "--json", "--stream-exception-policy", "reject")
    result = json.loads(done.stdout)
    assert result["policy_applied"] and result["stream_exception_policy"] == "reject"
    assert f"policy reject was put in force by this flush, and stays in force: headgate policy remove --netns {lab.name(GATEWAY)} " \
           "removes it" in done.stderr
    lines = [json.loads(line) for line in (lab.folder / "audit.log").read_text().splitlines()]
    assert [line["action"] for line in lines] == ["policy_apply", "flush"]
    applied = lines[0]
    assert (applied["stream_exception_policy"], applied["result"], applied["operation_id"]) == ("reject", "COMPLETED", result["operation_id"])
    assert applied["caller"]["user"] == "root" and applied["netns"] == lab.name(GATEWAY)
    done = lab.headgate("flush", "--all", "--yes", "--json", "--stream-exception-policy", "reject")
    assert "policy_applied" not in json.loads(done.stdout) and "stays in force" not in done.stderr, "it was in force"
    assert [action for action, _, _ in audited(lab)] == ["policy_apply", "flush", "flush"]


def test_before_the_question_it_says_that_the_policy_stays_and_which_rule_protects(lab):
    lab.fill(3)
    lab.configure("protected: [source-port=3]\n")
    _, shown = on_a_terminal(lab, "n", "flush", "--all", "--stream-exception-policy", "drop")
    assert "  udp 10.9.0.1:3 -> 10.9.0.2:53 NEW, protected" in shown and "10.9.0.1:1 -> 10.9.0.2:53 NEW\r\n" in shown
    assert "1 protected flow left alone: 1 by protected: source-port=3" in shown
    assert "stream exception policy: drop, which stays in force afterwards" in shown and "Flush 2 flows?" in shown
    assert [action for action, _, _ in audited(lab)] == ["flush", "flush"], "nothing was put in force"


def test_which_rules_protected_flows_is_said_and_all_protected_is_exit_status_3(lab):
    lab.fill(4)
    lab.configure("protected: ['source-port=1:2,protocol=udp', source-port=4]\n")
    rules = [{"rule": "protected: source-port=1:2,protocol=udp", "flows": 2}, {"rule": "protected: source-port=4", "flows": 1}]
    done = lab.headgate("flush", "--all", "--yes", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0 and result["protected_by"] == rules and result["counts"]["flushed"] == 1
    assert "3 protected flows left alone (--include-protected ends them too): 2 by protected: source-port=1:2,protocol=udp; " \
           "1 by protected: source-port=4\n" in done.stderr
    for words in (["--yes"], ["--dry-run"], []):
        done = lab.headgate("flush", "--all", "-o", "table", *words)
        assert done.returncode == 3 and "every flow that matched is protected (--include-protected ends them too): 2 by " in done.stderr
    newest = history(lab)[0]
    assert newest["protected_by"] == rules
    shown = lab.headgate("operations", "show", newest["operation_id"], "-o", "table", netns=False).stdout
    assert "2 by protected: source-port=1:2,protocol=udp\n" in shown and "1 by protected: source-port=4\n" in shown
    assert flush(lab, "--all", "--include-protected").get("protected_by") is None


@pytest.mark.parametrize("output", ["json", "ndjson"])
def test_from_a_capture_exactly_the_captured_flows_are_ended(lab, tmp_path, output):
    lab.load_rules(MASQUERADE)
    conversation(lab, port=8080)
    conversation(lab, SERVER6, 8081)
    lab.ping(SERVER4)
    captured = tmp_path / "capture"
    captured.write_text(lab.headgate("capture", "--all", "--output", output).stdout)
    conversation(lab, port=8082)
    [young] = lab.capture("--destination-port", "8082")
    result = flush(lab, "--from-capture", str(captured))
    assert result["counts"]["matched"] == 3 and result["counts"]["flushed"] == 3
    assert young["id"] in ids(lab)


def test_from_a_capture_a_flow_that_was_replaced_since_is_gone(lab, tmp_path):
    lab.serve_echo(8080)
    first = lab.talk(SERVER4, 8080, source_port=40001)
    wait_until(lambda: first.heard() > 2, "the first conversation begins")
    captured = tmp_path / "capture.json"
    captured.write_text(lab.headgate("capture", "--all", "--json").stdout)
    lab.stop(first.process)
    lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp")
    second = lab.talk(SERVER4, 8080, source_port=40001)
    wait_until(lambda: second.heard() > 2, "the second conversation begins")
    [replacement] = lab.capture("--source-port", "40001")
    result = flush(lab, "--from-capture", str(captured))
    assert result["counts"]["gone"] == 1 and result["counts"]["flushed"] == 0
    assert [flow["outcome"] for flow in result["flows"]] == ["gone"]
    assert replacement["id"] in ids(lab) and second.goes_on()


@pytest.mark.parametrize("output", ["json", "ndjson"])
def test_from_a_capture_in_another_namespace_is_refused(lab, tmp_path, output):
    lab.fill(3)
    captured = tmp_path / "capture"
    captured.write_text(lab.headgate("capture", "--all", "--output", output).stdout)
    for elsewhere in (["--netns", lab.name(SERVER)], []):
        done = lab.headgate("flush", "--from-capture", str(captured), "--yes", *elsewhere, netns=False)
        assert done.returncode == 5 and done.stdout == ""
        assert f"the capture was in network namespace {lab.name(GATEWAY)}, and this flush is " in done.stderr
    assert len(ids(lab)) == 3
    captured.write_bytes(b"\xef\xbb\xbf" + captured.read_bytes())
    assert flush(lab, "--from-capture", str(captured))["counts"]["flushed"] == 3


def test_from_lines_that_do_not_name_their_endpoint_it_warns(lab, tmp_path):
    lab.fill(3)
    captured = tmp_path / "capture"
    captured.write_text("".join(lab.headgate("capture", "--all", "--output", "ndjson").stdout.splitlines(keepends=True)[:2]))
    done = lab.headgate("flush", "--from-capture", str(captured), "--yes", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["counts"]["flushed"] == 2
    assert "does not name the endpoint of its capture" in done.stderr


def test_a_mapped_address_is_the_ipv4_address(lab):
    lab.fill(3)
    for source in ("::ffff:10.9.0.1", "::ffff:10.9.0.0/112"):
        assert len(lab.capture("--source", source)) == 3
    assert flush(lab, "--filter", "source=::ffff:10.9.0.1,source-port=1")["counts"]["flushed"] == 1


def test_from_a_capture_zones_are_kept(lab, tmp_path):
    lab.load_rules(ZONE_5_FOR_THE_CLIENT)
    conversation(lab)
    captured = tmp_path / "capture.ndjson"
    captured.write_text(lab.headgate("capture", "--all", "--output", "ndjson").stdout)
    assert flush(lab, "--from-capture", str(captured))["counts"]["flushed"] == 1


def test_a_dry_run_of_a_capture_reports_what_is_gone_since(lab, tmp_path):
    lab.fill(10)
    captured = tmp_path / "capture.json"
    captured.write_text(lab.headgate("capture", "--all", "--json").stdout)
    flush(lab, "--source-port", "1:4")
    result = lab.headgate_json("flush", "--from-capture", str(captured), "--dry-run")
    assert result["counts"] | {"scanned": 0} == {"scanned": 0, "matched": 10, "flushed": 0, "gone": 4, "failed": 0, "protected": 0}
    assert len(ids(lab)) == 6


def test_a_flush_that_is_interrupted_reports_what_it_did(lab):
    lab.fill(5000)
    process = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--output", "ndjson"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(lab.run(GATEWAY, "conntrack", "-C").stdout) and int(lab.run(GATEWAY, "conntrack", "-C").stdout) < 5000,
               "the first flows are ended")
    process.terminate()
    out, err = process.communicate()
    lines = [json.loads(line) for line in out.splitlines()]
    counts = lines[-1]["counts"]
    assert counts["matched"] == 5000 and len(lines) == 5001
    assert counts["flushed"] == 5000 - len(ids(lab))
    assert process.returncode == (4 if counts["failed"] else 0)
    assert ("interrupted" in err) == bool(counts["failed"])


def test_a_flush_that_is_interrupted_when_all_is_done_still_reports_it(lab):
    lab.fill(20000)
    process = subprocess.Popen(lab.headgate_words("flush", "--all", "--yes", "--output", "ndjson"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: lab.count() == 0, "all flows are ended")
    process.terminate()
    out, _ = process.communicate()
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["counts"]["flushed"] == 20000 and len(lines) == 20001
    assert process.returncode == 0


def test_messages_that_cannot_be_written_change_nothing_else(lab):
    lab.fill(3)
    for redirection in ("2>/dev/full", "2>&-"):
        done = subprocess.run(["bash", "-c", f"{lab.headgate_line('flush', '--all', '--max-flows', '2', '--yes')} {redirection}"])
        assert done.returncode == 5
        done = subprocess.run(["bash", "-c", f"{HEADGATE} capture --bogus {redirection}"])
        assert done.returncode == 2
    done = subprocess.run(["bash", "-c", f"{lab.headgate_line('flush', '--all', '--yes', '--explain')} 2>/dev/full"],
                          stdout=subprocess.DEVNULL)
    assert done.returncode == 0 and ids(lab) == []


def test_translated_flows_are_ended_whichever_address_named_them(lab):
    lab.load_rules(MASQUERADE)
    conversation(lab)
    result = flush(lab, "--source", GATEWAY4_OUTSIDE, "--match", "translated")
    assert result["counts"]["flushed"] == 1
    assert result["flows"][0]["source"] == CLIENT4


def test_redirected_flows_are_ended(lab):
    lab.load_rules(REDIRECT)
    lab.serve_echo(8080)
    talk = lab.talk("10.0.1.1", 2222)
    wait_until(lambda: talk.heard() > 2, "the conversation begins")
    assert flush(lab, "--destination", SERVER4, "--match", "any")["counts"]["flushed"] == 1


def test_the_operators_own_ssh_session_is_left_alone(lab):
    lab.serve_echo(22)
    session = lab.talk(SERVER4, 22, source_port=40022)
    conversation(lab, port=8080)
    wait_until(lambda: session.heard() > 2, "the session begins")
    environment = os.environ | {"SSH_CONNECTION": f"{CLIENT4} 40022 {SERVER4} 22"}
    done = lab.headgate("flush", "--all", "--yes", "--json", env=environment)
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert result["counts"]["protected"] == 1 and result["counts"]["flushed"] == 1
    assert {flow["destination_port"]: flow["outcome"] for flow in result["flows"]} == {22: "protected", 8080: "flushed"}
    assert "SSH session" in done.stderr and "--include-protected" in done.stderr
    assert [rule["flows"] for rule in result["protected_by"]] == [1] and "SSH session" in result["protected_by"][0]["rule"]
    assert len(lab.capture("--destination-port", "22")) == 1
    done = lab.headgate("flush", "--destination-port", "22", "--yes", "--include-protected", "--json", env=environment)
    assert json.loads(done.stdout)["counts"]["flushed"] == 1


def test_the_ssh_session_is_found_through_sudo_too(lab):
    lab.serve_echo(22)
    session = lab.talk(SERVER4, 22, source_port=40022)
    wait_until(lambda: session.heard() > 2, "the session begins")
    # As with sudo: the program's parent shell has the variable, the program itself does not.
    done = subprocess.run(["sh", "-c", f"env -u SSH_CONNECTION {lab.headgate_line('flush', '--all', '--yes', '--json')}; exit $?"],
                          env=os.environ | {"SSH_CONNECTION": f"{CLIENT4} 40022 {SERVER4} 22"}, capture_output=True, text=True)
    assert json.loads(done.stdout)["counts"]["protected"] == 1


def test_a_reader_that_goes_away_does_not_leave_a_flush_half_done(lab):
    lab.fill(2000)
    command = f"{lab.headgate_line('flush', '--all', '--yes', '--output', 'ndjson')} | head -1"
    done = subprocess.run(["bash", "-c", command + "; exit ${PIPESTATUS[0]}"], capture_output=True, text=True)
    assert done.returncode == 0
    assert ids(lab) == []


def test_nothing_that_matches_is_exit_status_3(lab):
    result = flush(lab, "--all", status=3)
    assert result["counts"]["matched"] == 0
