"""docker-compose.yml says what was promised of it. It is read as it stands: no Docker is needed, and none is asked."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import check, start
from deploy.settings import ROOT

FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text("utf-8")
STACK: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
ONCE = {name for name, told in SERVICES.items() if told["restart"] == "on-failure"}
LASTING = sorted(set(SERVICES) - ONCE)
OURS = sorted(name for name, told in SERVICES.items() if told["image"].startswith("nightshift-"))
WORKERS = sorted(name for name in SERVICES if name.startswith("worker-"))
VARIABLE = re.compile(r"\$\{\w+:?-([^}]*)\}")  # what it is where nobody sets it
# The host reaches these alone; the last two belong to a profile.
PUBLISHED = {"nginx", "mailpit", "prometheus", "grafana"}
PASSWORD = re.compile(r"(password|secret|token|key)", re.IGNORECASE)


def environment(told: dict[str, Any]) -> dict[str, str]:
    """A service's variables, however they are written."""
    given = told.get("environment") or {}
    pairs = given.items() if isinstance(given, dict) else (each.partition("=")[::2] for each in given)
    return {name: str(value) for name, value in pairs}


def test_the_services_that_were_agreed_are_there() -> None:
    wanted = {
        "setup", "migrate", "demo", "web", "worker-ecg", "worker-energy", "worker-work", "worker-mail", "beat",
        "flower", "redis", "postgres", "mailpit", "nginx",
    }  # fmt: skip
    without_profile = {name for name, told in SERVICES.items() if not told.get("profiles")}
    assert without_profile == wanted
    profiles = {each for told in SERVICES.values() for each in told.get("profiles", ())}
    assert profiles == {"rabbitmq", "mariadb", "mqtt", "monitoring"}


@pytest.mark.parametrize("name", LASTING)
def test_what_goes_on_running_starts_again_and_says_whether_it_is_well(name: str) -> None:
    told = SERVICES[name]
    assert told["restart"] == "unless-stopped"
    # Our images bring their own (deploy/healthy.py).
    assert name in OURS or told["healthcheck"]["test"]
    assert not told.get("healthcheck", {}).get("disable")


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_is_done_once_is_tried_again_until_it_is_done_and_has_no_health(name: str) -> None:
    assert SERVICES[name]["healthcheck"] == {"disable": True}
    assert name in ("setup", "migrate", "demo")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_held_to_what_it_needs(name: str) -> None:
    told = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", told["mem_limit"])
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in told["security_opt"]
    assert not told.get("privileged")
    assert told.get("network_mode", "none") == "none"
    assert not [each for each in told.get("volumes", ()) if "docker.sock" in str(each)]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_time_to_finish_what_it_holds(name: str) -> None:
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= 40


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_the_host_reaches_is_chosen_by_a_variable_and_the_machinery_is_not_reached(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert not ports or name in PUBLISHED
    for each in ports:
        host = each if isinstance(each, str) else str(each["published"])
        assert re.search(r"\$\{[A-Z0-9_]*PORT:-\d+\}", host), host
        assert host.startswith(("127.0.0.1:", "${BIND:-127.0.0.1}:")), "from this machine alone, unless BIND says more"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_stands_in_the_file(name: str) -> None:
    for variable, value in environment(SERVICES[name]).items():
        if PASSWORD.search(variable):
            # A path of a file, or what whoever starts the stack hands over; "yes": the server makes one by chance.
            assert VARIABLE.sub(r"\1", value) in ("", "yes") or value.startswith("/"), variable
        assert not re.search(r"://[^/@\s]*:[^/@\s$]+@", value), variable


def test_every_variable_of_ours_is_a_setting() -> None:
    known = check.known_names()
    used = {name for told in SERVICES.values() for name in environment(told) if name.startswith("NIGHTSHIFT_")}
    handed_over = set(re.findall(r"\$\{(NIGHTSHIFT_\w+)", TEXT)) - {
        "NIGHTSHIFT_TAG"
    }  # of the images, and Compose's alone
    assert used
    assert used | handed_over <= known


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_of_others_are_pinned_by_a_tag(name: str) -> None:
    image = SERVICES[name]["image"]
    if name not in OURS:
        assert re.search(r":\w*\d[\w.-]*$", VARIABLE.sub(r"\1", image)), image


@pytest.mark.parametrize("name", OURS)
def test_each_of_our_containers_is_one_of_the_roles_that_there_are(name: str) -> None:
    (role,) = SERVICES[name]["command"]
    assert VARIABLE.sub(r"\1", role) in start.ROLES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_who_waits_for_another_waits_until_it_is_well_or_done(name: str) -> None:
    waits = SERVICES[name].get("depends_on", {})
    assert isinstance(waits, dict), "a list waits only until the container exists"
    for other, how in waits.items():
        assert how["condition"] == ("service_completed_successfully" if other in ONCE else "service_healthy"), other


@pytest.mark.parametrize("name", [each for each in OURS if each not in ONCE])
def test_nothing_of_ours_starts_before_the_database_is_migrated(name: str) -> None:
    assert "migrate" in waited_for(name)


def waited_for(name: str) -> set[str]:
    """What a service waits for, directly or by what it waits for."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(waited_for(each) for each in direct))


def test_the_guide_s_upgrade_changes_every_worker_before_the_front() -> None:
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    (named,) = set(re.findall(r"sh deploy/recreate\.sh ((?:[a-z-]+ ?)+)", text))
    assert sorted(named.split()[:-1]) == WORKERS
    assert named.split()[-1] == "web"


def test_two_beats_run() -> None:
    assert SERVICES["beat"]["deploy"]["replicas"] == 2


def test_every_volume_and_file_that_is_named_is_there() -> None:
    named = set(STACK["volumes"])
    for told in SERVICES.values():
        for each in told.get("volumes", ()):
            source = VARIABLE.sub(r"\1", each).split(":")[0]
            assert Path(ROOT, source).exists() if source.startswith(".") else source in named, source
