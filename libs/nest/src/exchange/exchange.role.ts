import type { CompactJws, CountryCode, Uuid } from '@portolan/contracts';
import {
  custodianData,
  ensureTransferId,
  exchangeRows,
  type Checkpoint,
  type ExchangePorts,
  type ExchangeTx,
  type InboxListener,
  type Leases,
  type PartnerLink,
  type PersonId,
  type RoleMessages,
  type Telemetry,
  type Transfer,
  type Wakeups,
} from '@portolan/domain';
import { Deliveries } from '../link/deliveries.js';
import { outboxQueries } from '../link/outbox-queries.js';
import { Relay } from '../link/relay.js';
import { Retention, type Kept, type RetentionParts } from '../link/retention.js';
import type { RoleLink } from '../link/role-link.js';
import type { RolePorts } from '../link/role.controller.js';
import type { NodeLogger } from '../runtime/logger.js';
import { Loop } from '../runtime/loop.js';
import { Opened } from '../runtime/role-app.js';
import { Arrivals } from './arrivals.js';
import { exchangeHandlers } from './commands.js';
import { Courier } from './courier.js';
import { Emergencies } from './emergencies.js';
import { Grounds } from './grounds.js';
import { PipelineRunner } from './runner.js';

/** How soon after its limit a declared emergency is ended on the channel; it counts as over from its limit on. */
const EMERGENCY_ROUND_MS = 30_000;

/** What the exchange is made of; composition (compose/) binds the ports to adapters. */
export interface ExchangeParts {
  readonly ports: ExchangePorts;
  readonly link: RoleLink;
  readonly inbox: InboxListener;
  readonly partnerLink: PartnerLink;
  readonly wakeups: Wakeups;
  readonly checkpoint: Checkpoint;
  readonly telemetry: Telemetry;
  readonly logger: NodeLogger;
  readonly takeOverAfterMs: number;
  readonly leases: Leases;
  readonly kept: Kept;
}

/**
 * The exchange faces other countries: it decides, assembles, seals, opens. Data it holds: transfers, inbox and outgoing envelopes,
 * grounds, permits; it reads the edge's record tables, and nothing else of another role.
 */
export class ExchangeRole {
  private readonly opened = new Opened();
  readonly rolePorts: RolePorts;
  private readonly grounds: Grounds;
  private readonly emergencies: Emergencies;

  constructor(private readonly parts: ExchangeParts) {
    const { ports, link } = parts;
    this.grounds = new Grounds(ports);
    this.emergencies = new Emergencies(ports);
    const handlers = exchangeHandlers(ports, this.grounds, this.emergencies, (org, kid) => parts.inbox.drop(org, kid));
    const deliveries = new Deliveries('exchange', ports.uow, link, handlers, undefined, holdTransfers);
    this.rolePorts = { uow: ports.uow, deliveries, queries: this.queries() };
  }

  async start(): Promise<void> {
    const { ports, inbox, wakeups, logger, link, partnerLink, checkpoint, telemetry, takeOverAfterMs, leases, kept } = this.parts;
    await inbox.listen(
      (from, message) => this.store(from, message),
      (country, kid) => ports.channel.tlsKeyLive(country, kid),
    );
    this.opened.add(() => inbox.close());
    const workers = [
      new Relay(ports.uow, link, logger, wakeups, takeOverAfterMs),
      new Retention({ us: 'exchange', holder: ports.random.uuid(), uow: ports.uow, link, leases, logger, kept, also: this.purges() }),
      new Courier(ports.uow, partnerLink, logger, wakeups, takeOverAfterMs),
      new Arrivals(ports, logger, wakeups, takeOverAfterMs),
      new Loop({ name: 'emergencies', work: () => this.emergencies.endOverdue(), idleMs: EMERGENCY_ROUND_MS, logger }),
      new PipelineRunner(exchangeRows, ports, ports.uow, checkpoint, telemetry, logger, wakeups, takeOverAfterMs),
    ];
    for (const worker of workers) {
      worker.start();
      this.opened.add(() => worker.stop());
    }
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  private async store(from: CountryCode, message: { id: string; key: string; body: Uint8Array }): Promise<void> {
    await this.parts.ports.uow.run((tx) => tx.incoming.append(from, message));
  }

  private queries(): RolePorts['queries'] {
    const { uow } = this.parts.ports;
    return {
      ...outboxQueries(uow),
      'grounds.of': { from: ['edge'], answer: ({ person }: { person: PersonId }) => this.grounds.of(person) },
      'emergency.reviews-due': { from: ['edge'], answer: ({ limit }: { limit: number }) => this.emergencies.owed(limit) },
      'emergency.demand-reviewable': {
        from: ['edge'],
        answer: (review: RoleMessages['emergency.review']) => this.emergencies.demandReviewable(review),
      },
      'transfer.evidence': { from: ['edge', 'notary'], answer: ({ transferId }: { transferId: Uuid }) => this.evidence(transferId) },
      'dead-letters': { from: ['edge'], answer: ({ limit }: { limit: number }) => this.deadLetters(limit) },
      'dead-letter.revive': { from: ['edge'], answer: ({ seq }: { seq: string }) => uow.run((tx) => tx.incoming.revive(seq)) },
      'dead-envelope.revive': { from: ['edge'], answer: ({ id }: { id: string }) => uow.run((tx) => tx.outgoing.revive(id)) },
      transfers: {
        from: ['edge'],
        answer: ({ limit }: { limit: number }) =>
          uow.run(async (tx) =>
            (await tx.transfers.list({}, limit)).map(({ transferId, side, kind, partner, state, permitId, createdAt, attempts }) => ({
              transferId,
              side,
              kind,
              partner,
              state,
              permitId,
              createdAt,
              attempts,
            })),
          ),
      },
    };
  }

  /** What partners sent and we could never use, and what partners would never take. */
  private deadLetters(limit: number): Promise<readonly object[]> {
    return this.parts.ports.uow.run(async (tx) => [...(await tx.incoming.deadLetters(limit)), ...(await tx.outgoing.dead(limit))]);
  }

  private purges(): RetentionParts['also'] {
    const { uow } = this.parts.ports;
    return [
      ({ deliveredMs }, limit, fencing) => uow.run((tx) => tx.outgoing.purge(deliveredMs, limit, fencing)),
      ({ inboxMs }, limit, fencing) => uow.run((tx) => tx.incoming.purge(inboxMs, limit, fencing)),
    ];
  }

  /** What only a party can add to a receipt: the sealed parts' hashes and the counter-receipt. No content. */
  private async evidence(transferId: Uuid): Promise<{ sealed?: readonly string[]; counterReceipt?: CompactJws }> {
    const transfer = await this.parts.ports.uow.alone((tx) => tx.transfers.get(ensureTransferId(transferId)));
    if (transfer?.side !== 'custodian') return {};
    const { sealed, counterReceipt } = custodianData(transfer as Transfer);
    return { ...(sealed === undefined ? {} : { sealed: sealed.hashes }), ...(counterReceipt === undefined ? {} : { counterReceipt }) };
  }
}

/** Messages about transfers move their rows: those of all that are handled together are locked at once. */
async function holdTransfers(tx: ExchangeTx, bodies: readonly object[]): Promise<void> {
  const named = bodies.flatMap((body) => ('transferId' in body && typeof body.transferId === 'string' ? [body.transferId] : []));
  if (named.length > 0) await tx.transfers.hold([...new Set(named.map(ensureTransferId))]);
}
