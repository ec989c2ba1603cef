import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type ConsentContent,
  type ExchangeRequest,
  type PermitOpening,
  type RestrictionContent,
} from '@portolan/contracts';
import { base64url, bytesOfBase64url, commit, utf8 } from '@portolan/verify';
import { recordAct, type Act } from '../audit/record-act.js';
import { openContent } from '../exchange/envelopes.js';
import { holdingEmergency, type HoldingEmergency } from '../emergency/holding-emergency.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import type { Person } from '../store/edge-tx.port.js';
import type { ConsentRow, ExchangeTx, RestrictionRow } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, needed, type SealedParts } from '../transfer/transfer.data.js';
import { answerMessages, sealAnswer } from './answer.js';
import { answerTime, type AnswerTime } from './answer-time.js';
import { categoriesPresent } from './categories-present.js';
import { decidePermit, type Denial, type Grant, type PermitFacts } from './permit.decide.js';

const MAX_REQUEST_CHARS = 100_000;

/** Fresh material for either outcome, made before deciding so that a denial does the same work as a grant. */
interface Prepared {
  readonly facts: PermitFacts;
  /** Registry code of a source that was not heard. */
  readonly unheard: string | undefined;
  readonly leaves: number;
  readonly permitId: string;
  readonly salt: string;
  readonly answers: { readonly match: SealedParts; readonly none: SealedParts };
}

/** `permitted` at once: in an emergency with the channel unreachable the permit's anchor is not awaited. */
interface Granted {
  readonly to: 'permitting' | 'permitted';
  readonly grant: Grant;
  readonly opening: PermitOpening;
  readonly request: ExchangeRequest;
}
type Decision =
  | Granted
  | {
      readonly to: 'answered';
      readonly denial: Denial | undefined;
      readonly person: Person | undefined;
      readonly answer: SealedParts;
      readonly request: ExchangeRequest;
      readonly leaves: number;
      readonly unheard: string | undefined;
    };

/**
 * Row 5: the custodian's exchange opens a request, finds the person by the traits sent, and decides on its own grounds. A record
 * goes on under a permit whose anchor row 6 waits for; everything else is answered at one fixed time after the request came,
 * in one form and length (design, invariant 8).
 */
export const permitRow = row<ExchangeTx, ExchangePorts, Transfer, Prepared, Decision>({
  step: 'permit',
  role: 'exchange',
  side: 'custodian',
  from: 'requested',
  to: ['permitting', 'permitted', 'answered'],
  async gather(transfer, ports) {
    const request = await openRequest(transfer, ports);
    const receivedAt = needed(custodianData(transfer).receivedAt, 'receivedAt');
    // First of all, so that waiting for an emergency tells nothing of a person.
    const emergency = await emergencyOf(request, receivedAt, ports);
    const time = answerTime(Date.parse(receivedAt), ports.clock.now(), ports.country.policy.negativeAnswerMs);
    const sealed = (outcome: 'certain-match' | 'none'): Promise<SealedParts> => sealAnswer(request, outcome, ports, time.leaves);
    // Sealed while sources are heard, so that nothing costly comes after them.
    const [{ facts, unheard }, match, none] = await Promise.all([
      gatherFacts(request, emergency, time, ports),
      sealed('certain-match'),
      sealed('none'),
    ]);
    const answers = { match, none };
    return { facts, unheard, leaves: time.leaves, permitId: ports.random.uuid(), salt: base64url(ports.random.bytes(32)), answers };
  },
  decide({ facts, unheard, leaves, permitId, salt, answers }) {
    const { request } = facts;
    const verdict = decidePermit(facts);
    const answered = { to: 'answered', person: verdict.person, request, leaves, unheard } as const;
    if (verdict.kind === 'denial') return { ...answered, denial: verdict, answer: answers.none };
    if (request.kind === 'match') return { ...answered, denial: undefined, answer: answers.match };
    const to = verdict.late === undefined ? 'permitting' : 'permitted';
    return { to, grant: verdict, opening: openingOf(verdict, request, permitId, salt), request };
  },
  write: (tx, transfer, decision, ports) =>
    decision.to === 'answered' ? writeAnswer(tx, transfer, decision, ports) : writeGrant(tx, transfer, decision, ports),
  /** A request that cannot be opened or read is answered by nobody: its sender is not proven. It stays as a dead letter with its original. */
  async fail(tx, transfer, error, ports) {
    if (!(await tx.transfers.advance(transfer.transferId, 'requested', 'answered', { data: { refusal: error.code } }))) return;
    await recordAct(
      tx,
      ports.random,
      { ...unknownAsker(transfer, ports), outcome: 'failed', reason: error.code },
      { person: undefined, keyId: transfer.keyId },
    );
  },
});

