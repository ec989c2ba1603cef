import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import type { PersonId } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { Loop } from '../../runtime/loop.js';
import { EventStream, type StreamReply } from './event-stream.js';
import type { Herself } from './herself.js';

/** Streams that this process serves at once, of all persons and of one. */
export const MAX_STREAMS = 500;
export const MAX_STREAMS_OF_PERSON = 5;

/** A wake-up of the feed starts a round at once; a lost one costs this much. */
const POLL_MS = 1_000;
const HEARTBEAT_MS = 5_000;
const PAGE = 100;

type Parts = Pick<EdgeParts, 'uow' | 'clock' | 'tokens' | 'logger'>;

/** Persons who watch their feed: one loop looks for all of them whenever an entry commits. */
@Injectable()
export class FeedStreams implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly streams = new Set<FeedStream>();
  private readonly loop: Loop;

  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {
    const { wakeups, logger } = parts;
    this.loop = new Loop({ name: 'feed streams', work: () => this.round(), idleMs: POLL_MS, wakeups, channel: 'feed', logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    for (const stream of this.streams) stream.end();
    await this.loop.stop();
  }

  /** Answers with everything after `after`, then with each entry as it commits. Throws `person.too-many-streams`. */
  async open({ person, evidence }: Herself, after: string, reply: StreamReply): Promise<void> {
    this.forgetClosed();
    const hers = [...this.streams].filter((one) => one.person === person.id);
    if (this.streams.size >= MAX_STREAMS || hers.length >= MAX_STREAMS_OF_PERSON)
      throw new PortolanError('person.too-many-streams', 'GET /person/events');
    const stream = new FeedStream(person.id, evidence.accessToken, after, reply, this.parts);
    this.streams.add(stream);
    await stream.pump();
  }

  private async round(): Promise<boolean> {
    this.forgetClosed();
    await Promise.all([...this.streams].map((stream) => stream.pump()));
    return false;
  }

  private forgetClosed(): void {
    for (const stream of this.streams) if (!stream.open) this.streams.delete(stream);
  }
}

/** One person's feed on its way to one client: in the order of its numbers, nothing twice and nothing left out. */
class FeedStream {
  private pumping = false;
  private again = false;
  private heardAt: number;
  private readonly events: EventStream;

  constructor(
    readonly person: PersonId,
    private readonly token: string,
    private after: string,
    reply: StreamReply,
    private readonly parts: Parts,
  ) {
    this.heardAt = parts.clock.now();
    this.events = new EventStream(reply, () => void this.pump());
  }

  get open(): boolean {
    return this.events.open;
  }

  end(): void {
    this.events.end();
  }

  /** Sends what there is. Ends the stream when the token does not hold any more, or on a failure: the client comes back with its place. */
  async pump(): Promise<void> {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again && this.events.open) {
        this.again = false;
        await this.send();
      }
    } catch (error) {
      const code = error instanceof PortolanError ? error.code : 'http.failed';
      if (!code.startsWith('access.')) this.parts.logger.failure('an event stream ended', code, error);
      this.end();
    } finally {
      this.pumping = false;
    }
  }

  private async send(): Promise<void> {
    if (this.events.full) {
      this.endIfStuck();
      return;
    }
    const entries = await this.parts.uow.alone((tx) => tx.feed.after(this.person, this.after, PAGE));
    const due = this.parts.clock.now() - this.heardAt >= HEARTBEAT_MS;
    if (entries.length === 0 && !due) return;
    await this.parts.tokens.verify(this.token);
    for (const { seq, body } of entries) {
      // An entry whose key was destroyed has no body any more.
      if (body !== undefined) this.events.event('access', seq, body);
      this.after = seq;
    }
    if (entries.length === 0) this.events.heartbeat();
    this.heardAt = this.parts.clock.now();
    this.again ||= entries.length === PAGE;
  }

  /** A client that has not read for two heartbeats is let go. */
  private endIfStuck(): void {
    if (this.parts.clock.now() - this.heardAt >= 2 * HEARTBEAT_MS) this.end();
  }
}
