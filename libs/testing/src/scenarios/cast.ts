import { randomInt, randomUUID, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signJwt } from '@portolan/jose';
import type { CountryClient } from '../client/country-client.js';
import { sendMllp } from '../client/mllp.js';
import { eventually } from '../story/wait.js';
import type { DemoPerson } from '../world/demo-people.js';
import { ana, demoClinicians, mari, type DemoClinician } from '../world/demo-people.js';
import { findJson } from '../world/files.js';
import { repository } from '../world/world.js';
import type { SharedWorld } from './shared-world.js';

const HL7 = join(repository, 'libs/formats/fixtures/hl7v2');

/** Somebody whom one scenario has for itself: nobody else's scenario changes what stands of her. */
export interface Newcomer extends DemoPerson {
  readonly given: string;
  /** What makes her messages' numbers hers. */
  readonly mark: string;
}

interface Sources {
  readonly like: DemoPerson;
  readonly given: string;
  readonly messages: readonly string[];
  readonly encoding: 'utf8' | 'latin1';
  /** Numbers in the messages that must not be another person's. */
  readonly numbers: RegExp;
}

const SOURCES: Readonly<Record<'EE' | 'PT', Sources>> = {
  EE: {
    like: mari,
    given: 'Mari',
    messages: ['ee-adt-a01', 'ee-oru-r01-chemistry'],
    encoding: 'utf8',
    numbers: /EE-(?:ADT|ORU)-\d{4}|H-100001|V-2026-0001|(?:L-)?T-000\d|S-0001(?:-L)?/g,
  },
  PT: {
    like: ana,
    given: 'Ana',
    messages: ['pt-adt-a01', 'pt-oru-r01'],
    encoding: 'latin1',
    numbers: /PT-(?:ADT|ORU)-\d{4}|P-200001|EP-2026-01|LX-0001/g,
  },
};

const FAMILIES = ['Katseline', 'Proovija', 'Modelo', 'Ensaiada', 'Amostra', 'Mudel'];

export const clinicianOf = (country: string): DemoClinician => {
  const found = demoClinicians[country];
  if (found === undefined) throw new Error(`no clinician in ${country}`);
  return found;
};

/** A person nobody has heard of yet. */
export function somebody(country: 'EE' | 'PT'): Newcomer {
  const mark = randomUUID().slice(0, 8).toUpperCase();
  const { like, given } = SOURCES[country];
  const value = country === 'EE' ? `49${randomInt(1e8, 1e9)}` : `99${randomInt(1e6, 1e7)}`;
  const family = `${FAMILIES[randomInt(FAMILIES.length)] ?? ''}${String.fromCharCode(...Array.from({ length: 6 }, () => randomInt(97, 123)))}`;
  const birthDate = `19${randomInt(40, 99)}-0${randomInt(1, 10)}-${randomInt(10, 28)}`;
  return { ...like, id: mark, name: `${given} ${family}`, family, given, birthDate, identifier: { ...like.identifier, value }, mark };
}

/** The messages that a hospital and a laboratory send about her: a summary's worth, and laboratory results. */
export async function messagesAbout(person: Newcomer): Promise<readonly Uint8Array[]> {
  const { like, given, messages, encoding, numbers } = SOURCES[person.country as 'EE' | 'PT'];
  const texts = messages.map((name) => readFile(join(HL7, `${name}.hl7`)));
  return (await Promise.all(texts)).map((bytes) => {
    const born = /\|19\d{6}\|F/;
    const text = bytes
      .toString(encoding)
      .replaceAll(like.identifier.value, person.identifier.value)
      .replaceAll(`${like.family}^${given}`, `${person.family}^${given}`)
      .replace(born, `|${person.birthDate.replaceAll('-', '')}|F`)
      .replaceAll(numbers, (number) => `${number}-${person.mark}`);
    return Buffer.from(text, encoding);
  });
}

/** Somebody new whose record is filed over MLLP, as every hospital files. */
export async function newcomer(world: SharedWorld, country: 'EE' | 'PT'): Promise<Newcomer> {
  const person = somebody(country);
  for (const message of await messagesAbout(person)) await filed(world.at(country), message);
  return person;
}

