import { Inject, Injectable } from '@nestjs/common';
import { PortolanError, type Actor, type ErrorCode, type Uuid } from '@portolan/contracts';
import {
  instant,
  judgeOf,
  readMessage,
  type EdgeTx,
  type IngestAnswer,
  type IngestProblem,
  type Reject,
  type StoredMessage,
} from '@portolan/domain';
import { type CountryPack, type FhirJudge, personParts, type Sha256Hex } from '@portolan/formats';
import { hexOf } from '@portolan/verify';
import { EdgeParts } from '../edge.parts.js';
import { indexOptions } from '../fhir/index-options.js';
import { AnsweredPack } from './answered-pack.js';
import { fileMessage } from './file-message.js';
import type { Usable } from './filed.js';
import { sourceOf, type Accepted, type Incoming, type IngestTools } from './incoming.js';
import { moveLeft, type Answering } from './move-left.js';
import { keepTestMessage, refuseMessage } from './refuse-message.js';
import { closeRepaired } from './repair.js';

export interface IngestInput {
  readonly bytes: Uint8Array;
  readonly via: Exclude<StoredMessage['via'], 'replay'>;
  /** Client id of the authenticated sender; undefined where the message itself names its sender (MSH-3|MSH-4 over MLLP). */
  readonly source: string | undefined;
}

export interface Repair {
  readonly reject: Reject;
  readonly bytes: Uint8Array;
  /** As in `IngestInput`. */
  readonly source: string | undefined;
  /** The operator. */
  readonly actor: Actor;
}

/** A replay that is as unusable as the original was; nothing is stored, and the reject stays open. */
export class NotRepaired extends Error {
  constructor(readonly problems: readonly IngestProblem[]) {
    super('the replayed message cannot be used');
    this.name = 'NotRepaired';
  }
}

/** The unit of work's own retries end with these; the work is idempotent, so it may simply be done again. */
const REPEATABLE: ReadonlySet<ErrorCode> = new Set(['store.conflict', 'store.outcome-unknown']);
const ATTEMPTS = 3;

/** What a sender calls itself where nothing says. */
const NOBODY = 'unknown';

/**
 * The way in (steps 1 to 3 of the flow): bytes are kept as received, translated, and stored with everything that follows from them
 * in one transaction. Every message ends as stored, as not for production, or as a reject that holds the original; the same message
 * again gets the same answer and changes nothing.
 */
