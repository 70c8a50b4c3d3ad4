"""Flower's settings (FLOWER_CONF); its address, port, password and file come by environment from `deploy.commands`."""

from flower.views.monitor import Healthcheck, Metrics
from tornado.web import authenticated

# Flower 2.2 leaves these two pages open to whoever reaches its port, password or not.
for page in (Metrics, Healthcheck):
    page.get = authenticated(page.get)

url_prefix = "flower"
persistent = True
state_save_interval = 60_000  # milliseconds
max_tasks = 10_000