async function openRequest(transfer: Transfer, ports: ExchangePorts): Promise<ExchangeRequest> {
  const sealed = needed(custodianData(transfer).request, 'request');
  const head = { kind: 'request', transferId: transfer.transferId, from: transfer.partner, to: ports.country.code } as const;
  const { content } = await openContent(ports.sealer, sealed, head, (country, kid) => ports.channel.senderKey(country, kid));
  const where = 'permit/request';
  const request = ports.validators.check<ExchangeRequest>(
    'exchange-request',
    parseBounded(content, MAX_REQUEST_CHARS, 'request.invalid', where),
    'request.invalid',
    where,
  );
  if (request.transferId !== head.transferId || request.from !== head.from || request.to !== head.to)
    throw new PortolanError('seal.header-mismatch', where);
  return request;
}

async function gatherFacts(
  request: ExchangeRequest,
  emergency: HoldingEmergency | undefined,
  time: AnswerTime,
  ports: ExchangePorts,
): Promise<Pick<Prepared, 'facts' | 'unheard'>> {
  const { country, clock } = ports;
  const candidates = await ports.people.personsByTraits(request.traits);
  const only = candidates.length === 1 ? candidates[0] : undefined;
  const said = only === undefined ? { consents: [], restrictions: [] } : await readGrounds(only, ports);
  const known = {
    request,
    now: clock.now(),
    policy: country.policy,
    demandedTraits: country.demandedTraits,
    candidates,
    ...said,
    suspended: await ports.channel.suspended(request.from),
    emergency,
  };
  // Whoever is denied whatever there is, no hospital is told of.
  const open = decidePermit({ ...known, present: request.categories }).kind === 'grant';
  const { present, unheard } =
    only !== undefined && open ? await presentOf(only, request, time, ports) : { present: [], unheard: undefined };
  return { facts: { ...known, present }, unheard };
}

/** What the sources hold of what is asked. One that is too slow holds nothing now: the negative answer leaves when it always does. */
async function presentOf(
  { id: person }: Person,
  { categories, since, until, ...request }: ExchangeRequest,
  { heardUntil: by }: AnswerTime,
  { records }: ExchangePorts,
): Promise<{ present: PermitFacts['present']; unheard: string | undefined }> {
  let unheard: string | undefined;
  const gathered = await records.gather({ person, categories, since, until, by, unheard: (code) => (unheard = code) });
  return { present: categoriesPresent(gathered, { ...request, categories, since, until }), unheard };
}

async function emergencyOf(
  { emergency: named, from, to }: ExchangeRequest,
  receivedAt: string,
  ports: ExchangePorts,
): Promise<HoldingEmergency | undefined> {
  if (named === undefined) return undefined;
  const standing = await ports.channel.emergency(named.id, from, to, from);
  const now = ports.clock.now();
  const waited = now - Date.parse(receivedAt);
  const holding = holdingEmergency({ named, standing, channelDown: !(await ports.channel.reachable()), now, waited });
  if (holding === 'wait') throw new PortolanError('request.emergency-not-visible', 'permit/emergency');
  return holding;
}

const readGrounds = (person: Person, ports: ExchangePorts): Promise<Pick<PermitFacts, 'consents' | 'restrictions'>> =>
  ports.uow.run(async (tx) => ({
    consents: (await tx.grounds.consents(person.id)).map((consent: ConsentRow) => ({
      state: consent.state,
      content: JSON.parse(consent.text) as ConsentContent,
    })),
    restrictions: (await tx.grounds.restrictions(person.id))
      .filter((restriction: RestrictionRow) => restriction.state === 'live')
      .map((restriction) => JSON.parse(restriction.text) as RestrictionContent),
  }));

