// What `npm test` runs: every check of the house, each as a step, then the totals as the last line.
//
//   node tools/test.mjs [--only unit|int|scenario|lint]
//
// Every step counts as one test beside those that it runs. With CI=true a skipped test is a failed one, except where its
// name says that it reads ../shared/fixtures and that folder is absent.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { endLike, runChild } from './bootstrap/child.mjs';
import { root } from './projects.mjs';

const fixtures = '../shared/fixtures';
const inCi = process.env.CI === 'true';
const work = mkdtempSync(join(tmpdir(), 'portolan-test-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

const tool = (file, ...args) => [join(root, 'tools', file), ...args];
const bin = (file, ...args) => [join(root, 'node_modules', file), ...args];

/**
 * `group` is what --only names; a step with `report` runs tests and leaves vitest's JSON report there; one that is `beside` begins with the step
 * before it, since both need one processor or less.
 */
const steps = [
  { name: 'contracts: generated files are current', group: 'lint', args: tool('generate-contracts.mjs', '--check') },
  { name: 'docs: generated pages are current', group: 'lint', args: tool('generate-docs.mjs', '--check') },
  { name: 'references: tsconfig.json follows package.json', group: 'lint', args: tool('references.mjs', '--check') },
  { name: 'build: every project compiles', group: 'build', args: tool('build.mjs') },
  { name: 'cycles: no modules import each other', group: 'lint', args: tool('cycles.mjs') },
  { name: 'lint: project graph, boundaries, ESLint', group: 'lint', args: tool('lint.mjs') },
  { name: 'format: Prettier', group: 'lint', args: bin('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'), beside: true },
  suite('unit', 'unit tests'),
  suite('int', 'integration tests'),
  suite('int', 'integration tests over Kafka and Fabric', 'int-engines'),
  suite('scenario', 'scenarios, the roles of a country together', 'scenario-together'),
  { ...suite('scenario', 'scenarios, a process a role', 'scenario-apart'), beside: true },
  { ...suite('scenario', 'scenarios on PostgreSQL clusters, Kafka and Fabric', 'scenario-real'), engines: ['kafka', 'fabric'] },
  suite('scenario', 'scenarios that break a world of their own', 'scenario-own'),
];

function suite(group, title, project = group) {
  const report = join(work, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return {
    name: `${project}: ${title}`,
    group,
    report,
    args: bin('vitest/vitest.mjs', 'run', '--project', project, '--allowOnly=false', ...reporters),
  };
}

async function take(step) {
  const place = `[${todo.indexOf(step) + 1}/${todo.length}]`;
  process.stdout.write(`${place} ${step.name} …\n`);
  const begun = Date.now();
  const { complaints, ...counts } = await runStep(step);
  for (const complaint of complaints) process.stdout.write(`  ${complaint}\n`);
  if (counts.failed > 0) said.push(`${step.name}`, ...complaints.map((complaint) => `  ${complaint}`));
  for (const key of Object.keys(totals)) totals[key] += counts[key];
  process.stdout.write(`${place} ${counts.failed === 0 ? 'ok' : 'FAILED'}  ${step.name}  ${((Date.now() - begun) / 1000).toFixed(1)} s\n`);
}

/** @returns {Promise<{ passed: number, failed: number, skipped: number, complaints: string[] }>} */
async function runStep({ args, report, engines = [] }) {
  const absent = engines.flatMap(absentEngine);
  // A machine without Go or Java skips what needs them, and says so; CI has them.
  if (absent.length > 0) return { passed: 0, failed: inCi ? 1 : 0, skipped: inCi ? 0 : 1, complaints: absent };
  const { code, signal } = await runChild(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (signal) await ended(signal);
  const counts = report ? counted(report) : { passed: 0, failed: 0, skipped: 0, complaints: [] };
  if (code === 0) counts.passed += report ? 0 : 1;
  // A runner that failed without naming a test has failed all the same.
  else if (counts.failed === 0) counts.failed = 1;
  return counts;
}

/** What this machine lacks to make an engine (the installer's exit code 3), in the installer's words. */
function absentEngine(name) {
  const { status, stderr } = spawnSync(process.execPath, tool(`engines/${name}/install.mjs`), { encoding: 'utf8' });
  return status === 3 ? [`skipped for want of an engine: ${stderr.trim()}`] : [];
}

/** Somebody stopped us: end in the same way, and start no further step. */
function ended(signal) {
  endLike({ code: null, signal });
  return new Promise(() => undefined);
}

function counted(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, complaints: ['the runner left no report'] };
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  const all = files.flatMap((file) => file.assertionResults);
  const named = (statuses) => all.filter(({ status }) => statuses.includes(status));
  const skipped = named(['skipped', 'pending', 'todo', 'disabled']);
  const unexcused = inCi ? skipped.filter((test) => !excused(test)) : [];
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'));
  const complaints = [
    ...unexcused.map((test) => `skipped, which fails here: ${test.fullName}`),
    ...broken.map((file) => `did not load: ${file.name}`),
    ...(all.length === 0 ? ['no test ran'] : []),
  ];
  const failed = named(['failed']).length + complaints.length;
  const broke = files.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `failed: ${relative(root, name)}: ${fullName}`),
  );
  complaints.push(...broke);
  return { passed: named(['passed']).length, failed, skipped: skipped.length - unexcused.length, complaints };
}

function excused({ fullName }) {
  return fullName.includes(fixtures) && !existsSync(join(root, fixtures));
}

function chosen(args) {
  if (args.length === 0) return steps;
  const found = args.length === 2 && args[0] === '--only' ? steps.filter(({ group }) => group === args[1]) : [];
  if (found.length > 0) return found;
  process.stderr.write('usage: node tools/test.mjs [--only unit|int|scenario|lint]\n');
  process.exit(2);
}

const totals = { passed: 0, failed: 0, skipped: 0 };
/** Told once more at the end: of a long log the last lines are read. */
const said = [];
const todo = chosen(process.argv.slice(2));
const turns = [];
for (const step of todo) {
  if (step.beside && turns.length > 0) turns.at(-1).push(step);
  else turns.push([step]);
}
for (const turn of turns) await Promise.all(turn.map(take));
if (said.length > 0) process.stdout.write(`\nwhat failed:\n${said.join('\n')}\n\n`);
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