export async function filed(client: CountryClient, message: Uint8Array): Promise<string> {
  const ack = await sendMllp(client.config.mllp, message);
  if (!/\rMSA\|AA\|/.test(ack)) throw new Error(`not acknowledged with AA: ${ack.replaceAll('\r', ' / ')}`);
  return ack;
}

/** Access token of a person, as her country's provider would give it: signed by that provider's own key. */
export async function tokenOf(world: SharedWorld, person: DemoPerson, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { config } = world.at(person.country);
  const kept = await findJson<{ kid: string; privateJwk: webcrypto.JsonWebKey; publicJwk: object }>(
    join(config.home, 'demo/provider.jwk.json'),
  );
  if (kept === undefined) throw new Error('the provider has no key');
  const privateKey = await webcrypto.subtle.importKey('jwk', kept.privateJwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const now = Math.floor(Date.now() / 1000);
  const { issuer: iss, audience: aud } = config.openid;
  const times = { iat: now, exp: now + 600, jti: randomUUID() };
  const client = { client_id: 'portolan-cli', scope: 'openid portal' };
  const claims = {
    iss,
    aud,
    sub: person.id,
    ...times,
    ...client,
    ptl_kind: 'person',
    ptl_person: person.identifier,
    name: person.name,
    ...more,
  };
  return signJwt(claims, { kid: kept.kid, alg: 'ES256', privateKey, publicJwk: kept.publicJwk }, 'at+jwt');
}

/** One entry of a person's feed. */
export interface FeedLine {
  readonly act: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly transferId?: string;
  readonly permitId?: string;
  readonly purpose?: string;
  readonly who: { readonly name: string; readonly role: string; readonly organisation: string };
  readonly [member: string]: unknown;
}

/** A person and her own word, over the API that her portal uses. */
export class Herself {
  constructor(
    private readonly world: SharedWorld,
    readonly person: DemoPerson,
  ) {}

  private get home(): CountryClient {
    return this.world.at(this.person.country);
  }

  async call(path: string, body?: unknown): Promise<ReturnType<CountryClient['call']> extends Promise<infer A> ? A : never> {
    const token = await tokenOf(this.world, this.person);
    return this.home.call(path, { token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  async feed(): Promise<readonly FeedLine[]> {
    const lines: FeedLine[] = [];
    for (let after = '0'; ;) {
      const answer = await this.call(`/person/feed?after=${after}&limit=100`);
      const page = answer.json<{ entries: readonly FeedLine[]; next: string }>();
      lines.push(...page.entries);
      if (page.entries.length === 0) return lines;
      after = page.next;
    }
  }

  /** Waits until her feed has a line that fits. */
  async hears(what: string, fits: (line: FeedLine) => boolean): Promise<FeedLine> {
    let found: FeedLine | undefined;
    await eventually(`her feed says: ${what}`, async () => (found = (await this.feed()).find(fits)) !== undefined);
    return found as FeedLine;
  }

  async permits(recipients: readonly string[], categories: readonly string[], days = 14): Promise<string> {
    const until = new Date(Date.now() + days * 86_400_000).toISOString();
    const answer = await this.call('/person/consents', { recipients, purposes: ['TREAT'], categories, until });
    return this.stands('consents', answer.json<{ consentId: string }>().consentId, 'live');
  }

  async withdraws(consentId: string): Promise<void> {
    await this.call(`/person/consents/${consentId}/withdraw`, {});
    await this.stands('consents', consentId, 'withdrawn');
  }

  async forbids(kind: 'opt-out' | 'restriction', also: object = {}): Promise<string> {
    const answer = await this.call('/person/restrictions', { kind, ...also });
    return this.stands('restrictions', answer.json<{ restrictionId: string }>().restrictionId, 'live');
  }

  private async stands(list: 'consents' | 'restrictions', id: string, state: string): Promise<string> {
    await eventually(`her word stands as ${state}`, async () => {
      const grounds = (await this.call('/person/grounds')).json<Record<string, readonly { id: string; state: string }[]>>();
      return (grounds[list] ?? []).some((one) => one.id === id && one.state === state);
    });
    return id;
  }
}