@Injectable()
export class IngestService {
  private readonly tools: IngestTools;
  private readonly judge: FhirJudge;

  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(AnsweredPack) private readonly answered: AnsweredPack,
  ) {
    const { country, pack, random, sources } = parts;
    const sha256: Sha256Hex = (bytes) => hexOf(parts.sha256(bytes));
    const national = new Set(pack.personIdentifiers.map(({ system }) => system));
    this.judge = judgeOf(parts.fhirValidator);
    this.tools = { country, pack, random, sources, sha256, national, index: indexOptions(parts) };
  }

  /**
   * Takes one message over. Answers when it is committed; throws (`store.unavailable` …) where it could not be, with nothing stored:
   * the sender still has it.
   */
  async accept(input: IngestInput): Promise<Accepted> {
    return this.parts.telemetry.span('ingest', { 'portolan.bytes': input.bytes.length }, undefined, async () => {
      const { pack } = await this.answered.inForce();
      const [first, ...others] = personParts(input.bytes);
      const accepted = await this.acceptOne({ ...input, bytes: first ?? input.bytes }, pack);
      let { answer } = accepted;
      // Each person's part stands by itself; a sender who was told of a refusal sends the whole again, and what was filed is filed once.
      for (const bytes of others) answer = bothOf(answer, (await this.acceptOne({ ...input, bytes }, pack)).answer);
      return { answer, head: accepted.head };
    });
  }

  private async acceptOne(input: IngestInput, pack: CountryPack): Promise<Accepted> {
    const incoming = this.read({ ...input, repairs: undefined }, pack);
    return { answer: await this.takeOver(incoming), head: incoming.reading };
  }

  /**
   * Files the repaired bytes of a reject, or its original again, and closes it. Throws NotRepaired where they cannot be used either,
   * `operator.reject-closed` where it is not open.
   */
  async repair({ reject, bytes, source, actor }: Repair): Promise<IngestAnswer> {
    const { pack } = await this.answered.inForce();
    const incoming = this.read({ bytes, via: 'replay', source, repairs: reject }, pack);
    try {
      return await this.repeatedly(async (tx) => {
        const answer = await this.deal(tx, incoming, async (problems) => Promise.reject(new NotRepaired(problems)));
        if (answer.state !== 'stored')
          throw new NotRepaired([{ code: 'ingest.processing-unsupported', path: 'MSH-11', severity: 'document' }]);
        await closeRepaired(tx, reject, answer, { actor, at: incoming.received }, this.tools);
        return answer;
      });
    } catch (error) {
      if (isRefusal(error)) throw new NotRepaired([problemOf(error)]);
      throw error;
    }
  }

  /**
   * Translates a message that was filed before with the rules and answers in force, and files what came of it: new versions where anything is said
   * otherwise. False where it cannot be used any more; what was filed of it stands then. Done twice it changes nothing.
   */
  async translateAgain(id: Uuid): Promise<boolean> {
    const { pack, answeredAt } = await this.answered.look();
    const message = await this.parts.uow.run((tx) => tx.messages.get(id));
    const again = message === undefined ? undefined : this.readAgain(message, pack);
    try {
      return await this.repeatedly(async (tx) => {
        if (answeredAt !== undefined) await tx.mappings.served(id, answeredAt);
        if (again === undefined) return false;
        await fileMessage(tx, again, this.tools);
        return true;
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (answeredAt !== undefined) await this.repeatedly((tx) => tx.mappings.served(id, answeredAt));
      return false;
    }
  }

  /** An operator says that a stay that was left goes where its number was moved (`moveLeft`). */
  async moveLeft(id: Uuid, operator: Answering['operator']): Promise<void> {
    const { pack } = await this.answered.inForce();
    const read = (message: StoredMessage): Usable | undefined => this.readAgain(message, pack);
    await this.repeatedly((tx) => moveLeft(tx, id, { operator, at: instant(this.parts.clock.now()), read }, this.tools));
  }

  private readAgain({ original, source }: StoredMessage, pack: CountryPack): Usable | undefined {
    const incoming = this.read({ bytes: original, via: 'replay', source: sourceOf(source), repairs: undefined }, pack);
    const { reading, sender } = incoming;
    if (reading.kind !== 'usable' || sender === undefined) return undefined;
    const { translation } = reading;
    return { incoming: { ...incoming, again: { mapVersion: translation.mapVersion, pack } }, translation, sender };
  }

  /** A refusal found while filing undoes its transaction; the reject is written in one of its own. */
  private async takeOver(incoming: Incoming): Promise<IngestAnswer> {
    const refuse = (tx: EdgeTx, problems: readonly IngestProblem[]): Promise<IngestAnswer> =>
      refuseMessage(tx, incoming, problems, this.tools);
    try {
      return await this.repeatedly((tx) => this.deal(tx, incoming, (problems) => refuse(tx, problems)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return this.repeatedly((tx) => refuse(tx, [problemOf(error)]));
    }
  }

  private async deal(
    tx: EdgeTx,
    incoming: Incoming,
    refuse: (problems: readonly IngestProblem[]) => Promise<IngestAnswer>,
  ): Promise<IngestAnswer> {
    const { reading, sender, source } = incoming;
    const stranger = sender === undefined && (source !== NOBODY || reading.kind !== 'unusable');
    if (stranger)
      return refuse([{ code: 'ingest.sender-unknown', path: incoming.via === 'http' ? 'client' : 'MSH-3', severity: 'document' }]);
    if (reading.kind === 'unusable' || sender === undefined) return refuse(reading.kind === 'unusable' ? reading.problems : []);
    if (reading.kind === 'test') return keepTestMessage(tx, incoming, this.tools);
    return fileMessage(tx, { incoming, translation: reading.translation, sender }, this.tools);
  }

  private read(
    { bytes, via, source, repairs }: Pick<Incoming, 'bytes' | 'via' | 'repairs'> & { source: string | undefined },
    pack: CountryPack,
  ): Incoming {
    const { clock, sources } = this.parts;
    const received = instant(clock.now());
    const reading = readMessage({ bytes, country: pack, sha256: this.tools.sha256, received, judge: this.judge, source });
    const name = source ?? reading.sender ?? NOBODY;
    const sender = sources.find((one) => one.name === name);
    return { bytes, sha256: this.tools.sha256(bytes), via, received, reading, source: name, sender, repairs };
  }

  private async repeatedly<T>(work: (tx: EdgeTx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.parts.uow.run(work);
      } catch (error) {
        if (attempt === ATTEMPTS || !(error instanceof PortolanError) || !REPEATABLE.has(error.code)) throw error;
      }
    }
  }
}

/** What became of a message of two persons: it is refused where either part is. */
const bothOf = (one: IngestAnswer, other: IngestAnswer): IngestAnswer => ({
  ...(one.state === 'stored' ? other : one),
  problems: [...one.problems, ...other.problems],
});

/** Whether an error says that the message itself cannot be used, rather than that it could not be stored now. */
const isRefusal = (error: unknown): error is PortolanError =>
  error instanceof PortolanError &&
  (/^(?:ingest|translate)\./.test(error.code) || error.code === 'store.person-erased' || error.code === 'store.key-destroyed');

const problemOf = ({ code, where }: PortolanError): IngestProblem => ({ code, path: where, severity: 'document' });
