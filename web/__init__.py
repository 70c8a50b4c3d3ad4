"""The web front: a thin Flask application that takes work, shows what became of it, and keeps people apart.

`import web` loads no numpy: jobs are met through the registry alone.
"""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask_login
from flask import Flask, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from deploy.settings import Settings
from web import (
    account,
    address,
    admin,
    alerts,
    anomalies,
    api,
    api_alerts,
    api_budgets,
    api_expenses,
    api_imports,
    api_meters,
    api_orders,
    api_readings,
    api_schedules,
    api_stock,
    api_tariffs,
    api_tickets,
    artifacts,
    budgets,
    care,
    care_absences,
    care_articles,
    care_chat,
    care_deeds,
    care_import,
    care_mailboxes,
    care_mails,
    care_merge,
    care_new,
    care_policies,
    care_reports,
    care_sample,
    care_settings,
    care_suggestions,
    care_teams,
    care_ticket,
    care_topics,
    channels,
    charts,
    current,
    desk_page,
    digests,
    emoncms,
    energy,
    energy_charts,
    energy_exports,
    energy_meter,
    energy_meters,
    entries,
    entry_editor,
    errors,
    expenses,
    filters,
    flower,
    gate,
    health,
    identity,
    imports,
    invitations,
    labels,
    mailbox,
    mailhooks,
    many,
    metrics,
    money,
    my_tickets,
    openapi,
    places,
    prose,
    purses,
    queues,
    rates,
    readings_import,
    recovery,
    recurring,
    reorder,
    replay,
    rights,
    runs,
    schedules,
    security,
    shelf_scan,
    signin,
    silence,
    stock,
    stock_figures,
    stock_moves,
    stock_orders,
    stock_places,
    stock_product,
    stock_products,
    tariffs,
    ticket_page,
    unsubscribe,
    weather_places,
    workspaces,
)
from workers.runtime import Runtime

# Each module has a blueprint `bp`; a new one adds its name here and nothing else.
MODULES = (
    signin, recovery, account, address, workspaces, invitations, mailbox, admin, queues, runs, schedules, many,
    artifacts, api, openapi, health, flower, metrics, silence, rights, charts,
    channels, unsubscribe, mailhooks,
    expenses, entries, entry_editor, purses, labels, recurring, places, budgets, alerts, digests, stock,
    reorder, imports, energy, weather_places, energy_meter, anomalies, readings_import, emoncms, tariffs,
    care_reports, care_sample, care_import, care_teams, care_topics, care_policies, care_absences,
    care_mailboxes,
    care, my_tickets, ticket_page, desk_page, care_settings, care_articles, care_chat, care_suggestions,
)  # fmt: skip
ROUTES_BESIDE = (  # they stand on the blueprint of their subject's first page
    shelf_scan, stock_figures, stock_moves, stock_orders, stock_places, stock_product, stock_products,
    energy_exports, energy_meters, care_ticket, care_deeds, care_mails, care_merge, care_new,
)  # fmt: skip
ROUTES_OF_THE_API = (  # on api's own blueprint, so that its rules hold for them
    api_schedules, api_expenses, api_budgets, api_imports, api_alerts, api_stock, api_orders,
    api_meters, api_readings, api_tariffs, api_tickets,
)  # fmt: skip
# They take bearer tokens alone, check Origin themselves, or hold a signature in the request.
WITHOUT_CSRF = (api, emoncms, flower, unsubscribe, mailhooks)


class Front(Flask):
    """Flask, whose log of a fault names the view (a path may hold a token or a file's name), and which does again what
    the database rolled back for the sake of another (`web.replay`)."""

    def dispatch_request(self) -> ResponseReturnValue:
        return replay.insist(super().dispatch_request)

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error("a fault in %s", request.endpoint, exc_info=exc_info)


def create_app(settings: Settings | None = None) -> Flask:
    """The application. It opens no connection before the first request, so it may be made before a fork."""
    runtime = Runtime.from_settings(settings)
    app = Front(__name__)
    app.extensions["nightshift"] = runtime
    _configure(app, runtime.settings)
    csrf = CSRFProtect(app)
    Bootstrap5(app)
    for part in (
        security,
        rates,
        filters,
        prose,
        money,
        charts,
        energy_charts,
        care_sample,
        errors,
        signin,
        gate,  # after signin: it asks what those who are in may see
        metrics,
        silence,
    ):
        part.install(app)
    _sign_in_with(app)
    for module in MODULES:
        app.register_blueprint(module.bp)
    for module in WITHOUT_CSRF:
        csrf.exempt(module.bp)
    _add_rules(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret("secret_key"),
        SESSION_COOKIE_NAME="nightshift",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.origin.startswith("https://"),
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(milliseconds=identity.LIFETIME_MS),
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=86_400,
        # Pages with a secret in their address send no Referer; security.refuse_other_sites stands in.
        WTF_CSRF_SSL_STRICT=False,
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=30),
    )
    if hops := settings.trusted_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]


def _sign_in_with(app: Flask) -> None:
    manager = flask_login.LoginManager(app)
    manager.session_protection = None  # a sign-in ends when its row goes, not when an address changes
    manager.user_loader(identity.load)
    manager.request_loader(identity.load_token)
    app.jinja_env.globals.update(
        person=current.person,
        may=current.may,
        may_look=current.may_look,
        may_answer=current.may_answer,
        may_lead=current.may_lead,
        my_workspaces=identity.my_workspaces,
        endpoint_exists=lambda endpoint: endpoint in app.view_functions,
    )


def _add_rules(app: Flask) -> None:
    version = _static_version(Path(app.static_folder or ""))

    @app.url_defaults
    def name_the_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint.endswith("static"):
            values["v"] = version

    @app.after_request
    def keep_only_our_own(response: Response) -> Response:
        # While releases change over, a page of one asks the other's front: no cache may keep that under this name.
        if (request.endpoint or "").endswith("static") and request.args.get("v", version) != version:
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/livez")
    @current.public
    def livez() -> Response:
        return Response("alive\n", mimetype="text/plain")

    @app.get("/home")
    @current.own
    def home() -> Any:
        return redirect(url_for(gate.first_page()))

    if not any(rule.rule == "/" for rule in app.url_map.iter_rules()):
        app.add_url_rule("/", view_func=home)


def _static_version(folder: Path) -> str:
    """Changes with our files and with Bootstrap's, which browsers keep for a month."""
    files = [file.read_bytes() for file in sorted(folder.glob("*"))]
    return hashlib.sha256(Bootstrap5.bootstrap_version.encode() + b"".join(files)).hexdigest()[:10]
