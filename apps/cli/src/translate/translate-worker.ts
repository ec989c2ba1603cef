import { parentPort, workerData } from 'node:worker_threads';
import { PortolanError } from '@portolan/contracts';
import type { Given, Question, Reply } from './translation-pool.js';
import { translatorOf } from './translator.js';

// One thread of a TranslationPool. It reads the country's folder itself: compiled rules do not go from thread to thread.

const port = parentPort;
if (port === null) throw new Error('this module is the entry of a thread');
const { flags, folder } = workerData as Given;
const translate = await translatorOf(flags, folder);

async function answer({ id, work }: Question): Promise<Reply> {
  try {
    return { id, finished: await translate(work) };
  } catch (error) {
    // A fault of ours ends the thread, and with it this document.
    if (!(error instanceof PortolanError)) throw error;
    return { id, failure: { code: error.code, where: error.where, detail: error.detail } };
  }
}

port.on('message', (question: Question) => void answer(question).then((reply) => port.postMessage(reply)));
