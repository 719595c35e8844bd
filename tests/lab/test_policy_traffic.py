# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies are applied, changed and removed on a gateway with traffic, and no packet is lost."""

import threading

from lab import CLIENT, SERVER4, SERVER6, wait_until
from traffic import UDP, Conversation

PINGS = 2000


class Carrying(threading.Thread):
    """Sends numbered blocks back and forth continuously until stopped."""

    def __init__(self, conversation):
        super().__init__()
        self.conversation = conversation
        self.blocks = 0
        self.ended = threading.Event()
        self.lost = False
        self.start()

    def run(self):
        while not self.ended.is_set() and not self.lost:
            self.lost = not self.conversation.loses_nothing(blocks=10)
            self.blocks += 10

    def end(self):
        self.ended.set()
        self.join()


def changes(lab, folder):
    """Changes of policies by an operator; each call returns when the change is complete."""
    policies = [
        lab.write_policy(folder, "drop_all", "drop", scope="all"),
        lab.write_policy(folder, "reject_all", "reject", scope="all", hooks="[forward, input, output]"),
        lab.write_policy(folder, "drop_flushed", "drop", scope="flushed"),
        lab.write_policy(folder, "reject_flushed", "reject", scope="flushed", remember_at_most=1000, priority=-150),
        lab.write_policy(folder, "small", "reject", scope="flushed", remember_at_most=100),
        "continue",
    ]
    while True:
        for policy in policies:
            for again in range(2):
                lab.apply(policy)
                yield
            lab.fill(50)
            lab.headgate_json("flush", "--source", "10.9.0.1", "--yes")
            yield
        assert lab.headgate("policy", "remove").returncode == 0
        yield


def test_no_packet_of_other_flows_is_lost_while_policies_change(lab, tmp_path):
    with Conversation(lab, SERVER4) as tcp4, Conversation(lab, SERVER6) as tcp6, \
            Conversation(lab, SERVER4, protocol=UDP) as udp4, Conversation(lab, SERVER6, protocol=UDP) as udp6:
        streams = [Carrying(conversation) for conversation in (tcp4, tcp6, udp4, udp6)]
        pings = [lab.start(CLIENT, "ping", "-q", "-i", "0.002", "-c", str(PINGS), address) for address in (SERVER4, SERVER6)]
        try:
            wait_until(lambda: all(stream.blocks > 100 for stream in streams), "the streams flow")
            done = 0
            for _ in changes(lab, tmp_path):
                done += 1
                if done > 20 and all(ping.poll() is not None for ping in pings):
                    break
        finally:
            for stream in streams:
                stream.end()
        assert not any(stream.lost for stream in streams)
        for ping in pings:
            assert f"{PINGS} packets transmitted, {PINGS} received, 0% packet loss" in ping.stdout.read()
