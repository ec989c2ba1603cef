import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crypto, ECDSA_P256, x509, type Key } from './platform.js';
import { judgeRequest } from './request.js';

interface Pair {
  readonly privateKey: Key;
  readonly publicKey: Key;
}
let keys: Pair;
beforeAll(async () => {
  keys = await crypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
});

const { KeyUsageFlags, ExtendedKeyUsage } = x509;
const hosts = (names: x509.JsonGeneralNames): x509.Extension => new x509.SubjectAlternativeNameExtension(names);
const dns = (value: string): { type: 'dns'; value: string } => ({ type: 'dns', value });

async function requestWith(
  extensions: x509.Extension[],
  name: x509.JsonName = [],
  pair = keys,
  algorithm: object = ECDSA_P256,
): Promise<string> {
  const made = await x509.Pkcs10CertificateRequestGenerator.create(
    { name, keys: pair, extensions, signingAlgorithm: algorithm as never },
    crypto,
  );
  return made.toString('pem');
}

describe('a request', () => {
  it('is taken with names and uses of TLS, as openssl req makes it', async () => {
    const pem = await requestWith(
      [
        hosts([dns('inbox.ee.example'), { type: 'ip', value: '10.0.0.7' }]),
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ],
      [{ O: ['Ministry of EE'] }, { CN: ['inbox EE'] }],
    );
    expect(await judgeRequest(pem)).toMatchObject({ commonName: 'inbox EE', hosts: ['inbox.ee.example', '10.0.0.7'] });
    expect(await judgeRequest(await requestWith([]))).toMatchObject({ commonName: undefined, hosts: [] });
  });

  it.each<[string, () => x509.Extension[], x509.JsonName?]>([
    ['to be an authority', () => [new x509.BasicConstraintsExtension(true, 3, true)]],
    ['to sign certificates', () => [new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign)]],
    ['to sign lists of revocations', () => [new x509.KeyUsagesExtension(KeyUsageFlags.cRLSign)]],
    ['for another use than TLS', () => [new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.codeSigning])]],
    ['for any use', () => [new x509.ExtendedKeyUsageExtension(['2.5.29.37.0'])]],
    ['for an extension of its own', () => [new x509.Extension('1.2.3.4.5.6.7.8.1', false, new Uint8Array([5, 0]))]],
    ['for name constraints', () => [new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))]],
    ['for one extension twice', () => [new x509.BasicConstraintsExtension(false), new x509.BasicConstraintsExtension(true)]],
    ['for a wildcard', () => [hosts([dns('*.ee.example')])]],
    ['for a host that is none', () => [hosts([dns('a..b')])]],
    ['for a host with a line break', () => [hosts([dns('ee.example\nother')])]],
    ['for a mail address', () => [hosts([{ type: 'email', value: 'who@ee.example' }])]],
    ['for a URL', () => [hosts([{ type: 'url', value: 'https://ee.example' }])]],
    ['for too many hosts', () => [hosts(Array.from({ length: 51 }, (_, i) => dns(`h${i}.ee.example`)))]],
    ['under two names', () => [], [{ CN: ['one'] }, { CN: ['two'] }]],
    ['under a name with a line break', () => [], [{ CN: ['PT-x\nCN=EE'] }]],
  ])('that asks %s is refused', async (_what, extensions, name) => {
    await expect(judgeRequest(await requestWith(extensions(), name))).rejects.toMatchObject({ code: 'x509.request-refused' });
  });

  it.each<[string, object]>([
    ['RSA', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }],
    ['P-384', { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }],
    ['Ed25519', { name: 'Ed25519' }],
  ])('for a key of %s is refused', async (_what, algorithm) => {
    const pair = (await crypto.subtle.generateKey(algorithm as never, true, ['sign', 'verify'])) as unknown as Pair;
    await expect(judgeRequest(await requestWith([], [], pair, algorithm))).rejects.toMatchObject({ code: 'x509.request-refused' });
  });

  it('beside another one, after its end, or too long is refused', async () => {
    const pem = await requestWith([]);
    for (const text of [
      `${pem}\n${pem}`,
      '',
      pem.slice(0, -40),
      `${pem}${' '.repeat(16_384)}`,
      pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
    ])
      await expect(judgeRequest(text)).rejects.toMatchObject({ code: 'x509.request-invalid' });
  });

  it('gives its own key or one of our codes, whatever bytes are altered, cut or put in', async () => {
    const pem = await requestWith([hosts([dns('inbox.ee.example')])], [{ CN: ['inbox EE'] }]);
    const whole = new Uint8Array(x509.PemConverter.decodeFirst(pem));
    const { kid } = await judgeRequest(pem);
    const spot = fc.nat(whole.length - 1);
    const change = fc.oneof(
      fc.tuple(spot, fc.integer({ min: 1, max: 255 })).map(([at, mask]) => whole.map((byte, i) => (i === at ? byte ^ mask : byte))),
      spot.map((at) => whole.slice(0, at)),
      fc
        .tuple(spot, fc.uint8Array({ maxLength: 40 }))
        .map(([at, more]) => new Uint8Array([...whole.slice(0, at), ...more, ...whole.slice(at)])),
      fc.uint8Array({ maxLength: 400 }),
    );
    await fc.assert(
      fc.asyncProperty(change, async (bytes) => {
        const text = x509.PemConverter.encode(bytes, x509.PemConverter.CertificateRequestTag);
        const answer = await judgeRequest(text).catch((error: unknown) => error);
        if (answer instanceof Error) expect((answer as { code?: string }).code).toMatch(/^x509\.request-(invalid|refused)$/);
        else expect(answer).toMatchObject({ kid });
      }),
      { numRuns: 1_000, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
    );
  });
});
