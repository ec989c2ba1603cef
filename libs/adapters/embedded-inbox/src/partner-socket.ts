import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CountryCode, Kid, PublicJwk } from '@portolan/contracts';
import { jwkThumbprint, parsePartnerName } from '@portolan/domain';

/** The country at the other end of a connection, as its certificate names it. */
export interface Partner {
  readonly country: CountryCode;
  readonly kid: Kid;
  /** Of the certificate, hexadecimal, lower case. */
  readonly serial: string;
  /** End of the certificate, milliseconds since the Unix epoch. */
  readonly validUntil: number;
}

const COUNTRY = /^[A-Z]{2}$/;
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

/**
 * Reads the partner from a client certificate that TLS verified: its only name is one `CN=<cc>-<kid>`, and `kid` is the thumbprint of
 * its own key. Undefined where it is anything else, such as a server's certificate of the same authority.
 */
export function partnerOf(socket: TLSSocket): Partner | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return undefined;
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, unknown>;
  const name = parsePartnerName(Object.keys(subject).join() === 'CN' && typeof subject['CN'] === 'string' ? subject['CN'] : '');
  if (name === undefined || !COUNTRY.test(name.org)) return undefined;
  const publicJwk = certificate.publicKey.export({ format: 'jwk' }) as PublicJwk;
  if (jwkThumbprint(publicJwk, sha256) !== name.kid) return undefined;
  const serial = certificate.serialNumber.toLowerCase();
  return { country: name.org, kid: name.kid, serial, validUntil: certificate.validToDate.getTime() };
}

/** The open connections and whose they are. */
export class PartnerSockets {
  private readonly open = new Map<Socket, Partner>();

  constructor(private readonly maxEach: number) {}

  /** Whether the connection was let in: a partner may hold so many and no more. */
  admit(socket: Socket, partner: Partner): boolean {
    let held = 0;
    for (const { country } of this.open.values()) if (country === partner.country) held += 1;
    if (held >= this.maxEach) return false;
    this.open.set(socket, partner);
    socket.once('close', () => this.open.delete(socket));
    return true;
  }

  of(socket: Socket): Partner | undefined {
    return this.open.get(socket);
  }

  drop(country: CountryCode, kid: Kid): void {
    for (const [socket, partner] of this.open) if (partner.country === country && partner.kid === kid) socket.destroy();
  }
}
