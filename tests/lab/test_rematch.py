# SPDX-License-Identifier: GPL-2.0-or-later
"""What `headgate rematch` says of real connections when rules are tightened, and what it ends."""

import json

import pytest

from lab import GATEWAY, HEADGATE, SERVER4
from test_capture import conversation

ACCEPTING = """
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy accept;
        ct state established accept
    }
}
"""
NO_MORE_8080 = "add rule inet filter forward tcp dport 8080 drop\n"


@pytest.fixture
def talks(lab):
    lab.load_rules(ACCEPTING)
    yield conversation(lab), conversation(lab, port=8081)
    lab.run(GATEWAY, "nft", "flush", "ruleset")


def rematch(lab, *words, status=0):
    return lab.headgate_json("rematch", "--all", *words, status=status)


def test_nothing_is_refused_as_long_as_the_rules_allow_it(lab, talks):
    result = rematch(lab, "--show", "all", status=3)
    assert result["type"] == "FLOW_REMATCH" and result["status"] == "COMPLETED"
    assert result["counts"]["allowed"] >= 2 and result["counts"]["refused"] == 0
    assert {flow["verdict"]["result"] for flow in result["flows"]} == {"allowed"}


def test_names_the_rule_that_refuses_a_flow_and_flushes_that_flow_alone(lab, talks):
    lab.load_rules(NO_MORE_8080)
    refused, others = talks
    assert refused.goes_on(), "an established connection goes on under the old decision"
    result = rematch(lab)
    [flow] = result["flows"]
    assert flow["destination_port"] == 8080 and flow["verdict"]["result"] == "refused" and flow["verdict"]["kind"] == "drop"
    rule = flow["verdict"]["rule"]
    assert (rule["family"], rule["table"], rule["chain"]) == ("inet", "filter", "forward")
    assert "tcp dport 8080 drop" in rule["text"]
    assert f"# handle {rule['handle']}" in lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout
    [by] = result["refused_by"]
    assert by["flows"] == 1 and by["rule"] == rule

    flushed = rematch(lab, "--flush", "--yes")
    assert flushed["type"] == "FLOW_FLUSH" and flushed["counts"]["flushed"] == 1
    assert flushed["flows"][0]["verdict"]["result"] == "refused" and flushed["flows"][0]["outcome"] == "flushed"
    assert not refused.goes_on(seconds=2) and others.goes_on()
    rematch(lab, status=3)


def test_judges_a_candidate_without_loading_it_and_flushes_nothing_by_it(lab, talks, tmp_path):
    before = lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout
    (tmp_path / "new.nft").write_text(NO_MORE_8080)
    result = rematch(lab, "--ruleset", tmp_path / "new.nft")
    [flow] = result["flows"]
    assert flow["destination_port"] == 8080 and "handle" not in flow["verdict"]["rule"]
    assert result["ruleset"]["source"] == "candidate"
    refused = lab.headgate("flush", "--from-capture", result["operation_id"], "--yes", check=False)
    assert refused.returncode == 5 and "load the candidate" in refused.stderr
    assert lab.run(GATEWAY, "nft", "-a", "list", "ruleset").stdout == before
    assert all(talk.goes_on() for talk in talks)


def test_a_candidate_that_does_not_load_is_one_clear_error(lab, talks, tmp_path):
    (tmp_path / "new.nft").write_text("add rule inet filter forward tcp dprot 8080 drop\n")
    done = lab.headgate("rematch", "--all", "--ruleset", tmp_path / "new.nft", check=False)
    assert done.returncode == 1 and "syntax error" in done.stderr


def test_a_flush_by_older_verdicts_is_refused_once_the_rules_have_changed(lab, talks):
    lab.load_rules(NO_MORE_8080)
    result = rematch(lab)
    lab.load_rules("add rule inet filter forward udp dport 53 drop\n")
    done = lab.headgate("flush", "--from-capture", result["operation_id"], "--yes", check=False)
    assert done.returncode == 5 and "the ruleset has changed since the flows were judged" in done.stderr
    assert lab.headgate_json("capture", "--dport", "8080")["counts"]["matched"] == 1


def test_asks_for_the_outcome_of_a_dry_run_first(lab, talks):
    lab.load_rules(NO_MORE_8080)
    result = rematch(lab, "--flush", "--dry-run")
    assert result["dry_run"] and result["counts"]["flushed"] == 0 and result["counts"]["matched"] == 1
    done = lab.headgate("rematch", "--all", "--flush", check=False)
    assert done.returncode == 5 and "requires --yes" in done.stderr
