"""The dramatiq actor that dramatiq's own command loads."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.one_job import BROKER, send_one

broker = RedisBroker(url=os.environ[BROKER])
dramatiq.set_broker(broker)
send = dramatiq.actor(send_one, max_retries=0)
