import type { Socket } from 'node:net';
import { PortolanError } from '@portolan/contracts';
import { MllpDecoder, mllpFrame } from '@portolan/formats';

/** Bounds of one connection. */
export interface MllpLimits {
  /** Largest message in a frame. What is larger than ingest translates, and fits here, is kept as a reject. */
  readonly maxFrameBytes: number;
  /** A frame must be complete this long after its first byte. */
  readonly frameMs: number;
  /** A connection on which nothing comes for so long is closed. */
  readonly idleMs: number;
}

/** Answers one message with the acknowledgements to send, in order; resolves when the message is committed. Never rejects. */
export type Answer = (message: Uint8Array) => Promise<readonly Uint8Array[]>;

/**
 * One sender's connection: messages one after the other, each answered before the next is looked at. While one is dealt with the
 * socket is not read, so that a sender is slowed rather than buffered.
 */
export class MllpConnection {
  private readonly decoder: MllpDecoder;
  private frameTimer: NodeJS.Timeout | undefined;
  private doing: 'reading' | 'answering' | 'sending' = 'reading';
  private stopping = false;

  constructor(
    private readonly socket: Socket,
    private readonly limits: MllpLimits,
    private readonly answer: Answer,
  ) {
    this.decoder = new MllpDecoder(limits.maxFrameBytes);
    // The loop below hears of errors too; this one is for those that come after it.
    socket.on('error', () => undefined);
  }

  /** Serves until either side ends. Throws `ingest.frame-*` where the stream cannot be trusted any more, and what the socket throws. */
  async serve(): Promise<void> {
    this.socket.setTimeout(this.limits.idleMs, () => this.silence());
    try {
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        for (const message of this.decoder.push(chunk as Uint8Array)) await this.deal(message);
        this.watchFrame();
        if (this.stopping) break;
      }
      if (this.decoder.pending && !this.stopping) throw new PortolanError('ingest.frame-incomplete', 'MLLP', 'connection ended');
    } finally {
      clearTimeout(this.frameTimer);
    }
  }

  /** Closes when what was written has left. */
  end(): void {
    this.socket.destroySoon();
  }

  /** Ends the connection after the message that is being dealt with. */
  stop(): void {
    this.stopping = true;
    if (this.doing === 'reading') this.socket.destroy();
  }

  abort(): void {
    this.socket.destroy();
  }

  /** Resolves when the bytes have left, or cannot: the sender then sends again, and gets the same answer. */
  async send(message: Uint8Array): Promise<void> {
    if (!this.socket.writable) return;
    await new Promise<void>((resolve) => this.socket.write(mllpFrame(message), () => resolve()));
  }

  private async deal(message: Uint8Array): Promise<void> {
    this.doing = 'answering';
    const acknowledgements = await this.answer(message);
    this.doing = 'sending';
    for (const acknowledgement of acknowledgements) await this.send(acknowledgement);
    this.doing = 'reading';
  }

  private watchFrame(): void {
    if (!this.decoder.pending) {
      clearTimeout(this.frameTimer);
      this.frameTimer = undefined;
    } else this.frameTimer ??= setTimeout(() => this.silence(), this.limits.frameMs);
  }

  private silence(): void {
    this.frameTimer = undefined;
    // How long a message takes is ours to answer for; a sender that does not read is not.
    if (this.doing === 'answering') return;
    const told = this.decoder.pending ? new PortolanError('ingest.frame-incomplete', 'MLLP', 'no more bytes in time') : undefined;
    this.socket.destroy(told);
  }
}
