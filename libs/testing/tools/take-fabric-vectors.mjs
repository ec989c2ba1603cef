// Takes the files named fabric-real in libs/contracts/vectors from a channel of three countries and a regulator that it boots and ends:
// `npm run build && node libs/testing/tools/take-fabric-vectors.mjs`. Keys are fresh each time and die with the network.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, Validators } from '@portolan/contracts';
import { verifyReceipt } from '@portolan/verify';
import { takeReceipts } from '../dist/contract/fabric-receipts.js';
import { FabricCountry } from '../dist/contract/fabric-world.js';
import { fabricEngine, FabricStack } from '../dist/stack/fabric/index.js';

const vectors = new URL('../../contracts/vectors/', import.meta.url);
const chaincode = fileURLToPath(new URL('../../../apps/contract/dist/main.js', import.meta.url));
const engine = await fabricEngine();
if ('absent' in engine) throw new Error(engine.absent);
const root = mkdtempSync(join(tmpdir(), 'portolan-fabric-'));
const orgs = ['EE', 'PT', 'BE'];
const stack = await FabricStack.start({
  folder: join(root, 'network'),
  engine,
  channel: 'trial',
  organisations: [...orgs.map((org) => ({ org, kind: 'country' })), { org: 'REG', kind: 'regulator' }],
  chaincode: { name: 'portolan', version: '1', others: 1, command: [process.execPath, chaincode] },
  endsWithUs: true,
  say: (line) => process.stderr.write(`${line}\n`),
});
const countries = [];
try {
  for (const org of orgs) countries.push(await FabricCountry.of(org, stack));
  for (const country of countries) await country.found();
  for (const country of countries) await country.open();
  const [from, to] = countries;
  const { trust, receipts } = await takeReceipts(from, to);
  const deps = {
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    subtle: globalThis.crypto.subtle,
    validators: new Validators(),
  };
  const files = Object.entries(receipts).map(([name, receipt]) => [`valid/receipt/fabric-real-${name}.json`, receipt]);
  for (const [file, content] of [...files, ['valid/trust-file/fabric-real.json', trust]]) {
    writeFileSync(new URL(file, vectors), canonicalJson(content));
  }
  for (const [file, receipt] of files) {
    const report = await verifyReceipt(canonicalJson(receipt), trust, deps);
    process.stdout.write(`${file}: ${report.ok ? 'verified' : JSON.stringify(report.steps)}\n`);
  }
} finally {
  await Promise.all(countries.map((country) => country.close()));
  await stack.stop();
  rmSync(root, { recursive: true, force: true });
}
