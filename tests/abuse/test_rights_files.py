# SPDX-License-Identifier: GPL-2.0-or-later
"""Input files that never end: pipes without a writer, or with a writer that never writes. The command holds no lock
while it reads, blocks nothing else, and ends at once on a signal."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "lab")]

from lab import GATEWAY, wait_until  # noqa: E402
from lab_fixtures import lab, root  # noqa: E402, F401


def is_asleep_on_a_poll(process):
    try:
        return "poll" in pathlib.Path(f"/proc/{process.pid}/wchan").read_text()
    except FileNotFoundError:
        return False


def test_a_pipe_without_a_writer_locks_nothing_and_a_signal_ends_it(lab, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    silent = os.open(pipe, os.O_RDWR)
    ended = []
    for given, number in ((str(pipe), signal.SIGTERM), ("/dev/stdin", signal.SIGINT), ("-", signal.SIGTERM)):
        process = subprocess.Popen(lab.headgate_words("flush", "--from-capture", given, "--yes"), stdin=silent,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: is_asleep_on_a_poll(process), "it waits for what it is given")
        assert lab.headgate("capture", "--all").returncode in (0, 3), "the endpoint is free meanwhile"
        begun = time.monotonic()
        process.send_signal(number)
        process.wait(timeout=10)
        ended.append(time.monotonic() - begun)
        assert process.returncode == -number, process.stderr.read()
    os.close(silent)
    print(f"\npipes that nobody writes into: {len(ended)} given, 0 locks held; the slowest was ended by a signal after "
          f"{1000 * max(ended):.0f} ms")


def test_a_capture_may_come_through_a_pipe(lab):
    lab.fill(10)
    captured = lab.headgate_json("capture", "--destination-port", "53")
    assert len(captured["flows"]) == 10
    text = json.dumps(captured)
    done = subprocess.run(lab.headgate_words("flush", "--from-capture", "-", "--yes", "--json"), input=text, capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["counts"]["flushed"] == 10, done
    lab.fill(10)
    substituted = lab.headgate_line("capture", "--destination-port", "53", "--json")
    line = lab.headgate_line("flush", "--yes", "--json") + f" --from-capture <({substituted})"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["counts"]["flushed"] == 10, done


def test_no_file_that_is_named_may_be_a_pipe_that_hangs(lab, tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)

    def configured(text):
        file = tmp_path / "headgate.yaml"
        file.write_text(f"state_dir: {lab.folder}/state\naudit_log: {lab.folder}/audit.log\n{text}")
        return str(file)

    tls = "http: {{listeners: [{{address: 127.0.0.1, port: 8443, tls: {{certificate: {}, key: {}}}}}], credentials: {}}}\n"
    named = {
        "--config": lambda: ["check-config", "--config", pipe],
        "agent --config": lambda: ["agent", "--config", pipe],
        "a policy": lambda: ["policy", "apply", pipe, "--netns", lab.name(GATEWAY), "--config", str(lab.configuration)],
        "flush with a policy": lambda: ["flush", "--all", "--yes", "--stream-exception-policy", pipe, "--netns", lab.name(GATEWAY),
                                        "--config", str(lab.configuration)],
        "a certificate": lambda: ["check-config", "--config", configured(tls.format(pipe, "/dev/null", "/dev/null"))],
        "a key": lambda: ["check-config", "--config", configured(tls.format("/etc/hostname", pipe, "/dev/null"))],
        "credentials": lambda: ["check-config", "--config", configured(f"http: {{credentials: {pipe}}}\n")],
        "the flow log": lambda: ["log", "--file", pipe],
        "a network namespace": lambda: ["capture", "--all", "--netns", pipe, "--config", str(lab.configuration)],
    }
    slowest = 0
    for name, words in named.items():
        begun = time.monotonic()
        done = subprocess.run(lab.command(GATEWAY, lab.headgate_words("x")[0], *words()), capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)
        slowest = max(slowest, time.monotonic() - begun)
        assert "Traceback" not in done.stderr and (done.returncode != 0 or "pipe" in done.stderr), (name, done)
    print(f"\npipes in place of files: {len(named)} named, 0 hung, the slowest answer after {1000 * slowest:.0f} ms")
