"""A worker of Celery: the client is made with the module, and used in the processes that are forked after it."""

import os
from pathlib import Path

from celery import Celery
from paying import OPTIONS, PAYMENT, credentials

from victor_ext import Victor

FOLDER = Path(os.environ["CELERY_FOLDER"])
app = Celery("billing", broker="filesystem://", backend=f"file://{FOLDER}")
app.conf.broker_transport_options = {
    name: str(FOLDER) for name in ("data_folder_in", "data_folder_out", "control_folder")
}
victor = Victor(credentials(), **OPTIONS)
victor.payment_requests.create(**PAYMENT)  # its connection is the parent's


@app.task
def pay() -> list[object]:
    return [victor.payment_requests.create(**PAYMENT).id, os.getpid()]
