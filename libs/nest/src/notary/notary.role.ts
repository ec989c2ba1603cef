import type { Uuid } from '@portolan/contracts';
import type {
  Checkpoint,
  Clock,
  Leases,
  Ledger,
  NotaryTx,
  Random,
  Sha256,
  TrailFilter,
  TrailPlace,
  UnitOfWork,
  Wakeups,
} from '@portolan/domain';
import { channelQuestions, type ChannelQuestion } from '../exchange/remote-channel.js';
import { Deliveries } from '../link/deliveries.js';
import { outboxQueries } from '../link/outbox-queries.js';
import { Relay } from '../link/relay.js';
import { Retention, type Kept } from '../link/retention.js';
import type { RoleLink } from '../link/role-link.js';
import type { RolePorts } from '../link/role.controller.js';
import type { NodeLogger } from '../runtime/logger.js';
import { Opened } from '../runtime/role-app.js';
import { ActAnchor } from './acts.js';
import { Batcher } from './batcher.js';
import { ChannelQueries } from './channel.queries.js';
import { Indexer } from './indexer.js';
import { LateWatch } from './late-watch.js';
import { notaryHandlers } from './notary.handlers.js';
import { RestingOn } from './resting-on.js';
import { Sequencer } from './sequencer.js';
import { TrailQueries } from './trail.queries.js';
import { PortolanError } from '@portolan/contracts';

/** Most repeated steps that the state of the ledger lists. */
const REPEATED_SHOWN = 20;

export interface NotaryParts {
  readonly org: string;
  readonly channelName: string;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly link: RoleLink;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly wakeups: Wakeups;
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly checkpoint: Checkpoint;
  readonly logger: NodeLogger;
  readonly headEveryMs: number;
  /** Most steps and permits of one transaction (node-config). */
  readonly mostTogether?: number;
  /** The channel's clock window; that of the rules where absent. */
  readonly clockWindowMs?: number;
  readonly takeOverAfterMs: number;
  readonly kept: Kept;
  /** Extra health facts for doctor, given by the ledger adapter. */
  readonly ledgerState: () => Promise<Readonly<Record<string, unknown>>>;
  /** The pinned trust file as this copy of the channel gives it. */
  readonly trustFile: () => Promise<unknown>;
}

/** The notary faces the channel: batches of steps, single acts, the country's log and its heads, and the read model of all countries. */
export class NotaryRole {
  private readonly opened = new Opened();
  readonly rolePorts: RolePorts;
  private readonly channel: ChannelQueries;
  private readonly lateWatch: LateWatch;

  constructor(private readonly parts: NotaryParts) {
    this.channel = new ChannelQueries(parts);
    this.lateWatch = new LateWatch(parts.uow, parts.clock, parts.logger);
    const deliveries = new Deliveries('notary', parts.uow, parts.link, notaryHandlers);
    this.rolePorts = { uow: parts.uow, deliveries, queries: this.queries() };
  }

  async start(): Promise<void> {
    const { uow, link, ledger, random, logger, wakeups, takeOverAfterMs, ...rest } = this.parts;
    const writer = { ...rest, uow, ledger, random, logger, wakeups, takeOverAfterMs, holder: random.uuid() };
    const restingOn = new RestingOn({ ...this.parts, channel: this.channel });
    const workers = [
      new Relay(uow, link, logger, wakeups, takeOverAfterMs),
      new Retention({ ...writer, us: 'notary', link }),
      new ActAnchor({ ...writer, restingOn }),
      new Batcher({ ...writer, restingOn }),
      new Sequencer(writer),
      new Indexer(writer),
      this.lateWatch,
    ];
    for (const worker of workers) {
      worker.start();
      this.opened.add(() => worker.stop());
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  private queries(): RolePorts['queries'] {
    const { uow, ledger, sha256, ledgerState, trustFile } = this.parts;
    const { channel } = this;
    const trail = new TrailQueries(uow, ledger, sha256);
    return {
      ...outboxQueries(uow),
      channel: { from: ['exchange'], answer: (asked: { question: ChannelQuestion; args: unknown[] }) => askChannel(channel, asked) },
      trail: {
        from: ['edge'],
        answer: ({ filter, limit, behind }: { filter: TrailFilter; limit: number; behind?: TrailPlace }) =>
          trail.page(filter, limit, behind),
      },
      receipt: { from: ['edge'], answer: ({ transferId, step }: { transferId: Uuid; step: string }) => trail.receipt(transferId, step) },
      'late.missing': { from: ['edge'], answer: ({ limit }: { limit: number }) => this.lateWatch.missing(limit) },
      'event.proof': { from: ['edge'], answer: ({ eventId }: { eventId: Uuid }) => trail.eventProof(eventId) },
      'ledger.state': {
        from: ['edge'],
        answer: async () => ({ ...(await ledgerState()), repeated: await trail.repeated(REPEATED_SHOWN) }),
      },
      trust: { from: ['edge'], answer: () => trustFile() },
    };
  }
}

function askChannel(channel: ChannelQueries, { question, args }: { question: ChannelQuestion; args: unknown[] }): Promise<unknown> {
  if (!channelQuestions.includes(question)) throw new PortolanError('link.unknown-message', 'notary/channel');
  const answer = channel[question].bind(channel) as (...given: unknown[]) => Promise<unknown>;
  return answer(...args);
}
