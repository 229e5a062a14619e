#!/usr/bin/env bash
# `redocly bundle` writes another number where an integer of the document has more than 53 bits.
#
# Version:  @redocly/cli 2.77.0 (npm, with Node.js 20)
# Setting:  none: a document of OpenAPI 3.0 with integers of the format int64.
# Seen:     `maximum: 9223372036854775807` is 9223372036854776000 in the bundle, which is no int64 any more, and
#           `default: 9007199254740993` is 9007199254740992. The exit status is 0, and nothing is said. In JSON, too.
#           openapi-format 1.33.6 leaves both as they are.
# Guessed:  Right, for redocly. For openapi-format, the same was guessed.
# Why:      A default that is an id is another one's id, and a limit that is compared with the original document has changed.
#
# Run it as `bash findings/redocly-bundle-rounds-limits.sh` with Node.js and npm. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --prefix "$folder" @redocly/cli@2.77.0 openapi-format@1.33.6
cat > document.yaml <<'YAML'
openapi: 3.0.3
info: {title: Payments, version: '1'}
servers: [{url: 'https://api.example.com'}]
paths:
  /payments:
    get:
      operationId: listPayments
      parameters:
        - name: after
          in: query
          schema: {type: integer, format: int64, maximum: 9223372036854775807, default: 9007199254740993}
      responses:
        '200': {description: done}
YAML
export REDOCLY_SUPPRESS_UPDATE_NOTICE=true REDOCLY_TELEMETRY=off
node_modules/.bin/redocly bundle document.yaml -o bundle.yaml > redocly.log 2>&1
node_modules/.bin/redocly bundle document.yaml -o bundle.json > redocly.log 2>&1
node_modules/.bin/openapi-format document.yaml --no-sort -o formatted.yaml > format.log 2>&1
numbers() { # the limit and the default in a file
    sed -nE 's/^ *"?(maximum|default)"?: ([0-9]+).*/\1 \2/p' "$1" | paste -sd ' '
}
seen="bundle.yaml: $(numbers bundle.yaml)
bundle.json: $(numbers bundle.json)
openapi-format: $(numbers formatted.yaml)"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
bundle.yaml: maximum 9223372036854776000 default 9007199254740992
bundle.json: maximum 9223372036854776000 default 9007199254740992
openapi-format: maximum 9223372036854775807 default 9007199254740993
EXPECTED