/** What the permit's commitment covers; the person is named as the asker named her. */
function openingOf(grant: Grant, request: ExchangeRequest, permitId: string, salt: string): PermitOpening {
  const [person] = request.traits.identifiers;
  return {
    v: 1,
    salt,
    permitId,
    custodian: request.to,
    recipient: request.from,
    purpose: request.purpose,
    until: instant(grant.until),
    ground: grant.ground,
    ...(grant.consent === undefined ? {} : { consent: grant.consent }),
    person: needed(person, 'identifier'),
    categories: [...grant.categories],
    ...(grant.since === undefined ? {} : { since: grant.since }),
    duties: [...grant.duties],
  };
}

async function writeGrant(
  tx: ExchangeTx,
  transfer: Transfer,
  { to, grant, opening, request }: Granted,
  ports: ExchangePorts,
): Promise<void> {
  const keyId = await tx.keys.forPerson(grant.person.id);
  const text = canonicalJson(opening);
  const data = {
    asked: request,
    opening: text,
    grant: { categories: grant.categories, ground: grant.ground, ...(grant.since === undefined ? {} : { since: grant.since }) },
    ...(grant.late === undefined ? {} : { late: { id: grant.late.id, declared: grant.late.declared } }),
  };
  const change = { data, permitId: opening.permitId, person: grant.person.id, keyId, limit: instant(grant.limit) };
  if (!(await tx.transfers.advance(transfer.transferId, 'requested', to, change))) return;
  await tx.permits.put({
    id: opening.permitId,
    transferId: transfer.transferId,
    person: grant.person.id,
    recipient: opening.recipient,
    purpose: opening.purpose,
    until: opening.until,
    state: 'granted',
    keyId,
    opening: text,
    consentId: grant.consent?.id,
  });
  const { permitId: id, custodian, recipient, purpose, until } = opening;
  const commitment = commit(bytesOfBase64url(opening.salt), utf8(text), ports.sha256);
  const args = { v: 1, id, custodian, recipient, purpose, until, commitment, ...(grant.late === undefined ? {} : { late: grant.late.id }) };
  // The act bears the permit's id, so that its outcome finds the transfer.
  await post(tx, { id, type: 'act.anchor', key: transfer.transferId, keyId, body: { fn: 'put-permit', args } });
}

async function writeAnswer(
  tx: ExchangeTx,
  transfer: Transfer,
  decision: Extract<Decision, { to: 'answered' }>,
  ports: ExchangePorts,
): Promise<void> {
  const { request, person, answer, leaves } = decision;
  const keyId = person === undefined ? transfer.keyId : await tx.keys.forPerson(person.id);
  const known = person === undefined ? {} : { person: person.id };
  if (!(await tx.transfers.advance(transfer.transferId, 'requested', 'answered', { data: { asked: request }, keyId, ...known }))) return;
  for (const message of answerMessages(request, custodianData(transfer), answer, ports, leaves)) await tx.outgoing.add(message);
  await recordAct(tx, ports.random, answerAct(decision, ports), { person: person?.id, keyId });
}

/** Custodian and person see why; nothing that is there because a source was not heard is told with the source's code. */
function answerAct({ request, denial, unheard }: Extract<Decision, { to: 'answered' }>, ports: ExchangePorts): Act {
  const { actor, from: partner, purpose, transferId, categories } = request;
  const reason = denial?.reason === 'no-data' ? (unheard ?? denial.reason) : denial?.reason;
  return {
    act: denial === undefined ? 'person-matched' : 'release-refused',
    recorded: instant(ports.clock.now()),
    outcome: denial === undefined ? 'success' : 'refused',
    ...(reason === undefined ? {} : { reason }),
    actor,
    country: ports.country.code,
    partner,
    purpose,
    transferId,
    categories,
  };
}

function unknownAsker(transfer: Transfer, ports: ExchangePorts): Omit<Act, 'outcome' | 'reason'> {
  const node = { system: 'urn:portolan:node', value: transfer.partner };
  return {
    act: 'release-refused',
    recorded: instant(ports.clock.now()),
    actor: {
      kind: 'machine',
      name: `Portolan node ${transfer.partner}`,
      id: node,
      role: 'node',
      organisation: { id: node, name: `Portolan node ${transfer.partner}` },
    },
    country: ports.country.code,
    partner: transfer.partner,
    transferId: transfer.transferId,
  };
}
