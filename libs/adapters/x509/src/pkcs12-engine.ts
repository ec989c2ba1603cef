import { webcrypto } from 'node:crypto';
import { CryptoEngine, PBES2Params, PBKDF2Params, type CryptoEngineDecryptParams } from 'pkijs';
import type { CryptoEngineVerifyDataStampedWithPasswordParams } from 'pkijs';
import { PortolanError } from '@portolan/contracts';

/** Object identifiers of RFC 8018 (PBES2, PBKDF2) and of AES-CBC by NIST. */
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const AES_CBC: readonly string[] = ['2.16.840.1.101.3.4.1.2', '2.16.840.1.101.3.4.1.22', '2.16.840.1.101.3.4.1.42'];

/**
 * What one file may cost, over all of its parts. PBKDF2 runs in Node's thread pool, about three million rounds a second; the key of the MAC
 * is derived on this thread, about a tenth as fast. No common software asks for more than a million.
 */
export const PKCS12_MOST = { pbkdf2Rounds: 5_000_000, macRounds: 600_000 };

export const refused = (rule: string): PortolanError => new PortolanError('x509.pkcs12-refused', 'PKCS#12 file', rule);

/** Node's WebCrypto for pkijs; before a key is derived for a part, its algorithm and rounds are judged. One engine a file. */
export class BoundedEngine extends CryptoEngine {
  private rounds = 0;

  constructor() {
    super({ name: 'node', crypto: webcrypto });
  }

  override async decryptEncryptedContentInfo(parameters: CryptoEngineDecryptParams): Promise<ArrayBuffer> {
    const { contentEncryptionAlgorithm } = parameters.encryptedContentInfo;
    if (contentEncryptionAlgorithm.algorithmId !== PBES2) throw refused('it is encrypted by an algorithm of before PBES2');
    const { keyDerivationFunc, encryptionScheme } = new PBES2Params({ schema: contentEncryptionAlgorithm.algorithmParams as unknown });
    if (keyDerivationFunc.algorithmId !== PBKDF2) throw refused('its keys are not derived by PBKDF2');
    if (!AES_CBC.includes(encryptionScheme.algorithmId)) throw refused('it is not encrypted by AES');
    this.count(new PBKDF2Params({ schema: keyDerivationFunc.algorithmParams as unknown }).iterationCount);
    return super.decryptEncryptedContentInfo(parameters);
  }

  override async verifyDataStampedWithPassword(parameters: CryptoEngineVerifyDataStampedWithPasswordParams): Promise<boolean> {
    if (!isCount(parameters.iterationCount, PKCS12_MOST.macRounds)) throw refused('its MAC asks for too many rounds');
    return super.verifyDataStampedWithPassword(parameters);
  }

  private count(rounds: number): void {
    this.rounds += rounds;
    if (!isCount(rounds, PKCS12_MOST.pbkdf2Rounds) || this.rounds > PKCS12_MOST.pbkdf2Rounds) throw refused('it asks for too many rounds');
  }
}

const isCount = (value: number, most: number): boolean => Number.isSafeInteger(value) && value >= 1 && value <= most;
