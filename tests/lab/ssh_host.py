# SPDX-License-Identifier: GPL-2.0-or-later
"""An sshd on the lab's gateway, with its own ports and keys, and sessions from the client to it."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from lab import CLIENT, GATEWAY, wait_until

GATEWAY4_INSIDE = "10.0.1.1"
HIDDEN_PORT = 2222  # only the process identifies it as SSH


class SshHost:
    def __init__(self, lab):
        self.lab = lab
        self.folder = lab.folder / "ssh"
        self.folder.mkdir()
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / key], check=True)
        configuration = self.folder / "sshd_config"
        configuration.write_text(f"Port 22\nPort {HIDDEN_PORT}\nHostKey {self.folder}/host\n"
                                 f"AuthorizedKeysFile {self.folder}/user.pub\n"
                                 "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nUseDNS no\n")
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        self.server = lab.start(GATEWAY, "/usr/sbin/sshd", "-D", "-f", str(configuration))
        wait_until(lambda: lab.run(GATEWAY, "ss", "-Hltn", f"sport = {HIDDEN_PORT}").stdout, "sshd listens")

    def words(self, *words, port=22, terminal=False):
        return ["ssh", "-tt" if terminal else "-T", "-F", "none", "-i", str(self.folder / "user"), "-p", str(port),
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                f"root@{GATEWAY4_INSIDE}", *words]

    def do(self, command, **options):
        """Runs the command in a session that ends with it."""
        return self.lab.run(CLIENT, *self.words(command, **options), check=False)

    def stay(self, command="echo here; cat", sign="here", **options):
        """Starts a session that stays open, and shows it by a first line with the sign; returns its process and the client's port."""
        before = self.ports()
        session = self.lab.start(CLIENT, *self.words(command, **options))
        wait_until(lambda: self.ports() - before, "the session begins")
        assert sign in session.stdout.readline()
        return session, *(self.ports() - before)

    def open_lab_to_all(self):
        """Lets all users write headgate's files (not the keys), and run a copy of the program, wherever it is built."""
        for each in [self.lab.folder, *self.lab.folder.rglob("*")]:
            if self.folder not in [each, *each.parents]:
                os.chmod(each, 0o777 if each.is_dir() else 0o666)
        self.lab.program = shutil.copy(shutil.which(self.lab.program), str(self.lab.folder / "headgate"))

    def ports(self):
        """The client ports of all sessions, from the kernel."""
        told = self.lab.run(GATEWAY, "ss", "-Htn", "state", "established", f"( sport = 22 or sport = {HIDDEN_PORT} )").stdout
        return {int(line.split()[3].rpartition(":")[2]) for line in told.splitlines()}


@pytest.fixture
def ssh(lab):
    host = SshHost(lab)
    yield host
    lab.stop(host.server)


@contextlib.contextmanager
def tmux(lab):
    """The command of a tmux with its own server, which ends with the test."""
    words = f"env -u TMUX tmux -f /dev/null -S {lab.folder}/tmux"
    try:
        yield words
    finally:
        subprocess.run([*words.split(), "kill-server"], capture_output=True, check=False)


def as_user(*words):
    """The command run by user nobody with CAP_NET_ADMIN, which allows conntrack but not access to root's processes."""
    capability = ["--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"]
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", *capability, *words]
