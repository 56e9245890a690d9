"""What is written down about the figures is what the code shows: the handbook, the dashboard, the alert rules."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ivr.watch.figures import FIGURES, PREFIX, described_sets, table
from ivr.watch.metrics import Metrics

ROOT = Path(__file__).resolve().parents[4]
DASHBOARD = ROOT / "deploy/grafana/triageline.json"
RULES = ROOT / "deploy/prometheus/triageline.rules.yml"
HANDBOOK = ROOT / "docs/observability.md"
NAME = re.compile(r"\b(?:triageline|process)_[a-z0-9_]+")
MATCHER = re.compile(r"(triageline_[a-z0-9_]+)\{([a-z]+)(?:=|!=)\"([a-z_]+)\"\}")
GROUPING = re.compile(r"by \(([a-z, ]+)\)")
PLACED_BY_PROMETHEUS = {"le", "instance", "job"}


def shown() -> set[str]:
    """Every name that a scrape of a worker and of `up` has."""
    return {
        sample.name
        for by in ("worker", "up")
        for metrics in [_filled(by)]
        for family in text_string_to_metric_families(metrics.text())
        for sample in family.samples
    }


def _filled(by: str) -> Metrics:
    """With one child of everything: labels without values show no sample."""
    metrics = Metrics(by)
    for one in FIGURES:
        if one.by == by and one.labels:
            words = [min(values, default="worker-1") for values in one.labels.values()]
            metrics._by_name[one.name].labels(*words)
    return metrics


def expressions() -> dict[str, str]:
    """Every query of the dashboard and every rule's expression."""
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
    rules = RULES.read_text(encoding="utf-8")
    for name, text in re.findall(r"- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|labels):", rules, re.DOTALL):
        found[name] = text
    return found


def test_all_rules_are_read() -> None:
    assert sum(name.startswith("Triageline") for name in expressions()) == RULES.read_text("utf-8").count("- alert:")


@pytest.mark.parametrize(("where", "text"), list(expressions().items()))
def test_every_name_in_dashboard_and_rules_exists(where: str, text: str) -> None:
    names = set(NAME.findall(text))
    assert names
    assert names <= SHOWN
    labels = {one.full_name: one.labels for one in FIGURES}
    for name, label, value in MATCHER.findall(text):
        assert value in labels[name][label]
    known = PLACED_BY_PROMETHEUS | {label for one in FIGURES for label in one.labels}
    for group in GROUPING.findall(text):
        assert set(group.replace(" ", "").split(",")) <= known


SHOWN = shown()


def test_every_figure_is_in_the_dashboard_or_the_rules() -> None:
    used = " ".join(expressions().values())
    assert [one.full_name for one in FIGURES if one.full_name not in used] == UNUSED


UNUSED: list[str] = ["triageline_callbacks_promised_total"]
"""Figures that are there for those who look for them."""


def test_the_handbook_has_the_tables_of_the_code() -> None:
    text = HANDBOOK.read_text(encoding="utf-8")
    for name, wanted in (("figures", table()), ("labels", described_sets())):
        written = text.partition(f"<!-- {name}: begin -->\n")[2].partition(f"\n<!-- {name}: end -->")[0]
        assert written == wanted, f"the table of {name} in {HANDBOOK.name} should read:\n{wanted}"


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert board["schemaVersion"] >= 39
    (variable,) = board["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        mine = {
            (place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])
        }
        assert max(across for across, _ in mine) < 24
        assert not mine & cells, f"{panel['title']} lies over another panel"
        cells |= mine
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"


def test_the_budgets_are_lines_in_the_dashboard() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    lines = {
        panel["title"]: [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]][1:]
        for panel in board["panels"]
        if panel["type"] == "timeseries"
    }
    assert lines["Response gap"] == [0.7, 1.2]
    assert lines["Red flag to ringing"] == [2]


def test_names_begin_with_ours() -> None:
    assert all(one.full_name.startswith(PREFIX) for one in FIGURES)
