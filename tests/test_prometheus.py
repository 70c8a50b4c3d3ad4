"""A real Prometheus with our configuration, and a real front that it asks for its figures."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deploy.settings import ROOT
from models import tally
from models.session import EVERYONE, Database
from tests.make_run import until
from tests.nginx_stack import Front, fronts
from tests.server import Server, found
from tests.servers import require
from workers.broker import free_ports

ORIGIN = "https://night.example.org"
TOKEN = "a-token-of-the-test"


class Prometheus(Server):
    """One that asks the front at this address, every half second."""

    name, package = "prometheus", "prometheus"
    programs = (("prometheus",),)

    def __init__(self, front: str) -> None:
        super().__init__()
        self.front = front

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        text = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text().replace("15s", "500ms")
        text = re.sub(r"dns_sd_configs: .*", f'static_configs: [{{targets: ["{self.front}"]}}]', text)
        (self.folder / "prometheus.yml").write_text(text.replace("/run/nightshift", str(self.folder)))
        shutil.copy(ROOT / "deploy" / "prometheus" / "rules.yml", self.folder)
        (self.folder / "nightshift_metrics_token").write_text(TOKEN)

    def command(self) -> list[str]:
        paths = [f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data"]
        # From 3.0 on this is no feature any more but as it is.
        more = ["--enable-feature=expand-external-labels", f"--web.listen-address=127.0.0.1:{self.port}"]
        return [str(found("prometheus")), *paths, *more]

    def environment(self) -> dict[str, str]:
        return {"NIGHTSHIFT_PUBLIC_URL": ORIGIN}

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def asked(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=query, timeout=5).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]

    def value(self, query: str) -> float | None:
        result = self.asked("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    require(Prometheus)
    (port,) = free_ports(1)
    var = tmp_path_factory.mktemp("prometheus") / "var"
    with fronts(var, port, ("127.0.0.2",), NIGHTSHIFT_METRICS_TOKEN=TOKEN) as (started,):
        database = Database(f"sqlite:///{var}/nightshift.db")
        with database.write(EVERYONE) as session:
            tally.add(session, "runs_ended", tally.labelled(job="ecg", outcome="failed"), 7)
        database.close()
        yield started


@pytest.fixture(scope="module")
def prometheus(front: Front) -> Iterator[Prometheus]:
    with Prometheus(f"{front.address}:{front.port}") as started:
        until(lambda: started.value("nightshift_database_up") == 1)
        yield started


def test_the_front_s_figures_arrive_under_the_names_that_rules_and_dashboard_use(prometheus: Prometheus) -> None:
    assert prometheus.value('up{job="nightshift"}') == 1, "it has the token from its file"
    assert prometheus.value('nightshift_runs_ended_total{exported_job="ecg",outcome="failed"}') == 7
    until(lambda: prometheus.value('nightshift_web_requests_total{part="metrics",status="2xx"}'))  # the scrape before


def test_every_question_of_the_dashboard_is_answered(prometheus: Prometheus) -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "nightshift.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            prometheus.asked("query", query=target["expr"])  # as much as nothing yet, and no error


def test_alarms_ring_with_a_link_to_the_runbook_and_a_front_that_is_gone_is_noticed(
    prometheus: Prometheus, front: Front
) -> None:
    def pending() -> set[str]:
        return {alert["labels"]["alertname"] for alert in prometheus.asked("alerts")["alerts"]}

    until(lambda: "BeatSilent" in pending())  # there is no beat here, and no broker
    until(lambda: "WebDown" not in pending())
    rules = [rule for group in prometheus.asked("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    (silent,) = (rule["alerts"] for rule in rules if rule["name"] == "BeatSilent")
    assert silent[0]["annotations"]["runbook_url"] == f"{ORIGIN}/runbook/beat-silent"
    front.stop()
    until(lambda: "WebDown" in pending())
