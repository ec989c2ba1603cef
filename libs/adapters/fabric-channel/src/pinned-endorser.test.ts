import { readFileSync } from 'node:fs';
import type { FabricTrust } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { pinnedEndorser } from './pinned-endorser.js';

const file = new URL('../../../contracts/vectors/valid/trust-file/fabric-real.json', import.meta.url);
const { participants } = JSON.parse(readFileSync(file, 'utf8')) as FabricTrust;
const peers = participants.flatMap(({ endorsers }) => endorsers);

describe('what is pinned of a peer', () => {
  it.each(peers.map((peer) => [peer]))('is its certificate as it stands, its key and its validity', (peer) => {
    expect(pinnedEndorser(peer.cert)).toEqual(peer);
  });
  it.each([
    ['nothing', ''],
    ['no certificate', 'peer of EE'],
    ['a certificate cut off', peers[0]?.cert.slice(0, 300) ?? ''],
    ['a certificate of another kind of key', ed25519()],
  ])('is not %s', (_, cert) => {
    expect(() => pinnedEndorser(cert)).toThrow(expect.objectContaining({ code: 'x509.certificate-invalid' }));
  });
});

/** `openssl req -x509 -newkey ed25519 -subj /CN=peer`. */
function ed25519(): string {
  return [
    '-----BEGIN CERTIFICATE-----',
    'MIIBNDCB56ADAgECAhQtjJoszj0SkTHV+Ip/K3D7y+J0+TAFBgMrZXAwDzENMAsG',
    'A1UEAwwEcGVlcjAgFw0yNjExMjcxNjE2MTlaGA8yMTI2MTEwMzE2MTYxOVowDzEN',
    'MAsGA1UEAwwEcGVlcjAqMAUGAytlcAMhAJ/ERdSwuPpCvS9sNUEfRQI5i+Wvh/Mb',
    'z6b1vrjveLw0o1MwUTAdBgNVHQ4EFgQUkWX4ad5KRtC+bErqp7bYhykwi30wHwYD',
    'VR0jBBgwFoAUkWX4ad5KRtC+bErqp7bYhykwi30wDwYDVR0TAQH/BAUwAwEB/zAF',
    'BgMrZXADQQCWrn2g0sjmsXUMX6+wcX5tbgXeo2hz1RiPNUDGfsUaS95eBefT2Toj',
    'oiHvoFtDvVIsEx+YIUdR0t0o8pvyt7QP',
    '-----END CERTIFICATE-----',
  ].join('\n');
}
