import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CuttableLine } from './cuttable-line.js';

describe('a line that can be cut', () => {
  let echo: Server;
  let line: CuttableLine;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    line = await CuttableLine.open();
    line.leadTo((echo.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await line.close();
    echo.close();
  });

  function dial(): { socket: Socket; heard: () => string } {
    const socket = connect(line.port, '127.0.0.1').on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    sockets.push(socket);
    return { socket, heard: () => text };
  }

  it('passes on what comes, and nothing while it is cut, and all of it when it is whole again', async () => {
    const { socket, heard } = dial();
    socket.write('one ');
    await expect.poll(heard).toBe('one ');
    line.cut();
    socket.write('two ');
    const late = dial();
    late.socket.write('late');
    await pause(300);
    expect([heard(), late.heard(), socket.destroyed]).toEqual(['one ', '', false]);
    line.mend();
    await expect.poll(heard).toBe('one two ');
    await expect.poll(late.heard).toBe('late');
  });

  it('passes on much more than a buffer holds', async () => {
    const { socket, heard } = dial();
    const much = 'x'.repeat(5_000_000);
    socket.write(much);
    await expect.poll(() => heard().length, { timeout: 20_000 }).toBe(much.length);
  });

  it('ends at one end when the other does', async () => {
    const { socket, heard } = dial();
    socket.write('a');
    await expect.poll(heard).toBe('a');
    socket.end();
    await expect.poll(() => socket.destroyed).toBe(true);
  });
});
