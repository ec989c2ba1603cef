// Generates docs/errors.md from the error registry and docs/audit-events.md from the catalogue of audited acts.
// The output is committed; `--check` writes nothing and exits 1 when it is not what the sources give.
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { auditActs } from '../libs/domain/src/audit/audit-acts.ts';
import { readJson, root } from './projects.mjs';

const check = process.argv.includes('--check');
const made = (source) => `<!-- Made by tools/generate-docs.mjs from ${source}. Do not edit. -->\n\n`;

await publish('docs/errors.md', errors());
await publish('docs/audit-events.md', audit());

function errors() {
  const folder = 'libs/contracts/errors';
  const areas = readdirSync(join(root, folder)).sort();
  return `${made(folder)}# Errors

One registry, one code a failure: what failed, and what to do next. Nothing else is thrown inside the house (\`PortolanError\` of
\`@portolan/contracts\`), and the edge turns a code into the form that the caller reads:

| to                   | as                                                                                            |
| -------------------- | --------------------------------------------------------------------------------------------- |
| a FHIR client        | OperationOutcome: the column _FHIR_ is its issue type, _HTTP_ the status                      |
| another HTTP client  | a problem document (RFC 9457) with that status                                                |
| an HL7 v2 sender     | the acknowledgement's ERR segment; the column _HL7_ is its code of table 0357                 |
| a partner's envelope | a dead letter, kept with its original                                                         |
| an operator          | a line of the log, \`portolan doctor\`, and the exit code of a command                          |

_Again_: the same call may succeed later without a change. Beside the code an error names a place (a path, a segment, a step, an
id) and at most a technical value, never health data or personal data.

How to add one: [recipes/add-an-error-code.md](recipes/add-an-error-code.md).

${areas.map((file) => errorArea(file.replace(/\.json$/, ''), readJson(join(root, folder, file)))).join('\n')}`;
}

function errorArea(area, entries) {
  const rows = Object.entries(entries).map(([code, { what, next, retriable, http, fhir, hl7 }]) =>
    row(`\`${code}\``, what, next, retriable ? 'yes' : '', http, fhir, hl7 ?? ''),
  );
  return `## ${area}\n\n${table(['Code', 'What failed', 'What to do next', 'Again', 'HTTP', 'FHIR', 'HL7'], rows)}\n`;
}

function audit() {
  const rows = Object.entries(auditActs).map(([act, { what, dicom, dicomDisplay, action, feed }]) =>
    row(`\`${act}\``, what, `${dicom} ${dicomDisplay}`, action, feed ? 'yes' : ''),
  );
  return `${made('libs/domain/src/audit/audit-acts.ts')}# Audited acts

Every access and every change is an event: an AuditEvent of FHIR R4 after IHE Basic Audit Log Patterns, a refusal as the base
AuditEvent with its outcome. \`libs/domain/src/audit/audit-event.ts\` makes it, \`record-act.ts\` writes it: the row is appended in the
same transaction as the act, encrypted under the person's key. If the row cannot be written, the act does not happen.

From the row on, its place in the country's Merkle log (RFC 6962) and the anchoring of the log's head follow by themselves. A leaf
hashes the ciphertext, so that an erased event still has its place and its proof.

| every event says         | where                                                                                      |
| ------------------------ | ------------------------------------------------------------------------------------------ |
| what happened            | \`type\` (DICOM, column _DICOM_), \`subtype\` (\`urn:portolan:audit\`, column _Act_)             |
| how it ended             | \`outcome\`: 0 success, 4 refused, 8 failed; \`outcomeDesc\`: the reason's code                |
| who acted, in which role | first agent, \`requestor: true\`, with the professional's national id                         |
| for which organisation   | second agent                                                                               |
| between which countries  | further agents: one a node                                                                 |
| why                      | \`purposeOfEvent\` (HL7 v3 PurposeOfUse)                                                     |
| about whom               | entity of type person: the local id, shown only inside the country that holds the event    |
| on which permit          | entity of the transfer, with the permit's id and the categories                            |
| what exactly             | one entity for each resource touched                                                       |

The column _Action_ is FHIR's (create, read, update, delete, execute). _Told_: the person sees it in her feed in the moment in which
it is recorded.

How to add one: [recipes/add-an-audited-act.md](recipes/add-an-audited-act.md).

${table(['Act', 'What the person reads', 'DICOM', 'Action', 'Told'], rows)}
`;
}

function table(head, rows) {
  return [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
}

function row(...cells) {
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

async function publish(file, text) {
  const path = join(root, file);
  const formatted = await format(text, { ...(await resolveConfig(path)), filepath: path });
  if (existsSync(path) && readFileSync(path, 'utf8') === formatted) return;
  if (check) {
    process.stderr.write(`${file} is not what the sources give: npm run docs\n`);
    process.exitCode = 1;
    return;
  }
  writeFileSync(`${path}.new`, formatted);
  renameSync(`${path}.new`, path);
}
