#!/usr/bin/env bash
# openapi-overlays-js removes all entries of a list, where an overlay removes one by its number.
#
# Version:  openapi-overlays-js 0.2.0 (npm, with Node.js 20)
# Setting:  an Overlay 1.0.0 with one action: target `$.components.schemas.Status.enum[0]`, `remove: true`.
# Seen:     The enum of three words is empty afterwards, and so is the list of parameters of which one is removed. The exit status
#           is 0. With a filter, `enum[?(@ == "draft")]`, one word goes. openapi-format 1.33.6 removes one in both forms.
# Guessed:  That one word is removed, and that a second action then counts from the shorter list.
# Why:      An enum without words admits nothing, and what is generated of it refuses each answer or none. A required
#           parameter is gone from all clients.
#
# Run it as `bash findings/overlayjs-removes-all-words.sh` with Node.js and npm. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --prefix "$folder" openapi-overlays-js@0.2.0 openapi-format@1.33.6
cat > document.yaml <<'YAML'
openapi: 3.0.3
info: {title: Payments, version: '1'}
paths:
  /payments:
    get:
      operationId: listPayments
      parameters:
        - {name: page, in: query, schema: {type: integer}}
        - {name: account, in: query, required: true, schema: {type: string}}
      responses:
        '200': {description: done}
components:
  schemas:
    Status: {type: string, enum: [draft, sent, paid]}
YAML
overlay() { # an overlay with one action that removes this target
    cat > overlay.yaml <<YAML
overlay: 1.0.0
info: {title: Correction, version: '1'}
actions:
  - target: $1
    remove: true
YAML
}
cat > show.js <<'JAVASCRIPT'
const document = require("yaml").parse(require("fs").readFileSync(process.argv[2], "utf8"))
const names = document.paths["/payments"].get.parameters.map((parameter) => parameter.name)
console.log(JSON.stringify([document.components.schemas.Status.enum, names]))
JAVASCRIPT
overlayjs() {
    node_modules/.bin/overlayjs --openapi document.yaml --overlay overlay.yaml > corrected.yaml
    node show.js corrected.yaml
}
overlay '$.components.schemas.Status.enum[0]'
word=$(overlayjs)
node_modules/.bin/openapi-format document.yaml --overlayFile overlay.yaml --no-sort -o formatted.yaml > format.log 2>&1
other=$(node show.js formatted.yaml)
overlay '$.components.schemas.Status.enum[?(@ == "draft")]'
filtered=$(overlayjs)
overlay "\$.paths['/payments'].get.parameters[0]"
parameter=$(overlayjs)
seen="a word: $word
a word by a filter: $filtered
a parameter: $parameter
a word, openapi-format: $other"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
a word: [[],["page","account"]]
a word by a filter: [["sent","paid"],["page","account"]]
a parameter: [["draft","sent","paid"],[]]
a word, openapi-format: [["sent","paid"],["page","account"]]
EXPECTED
