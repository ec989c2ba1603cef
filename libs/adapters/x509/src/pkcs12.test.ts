import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportPkcs12, importPkcs12 } from './pkcs12.js';

/** Made by OpenSSL 3.0, `openssl pkcs12 -export`, passphrase `example`; the names in them are made up. */
const openssl = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../test-files/${name}`, import.meta.url)));
const unreadable = expect.objectContaining({ code: 'x509.pkcs12-unreadable' });

describe('PKCS#12', () => {
  it('takes key, certificate and chain out of a file that OpenSSL made', () => {
    const content = importPkcs12(openssl('openssl-rsa.p12'), 'example');
    const certificate = new X509Certificate(content.certificatePem);
    expect(certificate.subject).toBe('CN=Example hospital');
    expect(certificate.checkPrivateKey(createPrivateKey(content.privateKeyPem))).toBe(true);
    expect(content.privateKeyPem).toContain('-----BEGIN PRIVATE KEY-----');
    expect(content.chainPems.map((pem) => new X509Certificate(pem).subject)).toEqual(['CN=Example authority']);
  });

  it('reads back what it wrote', () => {
    const content = importPkcs12(openssl('openssl-rsa.p12'), 'example');
    const again = importPkcs12(exportPkcs12(content, 'another passphrase'), 'another passphrase');
    const spki = (pem: string): string => createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }).toString();
    expect(spki(again.privateKeyPem)).toBe(spki(content.privateKeyPem));
    expect([again.certificatePem, again.chainPems]).toEqual([content.certificatePem, content.chainPems]);
  });

  it('refuses a wrong passphrase, an EC key, a damaged file and anything else', () => {
    const file = openssl('openssl-rsa.p12');
    expect(() => importPkcs12(file, 'wrong')).toThrow(unreadable);
    expect(() => importPkcs12(openssl('openssl-ec.p12'), 'example')).toThrow(unreadable);
    for (const at of [0, 40, 700, file.length - 30]) {
      expect(() =>
        importPkcs12(
          file.map((byte, i) => (i === at ? byte ^ 0x55 : byte)),
          'example',
        ),
      ).toThrow(unreadable);
    }
    for (const bytes of [new Uint8Array(), file.slice(0, 1000), new Uint8Array(1_000_001)]) {
      expect(() => importPkcs12(bytes, 'example')).toThrow(unreadable);
    }
    expect(() => exportPkcs12({ privateKeyPem: 'none', certificatePem: '', chainPems: [] }, 'x')).toThrow(unreadable);
  });
});
