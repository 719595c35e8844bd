# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors in the links between documents that `make lint` reports."""

import pytest

from links import faults


@pytest.fixture
def faults_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write_and_check(**documents):
        """`a__b` names the file a/b.md."""
        files = [f"{name.replace('__', '/')}.md" for name in documents]
        for file, text in zip(files, documents.values()):
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text)
        return faults(files)

    return write_and_check


def test_a_document_is_linked_if_a_reader_comes_to_it_through_others(faults_of):
    assert faults_of(README="[a](docs/a.md)", docs__a="[b](b.md)", docs__b="[back](../README.md)") == []


def test_a_document_that_no_other_links_to_is_found(faults_of):
    assert faults_of(README="[a](docs/a.md)", docs__a="", docs__b="[a](a.md)") == ["docs/b.md: README.md leads to it by no link"]


def test_a_link_to_a_file_that_is_not_there_is_found(faults_of):
    assert faults_of(README="[the\nmanual](docs/a.md)") == ["README.md: a link leads to docs/a.md, which is not there"]
    assert faults_of(README="![picture](a.png)") == ["README.md: a link leads to a.png, which is not there"]


def test_a_link_to_a_heading_that_is_not_there_is_found(faults_of):
    assert faults_of(README="[a](docs/a.md#one)", docs__a="# Two\n```\n# One\n```\n") == [
        "README.md: a link leads to docs/a.md#one, but docs/a.md has no such heading"]
    assert faults_of(README="# Here\n[b](#there)") == ["README.md: a link leads to README.md#there, but README.md has no such heading"]


@pytest.mark.parametrize("heading, anchor", [
    ("## Who may do what", "who-may-do-what"),
    ("### A flow's `id`, and its age", "a-flows-id-and-its-age"),
    ("# `nf_conntrack_tcp_loose=0`", "nf_conntrack_tcp_loose0"),
    ("# Limits\n# Limits", "limits-1"),
])
def test_a_heading_has_the_anchor_that_github_gives_it(faults_of, heading, anchor):
    assert faults_of(README=f"[here](#{anchor})\n\n{heading}\n") == []


def test_what_is_code_or_elsewhere_is_not_looked_at(faults_of):
    assert faults_of(README="```\n[a](a.md)\n```\n\n    [b](b.md)\n\n`[c](c.md)` [d](https://example.org/d.md)\n") == []
