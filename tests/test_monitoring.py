"""What Prometheus and Grafana are given: rules that fire when they should, and figures that there really are."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from deploy.settings import ROOT
from models import tally, vitals
from models.delivery import Delivery
from models.run import Pulse
from models.session import EVERYONE
from tests.conftest import Person
from workers import beat
from workers.queues import QUEUES
from workers.runtime import Runtime

PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
PROMTOOL = shutil.which("promtool")
UNITS = {"short", "s", "bytes", "percentunit", "reqps"}
# Labels that Prometheus gives, and those that exist only within a question.
GIVEN = {"job", "instance", "alertname", "alertstate", "severity", "group"}
FLOWERS = {
    "flower_worker_online": {"worker"},
    "flower_worker_number_of_currently_executing_tasks": {"worker"},
}  # of Flower 2.2; tests/test_flower.py asks a real one for its figures


def promtool(*words: str) -> str:
    """What it says; the test fails where it finds something wrong."""
    if not PROMTOOL:
        why = "promtool is not installed (Debian: apt install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, cwd=PROMETHEUS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard()["panels"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "nightshift.json").read_text())
    return found


def questions() -> Iterator[tuple[str, str]]:
    """Everything that Prometheus is asked, by whom."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
        for asked in re.findall(r'query "([^"]+)"', rule["annotations"].get("description", "")):
            yield rule["alert"], asked
    for panel in panels():
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


@pytest.fixture
def exposed(app: Flask, runtime: Runtime, ada: Person) -> dict[str, set[str]]:
    """The labels of each metric of a front that has something of everything; `job` is called as Prometheus does."""
    from web.metrics import COUNTERS, HISTOGRAMS

    beat.pulse(runtime, vitals.BEAT)
    for queue in QUEUES:
        beat.pulse(runtime, vitals.OF_QUEUE + queue)
    with runtime.database.write(EVERYONE) as session:
        for name, _, _, labels in COUNTERS:
            tally.add(session, name, tally.labelled(**dict.fromkeys(labels, "x")))
        for name, _, label, bounds in HISTOGRAMS:
            tally.add(session, f"{name}_bucket", tally.labelled(**{label: "x", "le": str(bounds[0])}))
            tally.add(session, f"{name}_seconds", tally.labelled(**{label: "x"}))
        session.add(Pulse(name=vitals.CERTIFICATE, at=1))
        session.add(Delivery(to="ada@example.org", subject="News", text="Hello", workspace_id=ada.workspace_id))
    there = app.test_client()
    there.get("/livez")
    token = runtime.settings.secret("metrics_token")
    text = there.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text
    found: dict[str, set[str]] = {"up": set(), "ALERTS": set()}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            known = {"exported_job" if label == "job" else label for label in sample.labels}
            found.setdefault(sample.name, set()).update(known)
    return found | FLOWERS


def test_prometheus_takes_its_configuration_and_every_rule_fires_when_it_should(tmp_path: Path) -> None:
    promtool("check", "rules", "rules.yml")
    promtool("test", "rules", "tests.yml")
    config = (PROMETHEUS / "prometheus.yml").read_text()
    secrets = sorted(set(re.findall(r"/run/nightshift/(\w+)", config)))
    assert secrets == ["nightshift_flower_password", "nightshift_metrics_token"], "setup makes these (deploy/setup.py)"
    for name in secrets:
        (tmp_path / name).write_text("secret")
    (tmp_path / "prometheus.yml").write_text(config.replace("/run/nightshift", str(tmp_path)))
    shutil.copy(PROMETHEUS / "rules.yml", tmp_path)
    promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_every_question_of_the_dashboard_can_be_asked(tmp_path: Path) -> None:
    records = [{"record": f"question:{number}", "expr": asked} for number, (_, asked) in enumerate(questions())]
    (tmp_path / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": records}]}))
    assert f"{len(records)} rules found" in promtool("check", "rules", str(tmp_path / "all.yml"))


def test_what_rules_and_dashboard_ask_for_is_told_by_the_front(exposed: dict[str, set[str]]) -> None:
    for who, asked in questions():
        bare = re.sub(r'"[^"]*"', '""', asked)
        names = set(re.findall(r"\b(?:nightshift_|flower_|up\b|ALERTS\b)\w*", bare))
        assert names, who
        assert names <= set(exposed), f"{who} asks for {sorted(names - set(exposed))}"
        known = GIVEN.union(*(exposed[name] for name in names))
        labels = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", bare))
        for group in re.findall(r"\b(?:by|without|on) \(([^)]*)\)", bare):
            labels |= {label for label in re.split(r",\s*", group) if label}
        assert labels <= known, f"{who} asks by {sorted(labels - known)}"


def test_every_alarm_of_the_product_has_a_rule_that_leads_to_its_page() -> None:
    ringing = {found[1]: rule for rule in rules() if (found := re.search(r'alarm="([a-z-]+)"', rule["expr"]))}
    assert set(ringing) == set(vitals.ALARMS)
    for name, rule in ringing.items():
        assert rule["alert"] == name.title().replace("-", "")
        assert rule["annotations"]["runbook_url"] == "{{ $externalLabels.origin }}/runbook/" + name


def test_every_rule_says_what_to_do_how_urgent_it_is_and_where_to_read_on(app: Flask) -> None:
    tests = (PROMETHEUS / "tests.yml").read_text()
    routes = app.url_map.bind("localhost")
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        summary, url = rule["annotations"]["summary"], rule["annotations"]["runbook_url"]
        assert re.match(r"(Start|Make|Look|Give|Let|Put) ", summary), summary
        assert summary.endswith("."), summary
        origin, _, path = url.partition("/")
        assert origin == "{{ $externalLabels.origin }}"
        endpoint, values = routes.match("/" + path.partition("?")[0])
        assert endpoint in ("runbook.index", "runbook.page", "runs.index")
        assert values.get("name", "beat-silent") in vitals.ALARMS
        assert f'alertname="{rule["alert"]}' in tests, f"{rule['alert']} is never seen to fire in tests.yml"


def test_the_dashboard_is_whole() -> None:
    board, every = dashboard(), panels()
    assert (board["uid"], board["schemaVersion"] >= 39) == ("nightshift", True)
    assert len({panel["id"] for panel in every}) == len(every)
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())
    source = {"type": "prometheus", "uid": provisioned["datasources"][0]["uid"]}
    for panel in every:
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("stat", "table", "timeseries")
        assert panel["datasource"] == source
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) > 0
        assert all(target["datasource"] == source for target in panel["targets"])
    text = json.dumps(board)
    assert "://" not in text, "no host stands in it"
    assert not re.search(r":\d{4}", text)


def test_no_panel_lies_on_another() -> None:
    places = [panel["gridPos"] for panel in panels()]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_grafana_finds_the_dashboard_where_compose_puts_it() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "nightshift.yml").read_text())["providers"][0]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounts = [volume.split(":") for volume in services["grafana"]["volumes"]]
    assert ["./deploy/grafana/dashboards", provider["options"]["path"], "ro"] in mounts
    assert ["./deploy/grafana/provisioning", "/etc/grafana/provisioning", "ro"] in mounts
