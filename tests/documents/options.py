# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether headgate has the options that a document names, by its own help."""

import functools
import os
import re
import subprocess

HEADGATE = os.environ.get("HEADGATE", "headgate")


@functools.cache
def help_of(*words):
    """The help of headgate, or of one of its commands, without its examples; empty if there is no such command."""
    done = subprocess.run([HEADGATE, "help", *words], capture_output=True, text=True)
    return done.stdout.partition("\nExamples:")[0] if done.returncode == 0 else ""


def unknown_options(line):
    """The options in a line for a shell that headgate's commands there do not have, each with its command."""
    for command in re.split(r"\||;|&&|\n|<\(|\)", line.replace("\\|", " ").replace("\\\n", " ")):
        words = [word for word in command.split("#")[0].replace("'", "").split() if word != "sudo"]
        if words[:1] == ["headgate"]:
            names = [word for word in words[1:3] if re.fullmatch("[a-z][a-z-]*", word)]
            names = next((names[:count] for count in (2, 1) if names[:count] and help_of(*names[:count])), [])
            known = help_of() + (help_of(*names) if names else "")
            for option in [word.split("=")[0] for word in words if re.match("--?[a-z]", word)]:
                if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known):
                    yield option, " ".join(["headgate", *names])
