import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BODY_LIMIT, edgeHttpAdapter } from './http-adapter.js';

const servers: ReturnType<typeof edgeHttpAdapter>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function listening(adapter = edgeHttpAdapter()): Promise<number> {
  servers.push(adapter);
  const fastify = adapter.getInstance();
  fastify.post('/door', (_request, reply) => reply.send('taken'));
  return Number(new URL(await fastify.listen({ port: 0, host: '127.0.0.1' })).port);
}

/** Sends all that it has before it looks at an answer, as many systems do. */
async function sendAll(port: number, bytes: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.write(
    `POST /door HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\nconnection: close\r\n\r\n`,
  );
  const piece = Buffer.alloc(1_000_000, 0x78);
  const closed = once(socket, 'close');
  for (let sent = 0; sent < bytes; sent += piece.length) {
    await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())));
  }
  await closed;
  return answer;
}

describe('a body that is refused for its size', () => {
  it('is answered also where its sender reads no answer before all is sent', async () => {
    const port = await listening();
    const answers = await Promise.all(Array.from({ length: 8 }, () => sendAll(port, 3 * BODY_LIMIT)));
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(Array.from({ length: 8 }, () => 'HTTP/1.1 413'));
  });

  it.each([
    ['bytes', { bytes: 1_000_000, ms: 60_000 }],
    ['time', { bytes: 1e9, ms: 50 }],
  ])('is read no further than our patience goes in %s', async (_what, leniency) => {
    const adapter = edgeHttpAdapter(leniency);
    let answered = 0;
    adapter.getInstance().addHook('onResponse', (request, _reply, done) => {
      answered = request.raw.socket.bytesRead;
      done();
    });
    const port = await listening(adapter);
    const socket = connect(port, '127.0.0.1');
    // Cut off as it writes.
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('POST /door HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n');
    const piece = Buffer.alloc(100_000, 0x78);
    const more = setInterval(() => socket.write(piece), 5);
    await closed;
    clearInterval(more);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(100_000_000);
  });
});
