# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal on the lab's gateway, where the commands of documents run as they stand.

It is in the gateway's network namespace. /etc, /var and /run are its own, so the files that documents name are there and
belong to no other: what is written is gone with the stage. The lab's hosts have their names, as in `--netns gateway`.
"""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time

from lab import GATEWAY, HEADGATE, HOSTS, Lab

COLUMNS = 130
PATIENCE = 120

SET_UP = """
trap : INT          # Ctrl-C ends the command, not the shell
shopt -s expand_aliases
mount -t tmpfs stage {root}
mkdir {root}/netns
for host in {hosts}; do
    touch {root}/netns/$host
    mount --bind /run/netns/{tag}-$host {root}/netns/$host
done
for folder in etc var run; do
    mkdir {root}/$folder {root}/$folder.work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir={root}/$folder,workdir={root}/$folder.work /$folder
done
mount --rbind {root}/netns /run/netns
rm -rf /etc/headgate /var/lib/headgate /var/log/headgate /run/headgate
mkdir -p /etc/headgate/conf.d /etc/headgate/policies /etc/systemd/system /var/lib/headgate /var/log/headgate /run/headgate
echo 'headgate:x:64998:64998::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
echo 'alice:x:64999:64998::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
echo 'headgate:x:64998:' >>/etc/group
chown headgate: /var/lib/headgate /var/log/headgate /run/headgate
touch /var/log/headgate/agent.log
cd {home}
"""

# With the user and the capability that the packaged unit gives it.
AGENT = """
setsid setpriv --reuid headgate --regid headgate --clear-groups --inh-caps +net_admin --ambient-caps +net_admin \\
    headgate agent 2>>/var/log/headgate/agent.log &
AGENT=$!
until test -S /run/headgate/headgate.sock || ! kill -0 $AGENT; do sleep 0.05; done
"""


class Stage:
    def __init__(self, lab):
        self.lab = lab
        self.status = 0
        self.afterwards = lambda command: []  # what a scene adds to a command's output
        self.held = contextlib.ExitStack()    # what a scene keeps open
        self._write_programs()
        root, home = lab.folder / "root", lab.folder / "home"
        root.mkdir(), home.mkdir()
        self.screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        mode = termios.tcgetattr(terminal)
        mode[1] &= ~termios.OPOST
        mode[3] &= ~termios.ECHOCTL
        termios.tcsetattr(terminal, termios.TCSANOW, mode)
        script, self.script = os.pipe()
        environment = {"PATH": f"{lab.folder}/bin:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb",
                       "LC_ALL": "C.UTF-8", "AWS_PAGER": ""}
        self.shell = subprocess.Popen(lab.command(GATEWAY, "setsid", "--ctty", "bash", "--norc", f"/dev/fd/{script}"),
                                      stdin=terminal, stdout=terminal, stderr=terminal, pass_fds=[script], env=environment)
        os.close(terminal), os.close(script)
        self.prepare("set -e\n" + SET_UP.format(root=root, home=home, tag=lab.tag, hosts=" ".join(HOSTS)) + "\nset +e")

    def _write_programs(self):
        """The program under test where every user may run it, and sudo(8), which the lab's root does not need."""
        folder = self.lab.folder / "bin"
        folder.mkdir()
        shutil.copy(HEADGATE, folder / "headgate")
        shutil.copytree(pathlib.Path(HEADGATE).parent / "policies", folder / "policies")
        (folder / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (folder / "sudo").chmod(0o755)

    def run(self, command, answer="y", interrupt=False):
        """Runs a command at the terminal, and returns the lines of its output; `status` is its exit status then.

        Questions get the answer. With `interrupt` Ctrl-C ends the command after a second.
        """
        os.write(self.script, f"(exit {self.status}); eval {shlex.quote(command)}; printf '\\036%s\\036' $?\n".encode())
        output, deadline = b"", time.monotonic() + PATIENCE
        while not (ended := re.search(rb"\x1e(\d+)\x1e$", output)):
            seconds = 1 if interrupt else deadline - time.monotonic()
            if select.select([self.screen], [], [], max(0, seconds))[0]:
                output += self._read(output)
                if output.endswith(b"[y/N] "):
                    os.write(self.screen, f"{answer}\n".encode())
            elif interrupt:
                os.write(self.screen, b"\x03")
                interrupt = False
            else:
                raise TimeoutError(f"{command}: does not end; so far it printed\n{output.decode(errors='replace')}")
        self.status = int(ended[1])
        text = output[:ended.start()].decode(errors="replace")
        text = re.sub(r"\r[^\r\n]*\x1b\[K", "", text)  # progress
        return re.sub(r"\x1b\[[\d;]*[mK]", "", text).splitlines()

    def _read(self, output):
        try:
            return os.read(self.screen, 65536)
        except OSError:
            raise AssertionError(f"the shell has ended; it printed\n{output.decode(errors='replace')}") from None

    def prepare(self, command):
        """Runs what is no command of the document, and must succeed."""
        lines = self.run(command)
        assert self.status == 0, (command, lines)
        return lines

    def write(self, path, text, options=""):
        """Writes a file, with options of install(1)."""
        self.prepare(f"install {options} /dev/stdin {path} <<'END'\n{text}\nEND")

    def start_agent(self, configuration):
        self.write("/etc/headgate/headgate.yaml", configuration)
        self.prepare(AGENT)
        self.prepare("test -S /run/headgate/headgate.sock || { cat /var/log/headgate/agent.log; false; }")

    def newest(self, kind=""):
        """The id of the newest operation, of the type if one is given."""
        of_kind = f" --type {kind}" if kind else ""
        lines = self.run("headgate operations list --limit 1 --columns id --no-header -o wide" + of_kind)
        assert self.status == 0 and len(lines) == 1, lines
        return lines[0].strip()

    def close(self):
        self.held.close()
        os.close(self.script)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.wait()
        os.close(self.screen)


@contextlib.contextmanager
def stage_of(purpose):
    with Lab(purpose) as lab:
        stage = Stage(lab)
        try:
            yield stage
        finally:
            stage.close()
