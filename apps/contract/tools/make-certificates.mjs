// Makes src/testing/certificates.fixture.ts: client certificates as a peer hands them to the contract, for made-up organisations.
// The contract verifies no signature (the channel's MSP has), so they are self-signed and their keys are thrown away.
// Run with OpenSSL at hand: node apps/contract/tools/make-certificates.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));

/** Fabric's attribute extension: a JSON text under OID 1.2.3.4.5.6.7.8.1. */
function certificate(org, role, curve = 'P-256') {
  const attributes =
    role === undefined ? [] : ['-addext', `1.2.3.4.5.6.7.8.1=DER:${hex(JSON.stringify({ attrs: { 'portolan.role': role } }))}`];
  const subject = `/OU=client/O=${org}/CN=${role ?? 'nobody'}.${org.toLowerCase()}.example`;
  const key = ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-nodes', '-keyout', join(folder, 'key.pem')];
  return execFileSync('openssl', ['req', '-x509', ...key, '-subj', subject, '-days', '3650', ...attributes], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}
const hex = (text) =>
  Buffer.from(text)
    .toString('hex')
    .replace(/(..)(?=.)/gu, '$1:');

const made = {};
for (const org of ['EE', 'PT', 'BE', 'DE', 'REG', 'FI']) {
  for (const role of ['notary', 'governance']) made[`${org} ${role}`] = certificate(org, role);
}
made['EE second notary'] = certificate('EE', 'notary');
made['EE auditor'] = certificate('EE', 'auditor');
made['EE nobody'] = certificate('EE');
made['EE P-384'] = certificate('EE', 'notary', 'P-384');
rmSync(folder, { recursive: true });
const text = Object.entries(made).map(([name, pem]) => `  '${name}': \`${pem}\`,\n`);
const doc = '/** Client certificates of made-up organisations, as PEM; made by tools/make-certificates.mjs. */\n';
writeFileSync(
  new URL('../src/testing/certificates.fixture.ts', import.meta.url),
  `${doc}export const certificates = {\n${text.join('')}};\n\nexport type CertificateName = keyof typeof certificates;\n`,
);
