// Reads HL7's v2-to-FHIR tables (https://github.com/HL7/v2-to-fhir, content CC0 1.0) and writes the keys of their rows that have a FHIR target, so that the
// coverage of our maps can be measured in any clone: node tools/coverage-maps/read-tables.mjs [FOLDER]
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap/places.mjs';

const folder = process.argv[2] ?? join(root, '../shared/fixtures/v2-to-fhir-tables');
const out = join(root, 'libs/formats/src/testing/coverage/rows.json');

/** The records of a CSV text (RFC 4180): quoted fields may hold commas, quotes and line breaks. */
function records(text) {
  const all = [[]];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (quoted && sign === '"' && text[i + 1] === '"') field += text[(i += 1)];
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && (sign === ',' || sign === '\n')) {
      all.at(-1).push(field.replace(/\r$/, ''));
      field = '';
      if (sign === '\n') all.push([]);
    } else field += sign;
  }
  all.at(-1).push(field);
  return all;
}

const tidy = (text = '') => text.replace(/\s+/g, ' ').trim();

/** A table's name as others refer to it: `PID[Patient]`. */
const nameOf = (file) => /R4__(.*?)(_-_.*)?\.csv$/.exec(file)?.[1] ?? file;

function tables(kind) {
  const found = {};
  for (const file of readdirSync(join(folder, kind)).sort()) {
    const rows = records(readFileSync(join(folder, kind, file), 'utf8')).slice(2);
    found[nameOf(file)] = rows
      .filter((row) => tidy(row[9]) !== '')
      .map((row) =>
        [row[1], row[9], row[14], row[6] || row[8], row[16]]
          .map(tidy)
          .join(' | ')
          .replace(/( \| )+$/, ''),
      );
  }
  return found;
}

const notice =
  'Keys of the rows of the HL7 v2-to-FHIR mapping tables that have a FHIR target (https://github.com/HL7/v2-to-fhir; content CC0 1.0), made by tools/coverage-maps/read-tables.mjs: source | FHIR attribute | data type map | condition | assignment';
writeFileSync(out, `${JSON.stringify({ notice, segments: tables('segments'), datatypes: tables('datatypes') }, undefined, 2)}\n`);
