# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the links between documents: each has a target, and README.md leads to every document.

links.py FILE...: reads those files that are Markdown; those in docs/ must be linked. Prints errors and exits with
status 1, or prints nothing.
"""

import os.path
import pathlib
import re
import sys

FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
OTHER_CODE = re.compile(r"^ {4}.*$|`[^`]*`", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def links_in(document):
    """Links to files of the repository, each as the file and the anchor in it."""
    text = OTHER_CODE.sub("", FENCED.sub("", pathlib.Path(document).read_text()))
    for target in LINK.findall(text):
        if not re.match("[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield os.path.normpath(os.path.join(os.path.dirname(document), file)) if file else document, anchor


def anchors_in(document):
    """Anchors as GitHub forms them: headings in lower case without punctuation, `-` for space, a number if repeated."""
    found = set()
    for heading in HEADING.findall(FENCED.sub("", pathlib.Path(document).read_text())):
        anchor = name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{name}-{number}"
        found.add(anchor)
    return found


def broken_links(document):
    for file, anchor in links_in(document):
        if not os.path.exists(file):
            yield f"{document}: a link leads to {file}, which is not there"
        elif anchor and anchor not in anchors_in(file):
            yield f"{document}: a link leads to {file}#{anchor}, but {file} has no such heading"


def reached_from(document):
    reached, to_read = {document}, [document]
    while to_read:
        further = {file for file, _ in links_in(to_read.pop())} - reached
        reached |= further
        to_read += [file for file in further if file.endswith(".md") and os.path.exists(file)]
    return reached


def faults(files):
    found = [fault for file in files if file.endswith(".md") for fault in broken_links(file)]
    reached = reached_from("README.md")
    return found + [f"{file}: README.md leads to it by no link" for file in files if file.startswith("docs/") and file not in reached]


if __name__ == "__main__":
    wrong = faults(sys.argv[1:])
    print("".join(f"{fault}\n" for fault in wrong), end="")
    sys.exit(1 if wrong else 0)
