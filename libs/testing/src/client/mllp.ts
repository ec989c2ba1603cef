import { connect } from 'node:net';

const TIMEOUT_MS = 20_000;

/** Sends one HL7 v2 message over MLLP (HL7 v2 Transport, section "MLLP") as a hospital does, and answers with the acknowledgement's text. */
export function sendMllp(door: { host: string; port: number }, message: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(door.port, door.host);
    const chunks: Buffer[] = [];
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(TIMEOUT_MS, () => fail(new Error('no acknowledgement in time')));
    socket.on('error', fail);
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.from([0x0b]), message, Buffer.from([0x1c, 0x0d])])));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf(0x1c);
      if (end < 0) return;
      socket.destroy();
      resolve(whole.subarray(1, end).toString('utf8'));
    });
    socket.on('close', () => reject(new Error('the connection was closed without an acknowledgement')));
  });
}
