# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo completes, restores the machine, installs only what it needs, and skips parts with missing dependencies."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import demo

TESTS = pathlib.Path(__file__).resolve().parents[1]
INSTALL = TESTS.parent / "packaging/install-deps.sh"


def run_demo(**environment):
    return subprocess.run([sys.executable, demo.__file__], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=os.environ | environment)


def stand_ins(folder, **scripts):
    """A PATH with these programs first."""
    for name, script in scripts.items():
        (folder / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name.replace("_", "-")).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def installed_for(folder, *purposes):
    """Packages that install-deps.sh would install on a machine without any of them, even without Node.js."""
    path = stand_ins(folder, dpkg_query="exit 1", apt_get='[ "$1" = update ] || echo "$@" >&2', id="echo 0")
    for tool in ("sh", "sed", "tr"):
        (folder / tool).symlink_to(shutil.which(tool))
    done = subprocess.run([INSTALL, *purposes], capture_output=True, text=True, env={"PATH": path.split(":")[0]})
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_demo_takes_no_browser_no_linters_no_packagers_and_no_test_libraries(tmp_path):
    taken = installed_for(tmp_path, "demo")
    assert {"build-essential", "libpoco-dev", "conntrack", "nftables", "socat", "jq", "python3"} <= taken
    for needless in ("libgtest-dev", "libnetfilter-conntrack-dev", "chromium", "clang", "clang-tidy", "shellcheck", "lintian",
                     "debhelper", "rpm", "mmdebstrap", "python3-pytest", "npm"):
        assert needless not in taken


def test_without_a_purpose_what_all_of_them_take_is_installed(tmp_path):
    purposes = ("program", "demo", "build", "clang", "test", "node", "browser", "packages", "judges", "lint", "bench")
    for folder in ("all", "each"):
        (tmp_path / folder).mkdir()
    assert installed_for(tmp_path / "all") == installed_for(tmp_path / "each", *purposes)


def test_no_package_is_named_by_a_version_of_its_program_which_another_debian_does_not_have(tmp_path):
    assert [package for package in installed_for(tmp_path) if re.search(r"(clang|gcc|g\+\+|llvm)[a-z-]*-\d", package)] == []


def test_a_purpose_that_there_is_none_of_is_refused():
    done = subprocess.run([INSTALL, "demos"], capture_output=True, text=True)
    assert done.returncode == 2 and "no such purpose: demos (there are: program demo build " in done.stderr


@pytest.fixture
def api_without_sdk(tmp_path, monkeypatch):
    folder = tmp_path / "api"
    folder.mkdir()
    for name in ("package.json", "package-lock.json", "demo.mjs"):
        shutil.copy(TESTS / "api" / name, folder)
    monkeypatch.setattr(demo, "API_TESTS", str(folder))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")
def test_where_npm_does_not_reach_its_registry_the_part_with_the_sdk_is_left_out_with_a_sentence(
        api_without_sdk, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    demo.sdk(lab=None)
    [sentence] = capsys.readouterr().out.strip().splitlines()
    assert sentence.startswith("# The AWS SDK for JavaScript can be pointed at the agent, too. This part is left out: npm does not "
                               "get it from its registry (npm "), sentence
    assert "ECONNREFUSED" in sentence


def test_where_there_is_no_node_the_part_with_the_sdk_is_left_out_with_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    demo.sdk(lab=None)
    assert capsys.readouterr().out == ("\n# The AWS SDK for JavaScript can be pointed at the agent, too. "
                                       "This part is left out: node is not installed.\n")


def test_a_tool_that_fails_is_named_with_what_it_said(root, tmp_path):
    done = run_demo(PATH=stand_ins(tmp_path, nft="echo 'nft: Operation not supported' >&2; exit 1"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("demo: ip netns exec ") and "-gateway nft -f - ended with 1\nnft: Operation not supported\n" in done.stderr


def test_an_agent_that_ends_at_once_is_reported_with_its_output(lab, capsys):
    with pytest.raises(SystemExit) as ended, demo.agent_on(lab, "sh", "-c", "echo 'headgate: no such thing' >&2; exit 4"):
        pass
    assert str(ended.value) == "demo: headgate agent ended with 4:\nheadgate: no such thing"


def test_the_demo_shows_a_flush_and_cleans_up(root):
    done = run_demo()
    assert done.returncode == 0, done.stderr
    assert "1 flushed, 0 gone, 0 failed, 0 protected" in done.stdout
    assert "no more answers; the other three conversations go on" in done.stdout
    for line in ("the client sends: the server gets it\nthe flow is in the table again\n",
                 "the client sends: the client gets a reset\nthe server sends: the server gets a reset\nthe flow is not in the table\n",
                 "the server sends: nothing comes back\nthe client sends: nothing comes back\nthe flow is not in the table\n",
                 "state                   missing\n"):
        assert line in done.stdout
    assert "2 of 2 flows match: 2 flushed, 0 gone, 0 failed, 0 protected\n" in done.stdout
    assert '"action":"flush","caller":{"face":"unix","uid":0,"user":"root"}' in done.stdout
    flushed = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 4]
    assert len(flushed) == 3 and all(each[:4] == ["10.0.1.2", "10.0.2.2", "8080", "ESTABLISHED"] for each in flushed)
    assert len({each[4] for each in flushed}) == 2  # the operation's id, and another program's name
    namespaces = {word for word in done.stdout.split() if word.endswith("-gateway")}
    assert namespaces and not any(os.path.exists(f"/run/netns/{name}") for name in namespaces)
