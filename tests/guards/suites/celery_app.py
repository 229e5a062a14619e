"""A worker of Celery: the client is made with the module, and used in the processes that are forked
after it.

Its broker is its own memory: when it is ready, it sends itself the tasks. Their results go into a
pipe.
"""

import json
import os

from celery import Celery
from celery.signals import worker_ready
from paying import OPTIONS, PAYMENT, credentials

from victor_ext import Victor

app = Celery("billing", broker="memory://")
victor = Victor(credentials(), **OPTIONS)
victor.payment_requests.create(**PAYMENT)  # its connection is the parent's


@app.task
def pay():
    result = [victor.payment_requests.create(**PAYMENT).id, os.getpid()]
    os.write(int(os.environ["RESULTS"]), f"{json.dumps(result)}\n".encode())


@worker_ready.connect
def begin(**_):
    for _ in range(20):
        pay.delay()
