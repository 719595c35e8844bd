# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard and the alerts shipped with headgate use only metrics that an agent exports."""

import json
import pathlib
import re
import subprocess

import pytest
import yaml

from lab import wait_until
from test_agent import headgate, start_agent  # noqa: F401 -- a fixture

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
OF_PROMETHEUS = {"job", "instance"}  # labels that Prometheus adds
METRIC = re.compile(r"\b((?:headgate|process)_[a-z_]+)\b(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPING = re.compile(r"\b(?:by|on|group_left|without|ignoring) \(([^)]*)\)")


def alerts():
    groups = yaml.safe_load((PACKAGING / "prometheus" / "headgate.rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard():
    return json.loads((PACKAGING / "grafana" / "headgate.json").read_text())


def expressions(part):
    """All Prometheus expressions in a part of the dashboard."""
    if isinstance(part, dict):
        found = [part[key] for key in ("expr", "definition") if isinstance(part.get(key), str)]
        return found + [each for value in part.values() for each in expressions(value)]
    if isinstance(part, list):
        return [each for value in part for each in expressions(value)]
    return []


@pytest.fixture
def told(lab, start_agent):  # noqa: F811
    """The labels of all series that an agent exports, by metric."""
    start_agent()
    assert headgate(lab, "policy", "apply", "drop").returncode == 0
    lab.fill(1)
    assert headgate(lab, "flush", "--all", "--yes").returncode == 0

    def read():
        done = subprocess.run(["curl", "-sS", "--unix-socket", lab.folder / "headgate.sock", "http://agent/metrics"],
                              capture_output=True, text=True, check=True)
        return done.stdout

    # Series of requests and records exist only after the first request and record.
    wait_until(lambda: "headgate_http_requests_total" in (text := read()) and "headgate_flow_log_sink_up" in text,
               "a record is written")
    labels = {}
    for series in re.findall(r"^(\w+)(?:\{(.*)\})? ", read(), re.MULTILINE):
        labels.setdefault(series[0], set()).update(LABEL.findall(series[1]))
    return labels


def check(expression, told):
    """Checks the expression; returns the labels of its result."""
    metrics = METRIC.findall(expression)
    assert metrics, expression
    for name, selector in metrics:
        assert name in told, f"{name} is not told: {expression}"
        assert set(LABEL.findall(selector)) <= told[name] | OF_PROMETHEUS, expression
    known = set().union(*(told[name] for name, _ in metrics)) | OF_PROMETHEUS
    grouped = {label.strip() for labels in GROUPING.findall(expression) for label in labels.split(",")}
    assert grouped <= known, expression
    return grouped if expression.startswith("sum by") else known


def test_alerts_and_dashboard_use_metrics_that_the_agent_has(told):
    for alert in alerts():
        labels = check(alert["expr"], told)
        assert set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"]))) <= labels, alert["alert"]
    asked = expressions(dashboard())
    assert len(asked) > 30
    for expression in asked:
        check(expression, told)


def test_every_alert_describes_the_fault_and_the_remedy():
    names = [alert["alert"] for alert in alerts()]
    assert len(set(names)) == len(names)
    for alert in alerts():
        assert re.fullmatch(r"Headgate[A-Za-z]+", alert["alert"])
        assert alert["labels"]["severity"] in ("info", "warning", "critical")
        assert set(alert["annotations"]) == {"summary", "description"}
        for text in alert["annotations"].values():
            assert text.count("{{") == text.count("}}") and not text.endswith("\n")


def test_panels_lie_beside_each_other_and_have_a_name_and_something_to_show():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert panel["title"] and place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]
