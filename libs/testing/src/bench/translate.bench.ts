import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BatchReader, bundleOf, countryPack, toFhirJson, translate, type CountryPack } from '@portolan/formats';
import { repository } from '../world/repository.js';
import { alternate, bounded, machine, noted, type Bench, type Measure } from './report.js';
import { poolMeasure } from './translate-pool.js';
import { ccdaPeer, perSecond, v2Peer, type Peer } from './translate-peers.js';

interface Extent {
  readonly rounds: number;
  readonly roundMs: number;
  readonly observations: readonly number[];
  readonly documents: number;
  readonly batchBytes: number;
  /** Messages of the file that threads share. */
  readonly shared: number;
}
const full: Omit<Extent, 'rounds'> = { roundMs: 3_000, observations: [1, 20, 200], documents: 20, batchBytes: 8_000_000, shared: 10_000 };
const short: Omit<Extent, 'rounds'> = { roundMs: 50, observations: [1], documents: 1, batchBytes: 40_000, shared: 20 };
/** So many rounds' time the peer converts before anything counts. */
const WARMING_ROUNDS = 7;
const goals = { v2: 50, ccda: 5, mostMegabytes: 512 };

/** HL7 v2 and C-CDA to FHIR JSON, one document after the other on one core, against what others use; and the memory of a long batch file. */
export const translateBench: Bench = {
  name: 'translate',
  description: 'HL7 v2 and C-CDA to FHIR against LinuxForHealth and Medplum on one core; the memory of a batch file',
  async run(say, { quick = false, rounds = quick ? 1 : 3, batchMegabytes } = {}) {
    const extent: Extent = { ...(quick ? short : full), rounds };
    const batchBytes = batchMegabytes === undefined ? extent.batchBytes : batchMegabytes * 1_000_000;
    const began = machine();
    const folder = mkdtempSync(join(tmpdir(), 'portolan-translate-'));
    try {
      const measures: Measure[] = [
        memoryOf(batchBytes),
        await sharedMeasure(folder, extent),
        ...(await v2Measures(folder, extent, say)),
        ...(await ccdaMeasures(extent, say)),
      ];
      for (const { what, value, unit, peer, ratio } of measures) say(`${what}: ${value} against ${peer} ${unit}, ${ratio} ×`);
      const load = `one after the other on one core, ${rounds} rounds of ${extent.roundMs} ms in turns; a batch file of ${batchBytes} bytes`;
      return { name: 'translate', machine: began, load, measures };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function sharedMeasure(folder: string, { shared, rounds }: Extent): Promise<Measure> {
  const messages = Array.from({ length: shared }, (_, i) => resultMessage(20, i + 1));
  return poolMeasure(folder, messages, rounds);
}

async function v2Measures(folder: string, { observations, rounds, roundMs }: Extent, say: (line: string) => void): Promise<Measure[]> {
  const peer = await v2Peer(say);
  const country = packIn('ee');
  const measures: Measure[] = [];
  try {
    for (const count of observations) {
      const message = resultMessage(count, 1);
      const file = join(folder, `oru-${count}.hl7`);
      writeFileSync(file, message);
      const ours = (): string => converted(new TextEncoder().encode(message), country);
      const what = `HL7 v2 ORU with ${count} OBX`;
      const values = message.split(/[\r|^&~]/);
      if ('absent' in peer) {
        say(peer.absent);
        measures.push(noted(what, 'messages/s', roundsOf(ours, rounds, roundMs)));
      } else {
        // A Java process is slow until it has compiled what it runs often.
        await peer.rate(file, WARMING_ROUNDS * roundMs);
        measures.push(...(await against(what, 'messages/s', { ours, peer, file, values, goal: goals.v2, rounds, roundMs })));
      }
    }
    return measures;
  } finally {
    if (!('absent' in peer)) await peer.close();
  }
}

async function ccdaMeasures({ documents, rounds, roundMs }: Extent, say: (line: string) => void): Promise<Measure[]> {
  const shared = join(repository, '../shared/fixtures/ccda');
  const own = join(repository, 'libs/formats/fixtures/cda/pt-rui-ficticio-discharge.xml');
  const files = existsSync(shared) ? readdirSync(shared).map((name) => join(shared, name)) : [own];
  const peer = await ccdaPeer((file) => readFileSync(file, 'utf8'), say);
  const country = packIn('pt');
  const measures: Measure[] = [];
  for (const file of files.slice(0, documents)) {
    const bytes = readFileSync(file);
    const ours = (): string => converted(bytes, country);
    const what = `C-CDA ${basename(file)}`;
    const both = !('absent' in peer) && (await peer.bundle(file)) !== undefined;
    // What the peer cannot convert is told by our side alone.
    if ('absent' in peer || !both)
      measures.push(noted(`${what}, which the peer does not convert`, 'documents/s', roundsOf(ours, rounds, roundMs / 10)));
    else {
      const values = [...bytes.toString('utf8').matchAll(/\b(?:code|value|displayName|extension)="([^"]+)"/g)].map(
        ([, value = '']) => value,
      );
      measures.push(...(await against(what, 'documents/s', { ours, peer, file, values, goal: goals.ccda, rounds, roundMs: roundMs / 10 })));
    }
  }
  return measures;
}

interface Comparison {
  readonly ours: () => string;
  readonly peer: Peer;
  readonly file: string;
  /** The source's values, which are looked for in what either side makes. */
  readonly values: readonly string[];
  readonly goal: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** The speed of both, and the share of the source's values that each one's output holds. */
async function against(what: string, unit: string, { ours, peer, file, values, goal, rounds, roundMs }: Comparison): Promise<Measure[]> {
  const speed = await alternate(what, unit, {
    ours: async () => perSecond(ours, roundMs),
    peer: () => peer.rate(file, roundMs),
    goal,
    rounds,
  });
  const [kept, keptByPeer] = [survival(values, ours()), survival(values, (await peer.bundle(file)) ?? '')];
  const survived = bounded(`${what}: values that the output holds, against the peer's`, '%', [kept], { least: keptByPeer });
  return [speed, survived];
}

const roundsOf = (work: () => unknown, rounds: number, ms: number): number[] => Array.from({ length: rounds }, () => perSecond(work, ms));

/** Percent of the values of three characters and more that stand in the output, as text or, for times and numbers, by their digits. */
function survival(values: readonly string[], output: string): number {
  const digits = output.replace(/\D/g, '');
  const asked = values.filter((value) => value.length >= 3);
  const found = asked.filter(
    (value) => output.includes(value) || (/^[\d+.-]{6,}$/.test(value) && digits.includes(value.slice(0, 12).replace(/\D/g, ''))),
  );
  return (100 * found.length) / Math.max(1, asked.length);
}

/** Peak memory of this process while a batch file is read and translated as it is made, chunk by chunk. */
function memoryOf(batchBytes: number): Measure {
  const country = packIn('ee');
  const reader = new BatchReader({ maxMessages: 10_000_000, maxBytes: 1_048_576 });
  let [written, number] = [0, 0];
  const take = (text: string): void => {
    for (const item of reader.push(new TextEncoder().encode(text))) if (item.kind === 'message') converted(item.bytes, country);
  };
  take('FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r');
  while (written < batchBytes) {
    number += 1;
    const text = resultMessage(20, number);
    written += text.length;
    take(text);
  }
  // The highest resident set of the process since it began, which the operating system keeps (in KiB).
  const peak = (process.resourceUsage().maxRSS * 1024) / 1_000_000;
  return bounded(`peak memory over a batch file of ${number} messages`, 'MB', [peak], { below: goals.mostMegabytes });
}

/**
 * The whole work of a node: the account of every value and the Provenance are written out, too, and what the message says of itself, as the peer
 * writes it.
 */
function converted(bytes: Uint8Array, country: CountryPack): string {
  const made = translate({ bytes, format: 'auto', country, sha256, received: '2026-11-20T10:00:00.000Z' });
  const { resources, beside, account, provenance } = made;
  if (account.mapped.length === 0 || provenance.length === 0) throw new Error('nothing was translated');
  return toFhirJson(bundleOf([...resources, ...beside], 'https://example.org/fhir'));
}

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

function packIn(cc: string): CountryPack {
  const folder = join(repository, 'libs/countries', cc);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.json') && name !== 'wording.json',
  );
  return countryPack(Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown])));
}

/** A laboratory's result of a made-up person. */
function resultMessage(observations: number, number: number): string {
  const results = Array.from({ length: observations }, (_, i) => {
    const value = (5 + i / 10).toFixed(1);
    return `OBX|${i + 1}|NM|L${number}-${i}^Analyte ${i}^L||${value}|mmol/L^mmol/L^UCUM|3.5-6.1|N|||F|||20261110080000+0200`;
  });
  return [
    `MSH|^~\\&|LAB|Synthetic Hospital|EHR|Clinic|20261110093000+0200||ORU^R01^ORU_R01|M-${number}|P|2.5.1`,
    'PID|1||47101010033^^^EST&1.3.6.1.4.1.28284.6.2.2.1&ISO^NI||Testperson^Mari||19710101|F',
    'PV1|1|O',
    `ORC|RE|PL-${number}|FI-${number}`,
    `OBR|1|PL-${number}|FI-${number}|24323-8^Comprehensive metabolic panel^LN|||20261110080000+0200|||||||||||||||20261110092000+0200||LAB|F`,
    ...results,
    '',
  ].join('\r');
}
