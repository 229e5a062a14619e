#!/usr/bin/env bash
# openapi-generator reads the answer of an operation as its request, where two files of a document name a schema alike.
#
# Version:  openapi-generator-cli 7.26.0 (PyPI, with Java 17), generator `python`
# Setting:  none. A document of OpenAPI 3.1: its request is in payments.yaml, its answer in refunds.yaml. Each file has an `Amount` of its own,
#           and refers to it as `#/Amount`.
# Seen:     1. `pay` has the request's class as its result, and no class has the member `cents` of the answer. A correct answer
#              raises ValidationError, after the work. The exit status is 0, and no warning names the two.
#           2. The same files with `openapi: 3.0.3`: two classes, `Amount` and `Amount1`, and the answer is read.
# Guessed:  That one of the two is taken for both places, whatever the version.
# Why:      A team that raises one line to 3.1 gets a client that sends a payment and cannot read that it was made.
#
# Run it as `bash findings/openapi-generator-answers-with-the-request.sh` with Python 3.11 or newer and Java 11 or newer. It ends with 0 if this
# is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check openapi-generator-cli==7.26.0 pydantic==2.14.3 \
    urllib3 python-dateutil typing-extensions lazy-imports
cat > payments.yaml <<'YAML'
Amount:
  type: object
  required: [value]
  properties:
    value: {type: string}
Payment:
  type: object
  properties:
    amount: {$ref: '#/Amount'}
YAML
cat > refunds.yaml <<'YAML'
Amount:
  type: object
  required: [cents]
  properties:
    cents: {type: integer}
Refund:
  type: object
  properties:
    amount: {$ref: '#/Amount'}
YAML
write() { # a client of the document with this version of OpenAPI
    cat > document.yaml <<YAML
openapi: $1
info: {title: Amounts, version: '1'}
servers: [{url: 'https://api.example.com'}]
paths:
  /payments:
    post:
      operationId: pay
      requestBody:
        required: true
        content:
          application/json:
            schema: {\$ref: './payments.yaml#/Payment'}
      responses:
        '200':
          description: done
          content:
            application/json:
              schema: {\$ref: './refunds.yaml#/Refund'}
YAML
    environment/bin/openapi-generator-cli generate -i document.yaml -g python -o "$2" --package-name "$2" > "$2.log" 2>&1
}
write 3.1.0 new
write 3.0.3 old
cat > read.py <<'PYTHON'
import importlib
import sys

name = sys.argv[1]
sys.path.insert(0, name)
api = importlib.import_module(f"{name}.api.default_api").DefaultApi
answer = api.pay.__annotations__["return"]
try:
    read = answer.from_dict({"amount": {"cents": 4423}})
except ValueError as error:
    read = type(error).__name__
print(f"{answer.__name__}: {read}")
PYTHON
seen="3.1: $(environment/bin/python read.py new)
3.0: $(environment/bin/python read.py old)"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
3.1: PayRequest: ValidationError
3.0: Refund: amount=Amount1(cents=4423)
EXPECTED
