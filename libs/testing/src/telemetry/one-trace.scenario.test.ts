import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CountryClient } from '../client/country-client.js';
import { sendMllp } from '../client/mllp.js';
import { demoClinicians, mari } from '../world/demo-people.js';
import { repository, World } from '../world/world.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const received: Buffer[] = [];
let collector: Server;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-trace-'));
  await chmod(folder, 0o755);
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push(Buffer.concat(chunks));
      response.end();
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
});

afterAll(async () => {
  collector.close();
  await rm(folder, { recursive: true, force: true });
});

it('one trace runs from the clinician’s call through both countries, each a service of its own, and names nobody', async () => {
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const world = await World.start({
    folder,
    countries: ['EE', 'PT'],
    fsync: false,
    telemetry: { kind: 'otlp', url },
    sink: () => undefined,
  });
  try {
    const [ee, pt] = [new CountryClient(world.country('EE')), new CountryClient(world.country('PT'))];
    await sendMllp(ee.config.mllp, await readFile(join(repository, 'libs/formats/fixtures/hl7v2/ee-adt-a01.hl7')));
    const clinician = demoClinicians['PT']!;
    const patient = { resourceType: 'Patient', identifier: [mari.identifier], birthDate: mari.birthDate };
    const parameter = [
      { name: 'resource', resource: patient },
      { name: 'country', valueCode: 'EE' },
    ];
    const answer = await pt.call('/fhir/Patient/$match', {
      token: await pt.systemToken(),
      acting: await pt.actingStatement(clinician, 'TREAT'),
      body: JSON.stringify({ resourceType: 'Parameters', parameter }),
      type: 'application/fhir+json',
      headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    });
    expect(answer.status).toBe(200);
  } finally {
    await world.stop();
  }
  const ofTrace = received.filter((body) => body.includes(Buffer.from(TRACE, 'hex'))).map((body) => body.toString('latin1'));
  for (const service of ['portolan-pt-edge', 'portolan-pt-exchange', 'portolan-ee-exchange']) {
    expect(
      ofTrace.some((body) => body.includes(service)),
      service,
    ).toBe(true);
  }
  const everything = Buffer.concat(received).toString('latin1');
  for (const secret of [mari.identifier.value, mari.birthDate, 'Mari', clinicianName()]) expect(everything).not.toContain(secret);
});

const clinicianName = (): string => demoClinicians['PT']!.name;
