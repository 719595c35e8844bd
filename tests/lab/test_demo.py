"""The demo runs to its end and leaves the machine as it was."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
def test_the_demo_shows_a_flush_and_cleans_up():
    demo = os.path.join(os.path.dirname(__file__), "demo.py")
    done = subprocess.run([sys.executable, demo], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "1 flushed, 0 gone, 0 failed, 0 protected" in done.stdout
    assert "no more answers; the other three conversations go on" in done.stdout
    for line in ("the client sends: the server gets it\nthe flow is in the table again\n",
                 "the client sends: the client gets a reset\nthe server sends: the server gets a reset\nthe flow is not in the table\n",
                 "the server sends: nothing comes back\nthe client sends: nothing comes back\nthe flow is not in the table\n",
                 "kernel                  missing\n"):
        assert line in done.stdout
    assert "2 of 2 flows match: 2 flushed, 0 gone, 0 failed, 0 protected\n" in done.stdout
    assert '"action":"flush","caller":{"face":"unix","uid":0,"user":"root"}' in done.stdout
    flushed = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 4]
    assert len(flushed) == 3 and all(each[:4] == ["10.0.1.2", "10.0.2.2", "8080", "ESTABLISHED"] for each in flushed)
    assert len({each[4] for each in flushed}) == 2  # the operation, and whoever it was
    namespaces = {word for word in done.stdout.split() if word.endswith("-gateway")}
    assert namespaces and not any(os.path.exists(f"/run/netns/{name}") for name in namespaces)
