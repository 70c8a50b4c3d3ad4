"""Charts in Chromium: drawn by Plotly's own script without one violation of our policy, in light and dark."""

# ruff: noqa: F811  # fixtures are arguments by their names

import gzip

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Page, expect

from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.web_fixtures import Browser
from web import charts

pytestmark = [pytest.mark.browser, pytest.mark.sqlite, missing, pytest.mark.usefixtures("probe")]

PAGE = """{% extends "base.html" %}{% from "_chart.html" import chart, chart_head, chart_scripts with context %}
{% block head %}{{ chart_head() }}{% endblock %}
{% block content %}{% for kind in ("bar", "scatter", "pie") %}
{% set trace = {"type": kind,
   "x": names, "y": [3, 1], "labels": names, "values": [3, 1], "links": ["/runs", "/jobs"]} %}
{{ chart(kind, {"data": [trace], "layout": {}}, title="By " ~ kind, summary="Food is most.",
   columns=["What", "How much"],
   rows=[["Food", 3], ["Rent", 1]]) }}{% endfor %}{% endblock %}
{% block scripts %}{{ chart_scripts() }}{% endblock %}"""
NAMES = ["Food </script><script>window.bad = 1</script>", "<img src=x onerror='window.bad = 1'>"]


@pytest.fixture
def with_charts(app: Flask) -> Flask:
    app.add_url_rule("/drawn", "drawn", lambda: render_template_string(PAGE, names=NAMES, title="Drawn"))
    return app


def open_charts(page: Page) -> Page:
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (refused) =>"
        " console.error(`${refused.violatedDirective} ${refused.sourceFile}:${refused.columnNumber}`))"
    )
    page.goto("/drawn")
    expect(page.locator(".chart-drawing .main-svg").first).to_be_visible()
    expect(page.locator(".chart-drawing:not([hidden])")).to_have_count(3)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_charts_are_drawn_without_a_violation_and_fit(
    with_charts: Flask, front: Front, scheme: str, width: int
) -> None:
    page = open_charts(front.page(viewport={"width": width, "height": 800}, color_scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    bar = page.locator("#bar .point path").first
    before = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.locator("[data-theme-toggle]").first.evaluate("button => button.click()")
    page.wait_for_function("([bar, old]) => getComputedStyle(document.querySelector(bar)).fill !== old",
                           arg=["#bar .point path", before])  # fmt: skip
    assert page.evaluate("window.bad") is None  # a name is text, in the data as in the drawing
    page.locator("#bar .point path").first.hover(force=True)
    assert front.complaints == []


def test_a_click_on_a_bar_leads_further(with_charts: Flask, front: Front) -> None:
    page = open_charts(front.page())
    page.locator("#bar .point").nth(1).locator("path").click(force=True)
    page.wait_for_url("**/jobs")


def test_without_javascript_the_numbers_are_there(with_charts: Flask, front: Front) -> None:
    page = front.page(java_script_enabled=False)
    page.goto("/drawn")
    page.get_by_text("The same in numbers").first.click()
    expect(page.get_by_role("table", name="By bar").get_by_role("rowheader", name="Food")).to_be_visible()
    expect(page.locator(".chart-drawing").first).to_be_hidden()


def test_plotly_s_script_is_packed_and_kept_by_browsers(ada_s: Browser) -> None:
    plain = ada_s.get("/charts/plotly.js")
    small = ada_s.get("/charts/plotly.js", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(small.data) == plain.data == charts.script().read_bytes()
    assert "immutable" in small.headers["Cache-Control"]
    assert small.headers["X-Content-Type-Options"] == "nosniff"
    again = ada_s.get("/charts/plotly.js", headers={"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
