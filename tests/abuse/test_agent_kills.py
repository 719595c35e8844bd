# SPDX-License-Identifier: GPL-2.0-or-later
"""After repeated kills of a working agent, all operations that it acknowledged are still stored."""

import concurrent.futures
import json
import random
import threading
import time

from figures import Figures, for_a_while
from lab import GATEWAY
from test_agent import headgate, headgate_json, start_agent  # noqa: F401

CLIENTS = [["flush", "--source-port", "1:200", "--yes"], ["capture", "--all"], ["flush", "--all", "--yes"]]


def work(lab, words, ends):
    """Repeats the command until `ends` is set; returns the ids of operations that the agent reported as ended."""
    told = []
    while not ends.is_set():
        done = headgate(lab, *words, "--json")
        if done.returncode in (0, 3):
            told.append(json.loads(done.stdout)["operation_id"])
    return told


def test_what_was_acknowledged_survives_kills_under_load(lab, start_agent):  # noqa: F811
    chance = random.Random(20261128)
    agent = start_agent()
    ends = threading.Event()
    kills = 0
    with concurrent.futures.ThreadPoolExecutor() as clients:
        told = [clients.submit(work, lab, words, ends) for words in CLIENTS]
        for _ in for_a_while():
            lab.fill(1000)
            time.sleep(chance.uniform(0.1, 0.8))
            agent.process.kill()
            agent.process.wait()
            kills += 1
            agent = start_agent()
        ends.set()
        acknowledged = {each for ids in told for each in ids.result()}
    figures = Figures("kills under load", agent.process.pid)
    listed = {each["operation_id"]: each for each in headgate_json(lab, "operations", "list", "--limit", "10000")["operations"]}
    figures.count("kills survived", kills)
    figures.count("operations acknowledged", len(acknowledged))
    figures.count("in the history", len(listed))
    figures.tell()
    assert kills and acknowledged and acknowledged <= set(listed)
    assert all(listed[each]["status"] == "COMPLETED" for each in acknowledged)
    assert not [each for each in listed.values() if each["status"] == "IN_PROGRESS"], "what was cut is settled"
    assert lab.run(GATEWAY, "conntrack", "-C").returncode == 0 and agent.stop() == 0
