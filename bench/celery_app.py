"""The Celery application that Celery's own command loads."""

import os

from celery import Celery

from bench.one_job import BROKER, send_one

app = Celery("bench", broker=os.environ[BROKER])
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,
    broker_connection_retry_on_startup=True,
)
send = app.task(name="send_one")(send_one)
