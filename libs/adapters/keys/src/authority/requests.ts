import { X509Certificate } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import type { CertificateAuthorities, ServerName } from '@portolan/domain';
import { writeTlsIdentity } from '../country-folders.js';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from '../files.js';
import { generatePair, publicJwkOfPem } from '../key-file.js';

const FILE = 'requested.key.pem';

/**
 * An end of TLS whose authority is on another machine: its key is made here and never leaves, the request travels. The identity in force
 * stays until the certificate is there.
 */
export class TlsIdentityRequests {
  constructor(
    private readonly folder: string,
    private readonly authorities: CertificateAuthorities,
  ) {}

  /** Another call before the answer asks for the same key. Throws `keys.too-open`. */
  async request(name: ServerName): Promise<string> {
    const privateKeyPem = (await this.requested()) ?? (await this.begin());
    return this.authorities.request(name, { privateKeyPem, publicJwk: publicJwkOfPem(privateKeyPem) });
  }

  /** Puts the answer in force. Throws `x509.certificate-invalid` where it is for another key than the requested one. */
  async accept({ certificatePem, authorityPem }: { certificatePem: string; authorityPem: string }): Promise<void> {
    const privateKeyPem = await this.requested();
    if (privateKeyPem === undefined || !isFor(certificatePem, privateKeyPem))
      throw new PortolanError('x509.certificate-invalid', 'certificate', 'it is not for the key that was requested here');
    await writeTlsIdentity(this.folder, { privateKeyPem, certificatePem, authorityPem });
    await orMissing(unlink(join(this.folder, FILE)));
  }

  private async requested(): Promise<string | undefined> {
    const path = join(this.folder, FILE);
    const pem = await orMissing(readFile(path, 'utf8'));
    if (pem !== undefined) await refuseOpenSecret(path, 'requested key');
    return pem;
  }

  private async begin(): Promise<string> {
    const { privateKeyPem } = generatePair();
    await privateFolder(this.folder);
    await writePrivately(join(this.folder, FILE), privateKeyPem);
    return privateKeyPem;
  }
}

function isFor(certificatePem: string, privateKeyPem: string): boolean {
  try {
    const { x, y } = new X509Certificate(certificatePem).publicKey.export({ format: 'jwk' });
    const own = publicJwkOfPem(privateKeyPem);
    return x === own.x && y === own.y;
  } catch {
    return false;
  }
}
