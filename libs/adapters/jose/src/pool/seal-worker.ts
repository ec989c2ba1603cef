import { parentPort } from 'node:worker_threads';
import { KeyVault, type KeyUse, type OpenedPart, type OwnKey, type PrivateKeyHandle } from '@portolan/domain';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { ImportedKeys } from '../imported-keys.js';
import { JoseSealer } from '../jose-sealer.js';
import { provideBase64 } from './base64-methods.js';
import { errorOf, failureOf, type Answer, type FromThread, type Job, type Question, type ToThread } from './protocol.js';

// One thread of a SealingPool. It seals and opens by JoseSealer itself, and asks for keys.

const port = parentPort;
if (port === null) throw new Error('this module is the entry of a thread');
const tell = (message: FromThread): void => port.postMessage(message);

type Ask = (question: Question) => Promise<Answer>;
const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: unknown) => void }>();
let asked = 0;

/** Handles that were asked for once; they cannot be read out, and which of them a job may use is said with it. */
const handles = new Map<Kid, PrivateKeyHandle>();
const mostHandles = 64;
const keys = new ImportedKeys();

/** The keys that came with a job. */
class GivenVault extends KeyVault {
  constructor(
    private readonly own: readonly OwnKey[],
    private readonly ask: Ask,
  ) {
    super();
  }
  override async current(use: KeyUse): Promise<OwnKey> {
    const [first] = await this.list(use);
    if (first === undefined) throw new PortolanError('keys.none-live', use);
    return first;
  }
  override async list(use: KeyUse): Promise<readonly OwnKey[]> {
    return this.own.filter((key) => key.use === use);
  }
  override async privateKey(kid: Kid): Promise<PrivateKeyHandle> {
    const kept = handles.get(kid);
    if (kept !== undefined) return kept;
    const handle = (await this.ask({ what: 'private-key', kid })) as PrivateKeyHandle;
    if (handles.size >= mostHandles) handles.clear();
    handles.set(kid, handle);
    return handle;
  }
}

function done(work: Job, ask: Ask): Promise<Uint8Array | OpenedPart> {
  const sealer = new JoseSealer(new GivenVault(work.own, ask), keys);
  if (work.do === 'seal') return sealer.seal(work.content, work.header, work.recipient, work.options);
  return sealer.open(work.part, work.expected, (country, kid) => ask({ what: 'sender', country, kid }) as Promise<PublicJwk | undefined>);
}

async function take(job: number, work: Job): Promise<void> {
  const ask: Ask = (asks) =>
    new Promise((resolve, reject) => {
      waiting.set((asked += 1), { resolve, reject });
      tell({ job, question: asked, asks });
    });
  try {
    tell({ job, result: await done(work, ask) });
  } catch (error) {
    tell({ job, failure: failureOf(error) });
  }
}

provideBase64();
port.on('message', (message: ToThread) => {
  if ('job' in message) return void take(message.job, message.work);
  const asker = waiting.get(message.question);
  waiting.delete(message.question);
  if ('failure' in message) asker?.reject(errorOf(message.failure));
  else asker?.resolve(message.answer);
});
