#!/usr/bin/env bash
# A client of pyopenapi-gen sends the Python text of a dictionary as a filter, so that the whole list is read.
#
# Version:  pyopenapi-gen 5.1.19 (PyPI, with Python 3.13)
# Setting:  none: a query parameter that is an object, with `style: form` and `explode: true`, which are the defaults of OpenAPI. Its
#           members are parameters of their own: `?status=created`.
# Seen:     The query is `?filter={'status': <PaymentFilterStatus.CREATED: 'created'>}`, percent-encoded. The server knows no parameter `filter`, and
#           answers with the payments of all states.
# Guessed:  `filter[status]=created`, as other generators write it.
# Why:      A job that pays what is `approved` is given everything, with status 200.
#
# Run it as `bash findings/pyopenapi-gen-sends-a-repr.sh` with Python 3.12 or newer, which PYTHON may name. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"${PYTHON:-python3}" -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check pyopenapi-gen==5.1.19
cat > document.yaml <<'YAML'
openapi: 3.0.3
info: {title: Payments, version: '1'}
servers: [{url: 'https://api.example.com'}]
paths:
  /payments:
    get:
      operationId: listPayments
      tags: [Payments]
      parameters:
        - name: filter
          in: query
          schema: {$ref: '#/components/schemas/PaymentFilter'}
      responses:
        '200':
          description: done
          content:
            application/json:
              schema: {type: array, items: {type: string}}
components:
  schemas:
    PaymentFilter:
      type: object
      properties:
        status: {type: string, enum: [created, approved]}
YAML
environment/bin/pyopenapi-gen document.yaml --project-root "$folder" --output-package payments > generator.log 2>&1
cat > call.py <<'PYTHON'
import asyncio
from urllib.parse import unquote_plus

import httpx
from payments.client import APIClient
from payments.core.config import ClientConfig
from payments.models import PaymentFilter, PaymentFilterStatus

async def call(filter):
    urls = []
    def answer(request):
        urls.append(request.url)
        return httpx.Response(200, json=[])
    client = APIClient(ClientConfig(base_url="https://api.example.com"))
    client.transport._client = httpx.AsyncClient(
        base_url="https://api.example.com", transport=httpx.MockTransport(answer)
    )
    await client.payments.list_payments(filter_=filter)
    print(unquote_plus(urls[0].query.decode()))

asyncio.run(call(PaymentFilter(status=PaymentFilterStatus("created"))))
PYTHON
seen=$(environment/bin/python call.py)
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
filter={'status': <PaymentFilterStatus.CREATED: 'created'>}
EXPECTED
