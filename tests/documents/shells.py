# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs shells on pseudo-terminals, types keys, and reads the completions."""

import contextlib
import os
import pathlib
import pty
import select
import subprocess
import threading
import time

PATIENCE = 30
PROJECT = pathlib.Path(__file__).resolve().parents[2]
COMPLETION = PROJECT / "packaging" / "completion"

# In both, one key inserts all possible completions, and one writes the line to descriptor 3 and begins a new line.
BASH = f"""
source {COMPLETION}/headgate.bash
tell() {{ printf '%s\\n' "$READLINE_LINE" >&3; READLINE_LINE= READLINE_POINT=0; }}
bind '"\\C-x1": insert-completions'
bind -x '"\\C-x2": tell'
"""
ZSH = f"""
fpath=({COMPLETION} $fpath)
autoload -Uz compinit && compinit -u -D
zle -C everything complete-word _generic
zstyle ':completion:everything:*' completer _all_matches _complete
zstyle ':completion:everything:*' insert true
zstyle ':completion:*' list-colors ''
tell() {{ print -r -- $BUFFER >&3; BUFFER= }}
zle -N tell
bindkey '^X1' everything
bindkey '^X2' tell
"""
SHELLS = {"bash": (["bash", "--norc", "--noprofile", "-i"], BASH), "zsh": (["zsh", "-f", "-i"], ZSH)}


class Shell:
    def __init__(self, name, folder, program):
        words, setup = SHELLS[name]
        (folder / "setup").write_text(setup)
        os.mkfifo(folder / "told")
        self.told = os.open(folder / "told", os.O_RDONLY | os.O_NONBLOCK)
        self.keyboard, terminal = pty.openpty()
        environment = {"PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}", "TERM": "xterm", "HOME": str(folder),
                       "HISTFILE": "/dev/null", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(["setsid", "--ctty", *words], stdin=terminal, stdout=terminal, stderr=terminal,
                                        cwd=folder, env=environment)
        os.close(terminal)
        self.shown = b""
        threading.Thread(target=self.watch, daemon=True).start()
        self.type("exec 3>told; . ./setup; echo ready >&3\r")
        assert self.line() == "ready"

    def watch(self):
        """Reads the terminal's output, since a full terminal blocks the shell."""
        with contextlib.suppress(OSError):
            while True:
                self.shown += os.read(self.keyboard, 4096)

    def type(self, keys):
        os.write(self.keyboard, keys.encode())

    def line(self):
        line, end = b"", time.monotonic() + PATIENCE
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.told], [], [], max(0, end - time.monotonic()))
            assert ready, f"nothing comes; the terminal shows {self.shown.decode(errors='replace')}"
            byte = os.read(self.told, 1)
            assert byte, f"the shell is gone; the terminal shows {self.shown.decode(errors='replace')}"
            line += byte
        return line.decode().strip()

    def completions(self, typed):
        """Completions of the last word, which may be empty, without the suffix (`=` or `/`) that a shell appends."""
        self.type(typed + "\x181\x182")
        kept = typed[:typed.rfind(" ") + 1]
        completed = self.line()
        assert completed.startswith(kept.strip()), (typed, completed)
        return {word.rstrip("=/") for word in completed[len(kept):].split()}

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)
        os.close(self.told)
