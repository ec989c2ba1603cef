import { refusalOf, type Tried } from '@portolan/fabric-channel';
import type { DiscoveryHandler, Endorsement, EndorsementResponse } from 'fabric-common';
import type { Connection } from './connection.js';

/** How old may be what is known of who endorses, and how long one peer is waited for before another is asked. Milliseconds. */
const plan = { staleMs: 60_000, doubtedMs: 2_000, eachMs: 8_000 } as const;

/** gRPC status codes (grpc/grpc, doc/statuscodes.md). */
const grpc = { resourceExhausted: 8, outOfRange: 11 } as const;

interface Failure extends Error {
  readonly code?: number;
  /** Whose it is. */
  readonly connection?: { readonly name: string };
  /** Of all that were asked, where they do not agree. */
  readonly endorsements?: readonly (EndorsementResponse | Failure)[];
}

/** Has an act endorsed by our own peer and by as many others as the channel asks for, found through our own peer. */
export class Endorsing {
  private handler: DiscoveryHandler | undefined;
  private at = -Infinity;
  private finding: Promise<DiscoveryHandler> | undefined;

  constructor(private readonly connection: Connection) {}

  /** An endorsement that may be ordered, or what became of the act without one. */
  async endorse(fn: string, texts: readonly string[]): Promise<{ readonly endorsement: Endorsement } | Tried> {
    const { channel, options } = this.connection;
    const handler = await this.endorsers();
    const endorsement = await this.connection.ready(channel.newEndorsement(options.chaincode), { fcn: fn, args: [...texts] });
    const { errors, responses } = await endorsement.send({ handler, requestTimeout: plan.eachMs });
    if (errors.length === 0 && areAlike(responses)) return { endorsement };
    const answers = [...responses, ...errors.flatMap((error: Failure) => [error, ...(error.endorsements ?? [])])];
    return this.failed(answers);
  }

  /** Nothing that was not endorsed can be ordered. Another country's peer that refuses lags behind ours, or its rules or clock differ. */
  private failed(answers: readonly (EndorsementResponse | Failure)[]): Tried {
    const ours = answers.filter((answer) => this.isOurs(answer));
    const refusals = ours.map((answer) => (answer instanceof Error ? tooLarge(answer) : refusalBy(answer)));
    const refusal = refusals.find((one) => one !== undefined);
    if (refusal !== undefined) return { is: 'refused', ...refusal };
    if (performance.now() - this.at > plan.doubtedMs) this.at = -Infinity;
    return { is: 'again', code: 'ledger.endorsement-failed' };
  }

  private isOurs({ connection: at }: EndorsementResponse | Failure): boolean {
    return at !== undefined && this.connection.channel.getEndorsers(this.connection.options.org).some(({ name }) => name === at.name);
  }

  /** Who endorses is looked up again now and then, beside the acts; only the first one waits for it. */
  private async endorsers(): Promise<DiscoveryHandler> {
    if (performance.now() - this.at > plan.staleMs) {
      this.finding ??= this.find().finally(() => (this.finding = undefined));
      if (this.handler === undefined) return this.finding;
      this.finding.catch(() => undefined);
    }
    return this.handler ?? this.find();
  }

  private async find(): Promise<DiscoveryHandler> {
    this.handler = await this.connection.discover();
    this.at = performance.now();
    return this.handler;
  }
}

/** Fabric takes endorsements of the same bytes alone. */
function areAlike(responses: readonly EndorsementResponse[]): boolean {
  const [first] = responses;
  return first !== undefined && responses.every(({ response, payload }) => response.status < 400 && payload.equals(first.payload));
}

type Refusal = Pick<Tried & { is: 'refused' }, 'code' | 'where'>;

const refusalBy = ({ response: { status, message } }: EndorsementResponse): Refusal | undefined =>
  status >= 400 ? refusalOf(message) : undefined;

const tooLarge = ({ code }: Failure): Refusal | undefined =>
  code === grpc.resourceExhausted || code === grpc.outOfRange ? { code: 'ledger.transaction-too-large', where: 'transaction' } : undefined;
