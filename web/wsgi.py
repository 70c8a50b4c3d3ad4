"""What gunicorn serves: `gunicorn -c python:deploy.front web.wsgi:app`."""

from deploy.logs import log_requests
from web import create_app

app = create_app()
log_requests(app)
