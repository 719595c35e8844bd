# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab for programs in other languages: hosts, an agent with a console, and traffic. Reads commands and writes
replies, each a line of JSON: {"do": "talk", "with": {...}}. The first reply has the console's address. Exits at end of
input."""

import json
import os
import pathlib
import stat
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "lab"), str(TESTS / "api")]

from lab import GATEWAY, SERVER4, SERVER6, Lab, wait_until  # noqa: E402
from service import PLAIN, TOKENS, Service, sha256  # noqa: E402

CONFIGURATION = """
region: {region}
firewalls:
  - name: edge
    endpoints: [{{availability_zone: a}}]
  - name: core
    endpoints: [{{availability_zone: a, netns: {other}}}]
protected: ["destination-port=5300,protocol=udp"]
http:
  socket: {folder}/headgate.sock
  listeners: [{{address: 127.0.0.1, port: 8443}}]
  credentials: {folder}/credentials.yaml
"""

OPEN_CONFIGURATION = CONFIGURATION.replace("  credentials: {folder}/credentials.yaml\n", "  insecure_loopback: true\n")

LONG_NAME = "an-engineer-on-call-whose-name-is-longer-than-most-columns-are-wide"


class Host:
    def __init__(self, lab):
        self.lab = lab
        self.talks = []
        self.service = Service(lab, CONFIGURATION)
        credentials = (lab.folder / "credentials.yaml").read_text()
        self.service.write_credentials(credentials.replace(
            "certificates:", f"  - {{name: {LONG_NAME}, sha256: {sha256('token-of-a-long-name')}, role: operator}}\ncertificates:"))
        self.capture = subprocess.run([os.environ["WRITE_CAPTURE"], f"{lab.folder}/state", "1000000"],
                                      check=True, capture_output=True, text=True).stdout.strip()
        self.service.start()
        lab.serve_echo(8080)
        lab.serve_echo(5300, "udp")

    def chromium(self):
        """Path of a command that starts Chromium on the gateway."""
        command = self.lab.folder / "chromium"
        command.write_text(f"#!/bin/sh\nexec {' '.join(self.lab.command(GATEWAY, '/usr/bin/chromium'))} \"$@\"\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        return str(command)

    def greeting(self):
        return {"url": f"http://127.0.0.1:{PLAIN}/", "tokens": TOKENS | {"long": "token-of-a-long-name"}, "chromium": self.chromium(),
                "longName": LONG_NAME, "server": SERVER4, "server6": SERVER6,
                "million": self.capture}

    def talk(self, port=8080, protocol="tcp", count=1, address=SERVER4):
        """Starts conversations, and returns when each has had a response."""
        begun = [self.lab.talk(address, port, protocol) for _ in range(count)]
        self.talks += begun
        for each in begun:
            wait_until(lambda each=each: each.heard() > 0, "an answer")

    def going_on(self, number):
        return self.talks[number].goes_on(2)

    def fill(self, count):
        self.lab.fill_many(count)

    def flows(self):
        return self.lab.count()

    def kill_agent(self):
        self.service.process.kill()
        self.service.process.wait()

    def start_agent(self):
        self.service.start()

    def open_agent(self):
        """Restarts the agent with a configuration that requires no credentials."""
        self.service.stop()
        self.service.configure(OPEN_CONFIGURATION)
        self.service.start()

    def flow_log(self):
        return [json.loads(line) for line in (self.lab.folder / "flow.json").read_text().splitlines()]

    def conntrack_delete(self, port):
        self.lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp", "--dport", str(port), check=False)


def main():
    with Lab(f"browser {sys.argv[1]}") as lab:
        host = Host(lab)
        print(json.dumps({"answer": host.greeting()}), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            try:
                answer = {"answer": getattr(host, order["do"])(**order.get("with", {}))}
            except Exception as error:  # noqa: BLE001 -- every error is reported to the test
                answer = {"error": repr(error)}
            print(json.dumps(answer), flush=True)
        host.service.stop()


main()
