import { PortolanError, type CountryCode, type DataCategory, type Purpose, type SearchTraits, type Uuid } from '@portolan/contracts';
import { DATA_CATEGORIES, ensureTransferId, instant, post, spendStatement, type EdgeTransfer, type TransferId } from '@portolan/domain';
import { professionalKey, type Clinician } from './access.js';
import type { EdgeParts } from './edge.parts.js';

/** How long a client waits on the line before it is answered 202 (design, section 4). */
export const WAIT_MS = 10_000;

export interface MatchQuestion {
  readonly country: CountryCode;
  readonly purpose: Purpose;
  readonly traits: SearchTraits;
  /** Declared before: whoever permitted nothing is found in it alone. */
  readonly emergency?: RecordQuestion['emergency'];
}

export interface RecordQuestion {
  /** FHIR id of the Patient that a certain match gave: our handle of the foreign person. */
  readonly patientHandle: string;
  readonly purpose: Purpose;
  readonly categories: readonly DataCategory[];
  readonly since?: string;
  readonly until?: string;
  readonly caseId?: Uuid;
  readonly emergency?: { readonly id: Uuid; readonly reason: string };
}

/** The explicit crossing: asks another country through the exchange, waits, and tells what came of it. Local reads never come here. */
export class Crossing {
  constructor(private readonly parts: EdgeParts) {}

  async match(question: MatchQuestion, clinician: Clinician): Promise<TransferId> {
    this.demandPartner(question.country);
    // Every category is asked for: a match is answered where anything at all may be released.
    const asked = { ...question, kind: 'match', categories: [...DATA_CATEGORIES], caseId: this.parts.random.uuid() } as const;
    return this.ask(asked, this.parts.random.uuid(), clinician);
  }

  async record(question: RecordQuestion, clinician: Clinician): Promise<TransferId> {
    const { patientHandle, caseId = this.parts.random.uuid(), ...rest } = question;
    const link = await this.parts.uow.alone((tx) => tx.links.get(patientHandle));
    if (link === undefined) throw new PortolanError('request.patient-unknown', 'crossing/record');
    return this.ask({ kind: 'record', country: link.country, traits: link.traits, caseId, ...rest }, patientHandle, clinician);
  }

  /** The transfer as its asker may see it; `request.unknown` to everybody else. */
  async state(id: string, clinician: Clinician): Promise<EdgeTransfer> {
    const transfer = await this.parts.uow.alone((tx) => tx.transfers.get(ensureTransferId(id)));
    if (transfer?.requestedBy !== professionalKey(clinician)) throw new PortolanError('request.unknown', 'crossing');
    return transfer;
  }

  /** Waits until the request is answered, at most `ms`; then the transfer as it stands. */
  async wait(id: TransferId, ms: number, clinician: Clinician): Promise<EdgeTransfer> {
    const transfer = await this.state(id, clinician);
    if (transfer.state !== 'asked') return transfer;
    await this.parts.answers.wait(id, ms);
    return this.state(id, clinician);
  }

  /** Keeps the traits that were certainly matched under our handle, so that a record can be asked for by it. */
  async keepMatch(transfer: EdgeTransfer): Promise<string> {
    const { patientHandle, traits } = transfer.data as { patientHandle: string; traits: SearchTraits };
    const { country, keyId } = transfer;
    await this.parts.uow.run(async (tx) => {
      // Told again, it changes nothing: somebody may have confirmed a link meanwhile.
      const known = await tx.links.get(patientHandle);
      if (known === undefined) await tx.links.put({ handle: patientHandle, country, keyId, traits, local: undefined });
    });
    return patientHandle;
  }

  private demandPartner(country: CountryCode): void {
    if (!this.parts.partners.includes(country)) throw new PortolanError('exchange.partner-unknown', 'crossing', country);
  }

  private async ask(question: Asked, patientHandle: string, clinician: Clinician): Promise<TransferId> {
    const { random, clock, uow } = this.parts;
    this.demandPurpose(question.purpose, clinician);
    const transferId = ensureTransferId(random.uuid());
    const now = instant(clock.now());
    await uow.run(async (tx) => {
      await spendStatement(tx, clinician.acting);
      const keyId = await tx.keys.create();
      const data = { patientHandle, ...question };
      const { kind, caseId } = question;
      await tx.transfers.create({
        transferId,
        kind,
        country: question.country,
        state: 'asked',
        requestedBy: professionalKey(clinician),
        caseId,
        keyId,
        data,
        createdAt: now,
      });
      const body = { transferId, evidence: clinician.evidence, trace: this.parts.telemetry.inject(), ...question };
      await post(tx, { id: random.uuid(), type: 'transfer.ask', key: transferId, keyId, body });
    });
    return transferId;
  }

  private demandPurpose(purpose: Purpose, { acting }: Clinician): void {
    if (!acting.purposes.includes(purpose)) throw new PortolanError('request.purpose-not-stated', 'crossing');
  }
}

type Asked = Omit<Parameters<typeof post<'transfer.ask'>>[1]['body'], 'transferId' | 'evidence' | 'trace'>;
