# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted gateway: a Debian root under systemd in a container, in the network namespace of the lab's gateway.

So hosts, traffic and verification tools are the lab's, and the container has only what is under test.
"""

import os
import pathlib
import shlex
import signal
import subprocess

from lab import GATEWAY, wait_until


class Machine:
    def __init__(self, lab, root):
        self.lab = lab
        self.root = pathlib.Path(root)
        self.process = None
        self.init = None  # PID of its process 1 outside of the container

    def __enter__(self):
        # /proc/sys/net belongs to the container's network namespace, so it is writable inside, as on a gateway.
        environment = os.environ | {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
        with open(self.root / "console.log", "w") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--boot", "--keep-unit", "--register=no",
                 f"--network-namespace-path=/run/netns/{self.lab.name(GATEWAY)}",
                 # What the unit and its drop-ins use, and nspawn leaves out.
                 "--capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON,CAP_SYSLOG", "--system-call-filter=bpf",
                 "--machine", self.lab.tag, "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment)
        try:
            self.init = wait_until(self._find_init, "the container begins")
            wait_until(self.is_up, "systemd is up", 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            # systemd-nspawn ends its container: systemd shuts down in order, or is killed.
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _find_init(self):
        assert self.process.poll() is None, (self.root / "console.log").read_text()
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next((int(child) for child in children if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n"), None)

    def is_up(self):
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    # inside of the container

    def words(self, *words, user=None):
        inside = ["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd",
                  "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        return inside + (["runuser", "-u", user, "--"] if user else []) + list(words)

    def run(self, *words, user=None, **options):
        return subprocess.run(self.words(*words, user=user), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, **options)

    def do(self, *words, **options):
        """Runs a command that must succeed; returns its output."""
        done = self.run(*words, **options)
        assert done.returncode == 0, (shlex.join(words), done.returncode, done.stdout[-2000:], done.stderr[-2000:],
                                      self.run("journalctl", "--no-pager", "--lines=30", "--output=cat").stdout)
        return done.stdout

    def start(self, *words, user=None):
        return subprocess.Popen(self.words(*words, user=user), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def file(self, path):
        """The file's path outside of the container; through /proc only for /run, since resolving links fails there."""
        inside = pathlib.Path(f"/proc/{self.init}/root") if path.startswith("/run/") else self.root
        return inside / path.lstrip("/")

    def shows(self, unit, name):
        return self.do("systemctl", "show", "--value", "--property", name, unit).strip()

    def log(self, unit="headgate.service"):
        return self.do("journalctl", "--output=cat", "--unit", unit)
