# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands in the documents, and whether what they print has the form of what the documents show.

A document shows commands in three ways:

- a block between ``` whose lines begin with `$ `: each with its whole output. `...` on a line of its own stands for any
  lines, within a line for any text. A command ends with status 0, unless `$ echo $?` below it shows another;
- a block between ```sh and ```, and each line of an indented block: without output.

Blocks of other languages, and those without a `$ `, are no commands.
"""

import dataclasses
import difflib
import re

PROMPT = "$ "


@dataclasses.dataclass
class Command:
    text: str                   # as a shell accepts it
    section: str                # the heading above it
    line: int                   # of the document
    block: int                  # the line where its block begins
    shown: list | None = None   # the lines of its output; None if the document shows none

    @property
    def output_lines(self):
        """Where the shown output is in the document: the number of its first line, from 0, and of the line after it."""
        begin = self.line + self.text.count("\n")
        return begin, begin + len(self.shown)


def commands_in(document):
    """All commands of a document's text, in its order."""
    found, section, lines = [], "", document.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        if fence := re.match("```(.*)", line):
            end = next(end for end in range(number + 1, len(lines)) if lines[end].startswith("```"))
            found += _commands_of_block(fence[1], lines[number + 1:end], section, number + 2)
            number = end
        elif heading := re.match("#+ (.*)", line):
            section = heading[1]
        elif line.startswith("    ") and lines[number - 1] == "":
            block = number + 1
            while number < len(lines) and lines[number].startswith("    "):
                found.append(Command(lines[number].strip(), section, number + 1, block))
                number += 1
            continue
        number += 1
    return found


def _commands_of_block(language, lines, section, first):
    if language == "sh":
        return [Command("\n".join(lines), section, first, first)]
    found = []
    if language == "" and lines and lines[0].startswith(PROMPT):
        for number, line in enumerate(lines, first):
            if line.startswith(PROMPT):
                found.append(Command(line.removeprefix(PROMPT), section, number, first, []))
            elif not found[-1].shown and found[-1].text.endswith("\\"):
                found[-1].text += "\n" + line
            else:
                found[-1].shown.append(line)
    return found


# What differs from run to run, in the order in which it is recognised.
VARIABLE = re.compile(r"""
    (?P<id>         \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b | \b[0-9a-f]{8}\b )
  | (?P<time>       \b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d{4})? | \b\d\d:\d\d:\d\dZ?(?!\w) )
  | (?P<ipv6>       (?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d+)?(?![\w:]) )
  | (?P<ipv4>       \b\d+\.\d+\.\d+\.\d+(?:/\d+)?\b )
  | (?P<size>       \b\d+(?:\.\d+)?\ (?:B|[KMGT]iB)\b )
  | (?P<duration>   \b(?:\d+[dhms])+\b | \b\d+(?:\.\d+)?\ m?s\b )
  | (?P<number>     (?<![\w.])\d+(?:\.\d+)?(?!\w) )
""", re.VERBOSE)
ID = re.compile(VARIABLE.pattern.split("(?P<id>")[1].split(")\n")[0], re.VERBOSE)


def form(line):
    """The line without what differs from run to run. 0 is not like other numbers: `0 flushed` is not `2 flushed`."""
    kept = VARIABLE.sub(lambda found: "0" if found[0] == "0" else f"<{found.lastgroup}>", line.rstrip())
    return re.sub(" {2,}", "  ", kept)


def forms(lines):
    """The lines' forms. Neighbouring lines that name flows are sorted, since the kernel has flows in no order."""
    made = [form(line) for line in lines]
    begin = 0
    for end in range(len(made) + 1):
        if end == len(made) or len(re.findall("<ipv[46]>", made[end])) < 2:
            made[begin:end] = sorted(made[begin:end])
            begin = end + 1
    return made


def has_form_of(shown, real):
    """Whether the lines of the real output are those that a document shows, apart from what differs from run to run."""
    def pattern(line):
        if line.strip() == "...":
            return r"(?:.*\n)*"
        return ".*".join(re.escape(part) for part in re.split(r" ?\.\.\. ?", line)) + "\n"

    return re.fullmatch("".join(map(pattern, forms(shown))), "".join(f"{line}\n" for line in forms(real))) is not None


def difference(shown, real):
    """The lines of the document, with `-` in front of those to remove and `+` of the real ones in their place."""
    lines = []
    for what, begin, end, real_begin, real_end in difflib.SequenceMatcher(
            None, [form(line) for line in shown], [form(line) for line in real], autojunk=False).get_opcodes():
        if what == "equal":
            lines += [f" {line}" for line in shown[begin:end]]
        else:
            lines += [f"-{line}" for line in shown[begin:end]] + [f"+{line}" for line in real[real_begin:real_end]]
    return lines


class Ids:
    """Which real operation each id of a document stands for."""

    def __init__(self):
        self.real = {}  # by the document's whole ids, and by short ones that stand for no known whole one

    def learn(self, shown, real):
        pairs = zip(ID.findall("\n".join(shown)), ID.findall("\n".join(real)))
        self.real |= {there: here for there, here in pairs if not self._whole(there)}

    def _whole(self, id):
        return next((there for there in self.real if there.startswith(id)), None)

    def made_real(self, command, newest):
        """The command with the ids of real operations; one of which nothing is known stands for the newest operation."""
        def real_of(found):
            whole = self._whole(found[0])
            if whole is None:
                whole = found[0]
                self.real[whole] = newest()
            return self.real[whole][:len(found[0])]

        return ID.sub(real_of, command)

    def as_documented(self, text):
        """Real output with the ids that the document has for these operations."""
        for there, here in self.real.items():
            text = text.replace(here, there).replace(here[:8], there[:8])
        return text
