#!/usr/bin/env bash
# csv-parse reads each hexadecimal id as the number 0, with `cast: true`.
#
# Version:  csv-parse 7.0.3 (npm, with Node.js 20), known there since 2017: github.com/adaltas/node-csv-parse/issues/148
# Setting:  `cast: true`, which "converts to native types".
# Seen:     The ids 0x1F, 0x2A, 0b101 and 0o17 of four rows are all 0. `Number` decides that a cell is a number, and `parseFloat` reads it,
#           which knows no prefix. `x1F` stays text.
# Guessed:  That 0x1F is 31, as `Number` has it and d3-dsv and exceljs read it, or stays text.
# Why:      A table that is read, sorted and saved again has one id in all such rows. Which of them was paid cannot be told from the file.
#
# Run it as `bash findings/csv-parse-hex-is-zero.sh` with Node.js and npm. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --prefix "$folder" csv-parse@7.0.3
cat > read.js <<'JAVASCRIPT'
const { parse } = require("csv-parse/sync")
const text = "id,amount\n0x1F,1.00\n0x2A,2.00\n0b101,3.00\n0o17,4.00\nx1F,5.00\n"
for (const cast of [false, true]) {
  console.log(`cast: ${cast}: ${JSON.stringify(parse(text, { columns: true, cast }).map((row) => row.id))}`)
}
JAVASCRIPT
seen=$(node read.js)
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
cast: false: ["0x1F","0x2A","0b101","0o17","x1F"]
cast: true: [0,0,0,0,"x1F"]
EXPECTED
