import { randomUUID } from 'node:crypto';
import type { UnitOfWork, EdgeTx } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE, clinicianClaims, FhirNode, other, peeter, type Reply } from './test-support/fhir-node.js';
import { observation, PIN, seed, seedPerson, type SeededPerson } from './test-support/records.fixture.js';
import { AlteredWork } from '../../runtime/altered-work.fixture.js';

const entries = (reply: Reply): readonly fhir4.BundleEntry[] => reply.json<fhir4.Bundle>().entry ?? [];
const ids = (reply: Reply): readonly (string | undefined)[] => entries(reply).map(({ resource }) => resource?.id);

describe('the node’s own records over FHIR', () => {
  let node: FhirNode;
  let mari: SeededPerson;
  let jaan: SeededPerson;
  let result: string;

  beforeAll(async () => {
    node = await FhirNode.start();
    mari = await seedPerson(node, 'Näidis');
    jaan = await seedPerson(node, 'Proovija');
    result = randomUUID();
    await seed(node, observation(mari.patient, { id: result }), mari.person);
  });
  afterAll(() => node.close());

  const audits = async (person: SeededPerson): Promise<readonly { type: string; body: fhir4.AuditEvent }[]> => {
    const rows = await node.run(({ audit }) => audit.list({ person: person.person }, 100));
    return rows.map(({ type, body }) => ({ type, body: JSON.parse(body ?? '{}') as fhir4.AuditEvent }));
  };

  describe('read', () => {
    it('gives the resource with its version, digits, unit and flag as they were filed', async () => {
      const reply = await node.call(`/fhir/Observation/${result}`);
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toBe('application/fhir+json; fhirVersion=4.0; charset=utf-8');
      expect(reply.headers.get('etag')).toBe('W/"1"');
      expect(Date.parse(reply.headers.get('last-modified') ?? '')).toBeGreaterThan(0);
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.text).toContain('"value":1.50,"unit":"mg/dL"');
      expect(reply.text).toContain('"high":{"value":1.10,');
      const read = reply.json<fhir4.Observation>();
      expect(read.meta).toMatchObject({ versionId: '1' });
      expect(read.interpretation?.[0]?.coding?.[0]?.code).toBe('H');
    });

    it('gives XML by Accept and by _format, with the same digits', async () => {
      const byAccept = await node.call(`/fhir/Observation/${result}`, { headers: { accept: 'application/fhir+xml' } });
      const byFormat = await node.call(`/fhir/Observation/${result}?_format=xml`);
      for (const reply of [byAccept, byFormat]) {
        expect(reply.headers.get('content-type')).toBe('application/fhir+xml; fhirVersion=4.0; charset=utf-8');
        expect(reply.text).toContain('<value value="1.50"/>');
      }
    });

    it('answers 304 to a client that has this version', async () => {
      const reply = await node.call(`/fhir/Observation/${result}`, { headers: { 'if-none-match': 'W/"1"' } });
      expect([reply.status, reply.text]).toEqual([304, '']);
      expect((await node.call(`/fhir/Observation/${result}`, { headers: { 'if-none-match': 'W/"7"' } })).status).toBe(200);
    });

    it('writes who read what, for which organisation and why, and tells the person', async () => {
      const before = (await audits(mari)).length;
      await node.call(`/fhir/Observation/${result}`, { purpose: 'ETREAT' });
      const [event] = await audits(mari);
      expect((await audits(mari)).length).toBe(before + 1);
      expect(event).toMatchObject({
        type: 'record-read',
        body: {
          agent: [
            { name: peeter.name, who: { identifier: peeter.id }, requestor: true },
            { who: { identifier: peeter.organisation.id } },
            { network: { address: 'EE' } },
          ],
          purposeOfEvent: [{ coding: [{ code: 'ETREAT' }] }],
          entity: [{ what: { reference: `Patient/${mari.person}` } }, { what: { reference: `Observation/${result}` } }],
        },
      });
      const feed = await node.run((tx) => tx.feed.after(mari.person, '0', 200));
      expect(feed.at(-1)?.body).toMatchObject({ act: 'record-read', who: { name: peeter.name }, purpose: 'ETREAT' });
      expect(await node.run((tx) => tx.outbox.dead(10))).toEqual([]);
    });

    it('keeps versions: history, one version, a deletion', async () => {
      const id = randomUUID();
      await seed(node, observation(jaan.patient, { id, value: '1.0' }), jaan.person);
      const second = await seed(node, observation(jaan.patient, { id, value: '2.00' }), jaan.person);
      expect((await node.call(`/fhir/Observation/${id}/_history/1`)).text).toContain('"value":1.0,');
      expect((await node.call(`/fhir/Observation/${id}`)).text).toContain('"value":2.00,');
      expect((await node.call(`/fhir/Observation/${id}/_history/9`)).status).toBe(404);
      const { versionId: _version, ...gone } = { ...second, deleted: true };
      await node.run((tx) => tx.resources.put(gone, []));
      expect((await node.call(`/fhir/Observation/${id}`)).status).toBe(410);
      const history = await node.call(`/fhir/Observation/${id}/_history`);
      const bundle = history.json<fhir4.Bundle>();
      expect(bundle).toMatchObject({ type: 'history', total: 3 });
      expect(bundle.entry?.map(({ request, resource }) => [request?.method, resource?.meta?.versionId])).toEqual([
        ['DELETE', undefined],
        ['PUT', '2'],
        ['POST', '1'],
      ]);
      expect(history.text).toContain('"value":2.00,');
    });

    it('does not happen where its event cannot be written', async () => {
      const broken = await FhirNode.start(({ uow }) => ({ uow: withoutAudit(uow) }));
      try {
        const reply = await broken.call(`/fhir/Observation/${result}`);
        expect(reply.status).toBe(500);
        expect(reply.text).not.toContain('1.50');
        expect((await broken.call(`/fhir/Patient?identifier=${PIN}|${mari.identifier.value}`)).text).not.toContain('Näidis');
        expect(broken.lines.join('\n')).not.toMatch(/Näidis|1\.50/);
      } finally {
        await broken.close();
      }
    });

    it('serves an application that a professional logged in to', async () => {
      const token = await node.token(clinicianClaims(peeter, 'TREAT'));
      expect((await node.call(`/fhir/Observation/${result}`, { token, anonymous: true })).status).toBe(200);
    });

    it('is bound to the person whom the statement names', async () => {
      expect((await node.call(`/fhir/Observation/${result}`, { personId: mari.identifier.value })).status).toBe(200);
      const reply = await node.call(`/fhir/Observation/${result}`, { personId: jaan.identifier.value });
      expect([reply.status, codeOf(reply)]).toEqual([403, 'fhir.person-not-stated']);
    });
  });

  describe('search', () => {
    it('finds a person by identifier, by GET and by POST', async () => {
      const identifier = `${PIN}|${mari.identifier.value}`;
      const form = { method: 'POST', body: new URLSearchParams({ identifier }).toString(), type: 'application/x-www-form-urlencoded' };
      for (const reply of [
        await node.call(`/fhir/Patient?identifier=${encodeURIComponent(identifier)}`),
        await node.call('/fhir/Patient/_search', form),
      ]) {
        expect(ids(reply)).toEqual([mari.patient]);
        expect(entries(reply)[0]?.fullUrl).toBe(`${BASE}/Patient/${mari.patient}`);
      }
    });

    it('tells every person whose record it touched, each for herself', async () => {
      const family = `Ühine${randomUUID().slice(0, 8)}`;
      const both = [await seedPerson(node, family), await seedPerson(node, family)];
      const reply = await node.call(`/fhir/Patient?family=${encodeURIComponent(family)}`);
      expect(ids(reply)).toHaveLength(2);
      for (const person of both) {
        const events = await audits(person);
        expect(events.map(({ type }) => type)).toEqual(['record-searched']);
        expect(JSON.stringify(events[0]?.body)).toContain(`Patient/${person.patient}`);
        expect(JSON.stringify(events[0]?.body)).not.toContain(both.find((one) => one !== person)?.patient);
      }
    });

    it('tells a person who is named and of whom nothing is found', async () => {
      const nobody = await seedPerson(node, 'Tühi');
      const reply = await node.call(`/fhir/Condition?patient=Patient/${nobody.patient}`);
      expect([reply.status, entries(reply).length]).toEqual([200, 0]);
      expect((await audits(nobody)).map(({ type }) => type)).toEqual(['record-searched']);
    });

    it('tells whom it counts', async () => {
      const counted = await seedPerson(node, `Loetud${randomUUID().slice(0, 8)}`);
      const reply = await node.call(`/fhir/Patient?identifier=${PIN}|${counted.identifier.value}&_summary=count`);
      expect(reply.json()).toMatchObject({ total: 1 });
      expect(reply.text).not.toContain(counted.patient);
      expect((await audits(counted)).map(({ type }) => type)).toEqual(['record-searched']);
    });

    it('pages by its own links, each match once, within the bounds of _count', async () => {
      const many = await seedPerson(node, 'Palju');
      for (let i = 1; i <= 5; i += 1) await seed(node, observation(many.patient, { at: `2026-10-0${i}`, value: `${i}.0` }), many.person);
      const seen: (string | undefined)[] = [];
      let next: string | undefined = `/fhir/Observation?patient=${many.patient}&_sort=-date&_count=2`;
      const sizes: number[] = [];
      while (next !== undefined) {
        const reply: Reply = await node.call(next);
        sizes.push(ids(reply).length);
        seen.push(...ids(reply));
        const link = reply.json<fhir4.Bundle>().link?.find(({ relation }) => relation === 'next')?.url;
        next = link?.replace(BASE, '/fhir');
      }
      expect(sizes).toEqual([2, 2, 1]);
      expect(new Set(seen).size).toBe(5);
      const [first] = entries(await node.call(`/fhir/Observation?patient=${many.patient}&_sort=-date&_count=100000`));
      expect((first?.resource as fhir4.Observation).effectiveDateTime).toBe('2026-10-05');
    });

    it('includes what the matches refer to, as far as the scopes reach', async () => {
      const query = `/fhir/Observation?_id=${result}&_include=Observation:subject`;
      expect(ids(await node.call(query))).toEqual([result, mari.patient]);
      expect(ids(await node.call(query, { scope: 'system/Observation.rs' }))).toEqual([result]);
    });

    it('compares values by number and date by precision', async () => {
      const search = (query: string): Promise<Reply> => node.call(`/fhir/Observation?patient=${mari.patient}&${query}`);
      expect(ids(await search('value-quantity=1.5'))).toEqual([result]);
      expect(ids(await search('value-quantity=gt1.5'))).toEqual([]);
      expect(ids(await search('date=2026-11'))).toEqual([result]);
      expect(ids(await search('category=laboratory&code=http://loinc.org|2160-0'))).toEqual([result]);
    });

    it('ignores and counts unknown parameters for a lenient client', async () => {
      const reply = await node.call(`/fhir/Observation?_id=${result}&colour=turquoise`, { headers: { prefer: 'handling=lenient' } });
      expect(entries(reply).map(({ search }) => search?.mode)).toEqual(['match', 'outcome']);
      expect(reply.text).not.toContain('turquoise');
    });
  });

  describe('$summary', () => {
    it('makes the patient summary of our own record, with digits, and tells the person what stood in it', async () => {
      const reply = await node.call(`/fhir/Patient/${mari.patient}/$summary`);
      expect(reply.status).toBe(200);
      const bundle = reply.json<fhir4.Bundle>();
      expect(bundle.type).toBe('document');
      const composition = bundle.entry?.[0]?.resource as fhir4.Composition;
      expect(composition.section?.map(({ code }) => code?.coding?.[0]?.code)).toEqual(
        expect.arrayContaining(['11450-4', '48765-2', '10160-0', '30954-2']),
      );
      expect(reply.text).toContain('"value":1.50,');
      expect(
        node.parts.fhirValidator
          .validate(bundle, { profile: 'ips' })
          .filter(({ severity }) => severity !== 'warning' && severity !== 'information'),
      ).toEqual([]);
      const [event] = await audits(mari);
      expect(event?.body.entity?.map(({ what }) => what?.reference)).toContain(`Observation/${result}`);
      const posted = await node.post(
        `/fhir/Patient/${mari.patient}/$summary`,
        { resourceType: 'Parameters' },
        { headers: { accept: 'application/fhir+xml' } },
      );
      expect(posted.text).toContain('<value value="1.50"/>');
    });
  });

  describe('$document', () => {
    it('makes a report’s document of our own record, beside which its original can be had, and each is an event', async () => {
      const person = await seedPerson(node, 'Aruanne');
      const [report, inside, beside, message] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
      const original = new TextEncoder().encode('MSH|as it came');
      await node.run(async ({ messages, keys }) => {
        const keyId = await keys.create();
        await keys.assign(keyId, person.person);
        const facts = { via: 'mllp', source: 's', format: 'hl7v2', controlId: '1', state: 'stored' } as const;
        await messages.put({ id: message, ...facts, sha256: message, receivedAt: new Date().toISOString(), keyId, original });
      });
      for (const id of [inside, beside])
        await seed(node, observation(person.patient, { id, value: id === inside ? '7.80' : '9.90' }), person.person);
      const subject = { reference: `Patient/${person.patient}` };
      const resource = {
        resourceType: 'DiagnosticReport',
        id: report,
        status: 'corrected',
        category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'CH' }] }],
        code: { text: 'Panel' },
        subject,
        issued: '2026-11-03T11:55:00+02:00',
        result: [{ reference: `Observation/${inside}` }],
      };
      await seed(node, JSON.stringify(resource), person.person, message);
      const target = [{ reference: `DiagnosticReport/${report}/_history/1` }];
      const agent = [{ who: { display: 'the laboratory' } }];
      const provenance = { resourceType: 'Provenance', id: message, target, recorded: '2026-11-03T11:56:00+02:00', agent };
      await seed(node, JSON.stringify(provenance), person.person, message);
      const reply = await node.call(`/fhir/DiagnosticReport/${report}/$document`);
      expect(reply.status, reply.text).toBe(200);
      const bundle = reply.json<fhir4.Bundle>();
      const composition = bundle.entry?.[0]?.resource as fhir4.Composition;
      expect(bundle.type).toBe('document');
      expect(composition).toMatchObject({ status: 'amended', type: { coding: [{ code: '11502-2' }] }, date: '2026-11-03T11:55:00+02:00' });
      expect(composition.section?.map(({ entry }) => entry?.length)).toEqual([2]);
      expect(reply.text).toContain('"value":7.80');
      expect(reply.text).not.toContain('9.90');
      expect(node.parts.fhirValidator.validate(bundle).filter(({ severity }) => severity === 'error' || severity === 'fatal')).toEqual([]);
      const link = /<([^>]+)>; rel="original"/.exec(reply.headers.get('link') ?? '')?.[1] ?? '';
      const binary = await node.call(link.slice(link.indexOf('/fhir/')));
      expect(Buffer.from(binary.json<fhir4.Binary>().data ?? '', 'base64')).toEqual(Buffer.from(original));
      const items = (await audits(person)).flatMap(({ body }) => body.entity?.map(({ what }) => what?.reference) ?? []);
      expect(items).toEqual(expect.arrayContaining([`DiagnosticReport/${report}`, `Observation/${inside}`, `Binary/${message}`]));
      expect(items).not.toContain(`Observation/${beside}`);
    });

    it('is there for nothing else, and for nobody who may not read all of it', async () => {
      expect((await node.call(`/fhir/DiagnosticReport/${randomUUID()}/$document`)).status).toBe(404);
      expect((await node.call(`/fhir/Encounter/${result}/$document`)).status).toBe(404);
      for (const id of [randomUUID(), 'x']) expect((await node.call(`/fhir/Binary/${id}`)).status).toBe(404);
    });
  });

  describe('$match at home', () => {
    const question = (person: SeededPerson, over: object = {}): object => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource: { resourceType: 'Patient', identifier: [person.identifier], birthDate: '1971-01-01', ...over } },
        { name: 'onlyCertainMatches', valueBoolean: true },
      ],
    });

    it('gives the one certain person', async () => {
      const reply = await node.post('/fhir/Patient/$match', question(mari));
      expect(ids(reply)).toEqual([mari.patient]);
      const [entry] = entries(reply);
      expect(entry?.search).toMatchObject({
        score: 1,
        mode: 'match',
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/match-grade', valueCode: 'certain' }],
      });
    });

    it('takes a Patient as the whole body', async () => {
      const body = { resourceType: 'Patient', identifier: [mari.identifier], birthDate: '1971-01-01' };
      expect(ids(await node.post('/fhir/Patient/$match?country=EE', body))).toEqual([mari.patient]);
    });

    it.each([
      { why: 'another birth date', over: { birthDate: '1971-01-02' } },
      { why: 'another name', over: { name: [{ family: 'Keegi' }] } },
      { why: 'an identifier more that she does not bear', over: { identifier: [{ system: PIN, value: 'x' }] } },
    ])('gives none for $why', async ({ over }) => {
      const reply = await node.post('/fhir/Patient/$match', question(mari, over));
      expect([reply.status, entries(reply).length]).toEqual([200, 0]);
    });
  });

  describe('$correct', () => {
    const correct = (id: string, value: string, change: readonly [string, string] = ['', ''], actor = peeter): Promise<Reply> => {
      const resource = observation(mari.patient, { id, value }).replace(...change);
      const reason = '{"name":"reason","valueString":"the sample was mixed up"}';
      const body = `{"resourceType":"Parameters","parameter":[{"name":"resource","resource":${resource}},${reason}]}`;
      return node.call('/fhir/$correct', { body, actor });
    };
    const sent = async (): Promise<string> => {
      const id = randomUUID();
      const message = randomUUID();
      const keyId = await node.run(({ keys }) => keys.create());
      const row = {
        id: message,
        via: 'http',
        source: 'hospital-ee',
        format: 'hl7v2',
        controlId: 'M',
        sha256: randomUUID().replaceAll('-', '').repeat(2),
        receivedAt: new Date().toISOString(),
        state: 'stored',
        keyId,
        original: new Uint8Array([1]),
      } as const;
      await node.run(({ messages }) => messages.put(row));
      await seed(node, observation(mari.patient, { id }), mari.person, message);
      return id;
    };

    it('files a new version by the organisation that sent the entry, with reason and diff, and says so to the exchange', async () => {
      const id = await sent();
      const reply = await correct(id, '2.50');
      expect([reply.status, reply.headers.get('etag')]).toEqual([200, 'W/"2"']);
      const read = await node.call(`/fhir/Observation/${id}`);
      expect(read.text).toContain('"value":2.50,');
      expect((await node.call(`/fhir/Observation/${id}/_history/1`)).text).toContain('"value":1.50,');
      const [provenance] = entries(await node.call(`/fhir/Provenance?target=Observation/${id}`));
      const { reason, extension, entity } = provenance?.resource as fhir4.Provenance;
      expect(reason?.[0]?.text).toBe('the sample was mixed up');
      expect(extension?.map(({ valueString }) => valueString)).toEqual(['valueQuantity']);
      expect(entity?.[0]).toMatchObject({ role: 'revision', what: { reference: `Observation/${id}/_history/1` } });
      expect(await node.exchange.until('resource.changed', (body) => body.id === id)).toMatchObject({
        type: 'Observation',
        change: 'superseded',
        person: mari.person,
      });
      expect((await audits(mari)).some(({ type }) => type === 'entry-corrected')).toBe(true);
      expect((await correct(id, '3.0')).headers.get('etag')).toBe('W/"3"');
    });

    it('lets one of two corrections through that were made at the same time', async () => {
      const id = await sent();
      const replies = await Promise.all(['2.0', '3.0', '4.0', '5.0'].map((value) => correct(id, value)));
      const versions = replies.filter(({ status }) => status === 200).map(({ headers }) => headers.get('etag'));
      expect(new Set(versions).size).toBe(versions.length);
      expect(replies.filter(({ status }) => status !== 200).map(codeOf)).toEqual(
        replies.slice(versions.length).map(() => 'fhir.version-conflict'),
      );
      const provenances = entries(await node.call(`/fhir/Provenance?target=Observation/${id}`));
      const revised = provenances.map(({ resource }) => (resource as fhir4.Provenance).entity?.[0]?.what.reference);
      expect(new Set(revised).size).toBe(versions.length);
    });

    it('is made for the version that the client names', async () => {
      const id = await sent();
      const body = {
        resourceType: 'Parameters',
        parameter: [
          { name: 'resource', resource: JSON.parse(observation(mari.patient, { id })) },
          { name: 'reason', valueString: 'x' },
        ],
      };
      const reply = await node.post('/fhir/$correct', body, { headers: { 'if-match': 'W/"7"' } });
      expect([reply.status, codeOf(reply)]).toEqual([412, 'fhir.version-conflict']);
    });

    it('tells a cancelled entry apart', async () => {
      const id = await sent();
      await correct(id, '1.50', ['"final"', '"entered-in-error"']);
      expect(await node.exchange.until('resource.changed', (body) => body.id === id)).toMatchObject({ change: 'cancelled' });
    });

    it.each([
      { why: 'an entry of unknown origin', id: async () => result, change: ['', ''], status: 403, code: 'fhir.not-the-author' },
      { why: 'another patient', id: sent, change: ['"Patient/', '"Patient/x'], status: 422, code: 'fhir.parameter-invalid' },
      { why: 'an entry that is not here', id: async () => randomUUID(), change: ['', ''], status: 404, code: 'fhir.not-found' },
      { why: 'an invalid resource', id: sent, change: ['"final"', '"perhaps"'], status: 422, code: 'fhir.resource-invalid' },
    ] as const)('refuses $why', async ({ id, change, status, code }) => {
      const reply = await correct(await id(), '2.0', change, other);
      expect([reply.status, codeOf(reply)]).toEqual([status, code]);
    });
  });

  it('says what it offers, without a token', async () => {
    const metadata = await node.call('/fhir/metadata', { token: '', anonymous: true });
    const statement = metadata.json<fhir4.CapabilityStatement>();
    expect(statement).toMatchObject({ resourceType: 'CapabilityStatement', implementation: { url: BASE }, fhirVersion: '4.0.1' });
    expect(node.parts.fhirValidator.validate(statement).filter(({ severity }) => severity === 'error' || severity === 'fatal')).toEqual([]);
    expect(statement.rest?.[0]?.operation?.map(({ name }) => name)).toContain('request-record');
    expect(statement.rest?.[0]?.resource?.map(({ type }) => type)).not.toContain('AuditEvent');
    expect((await node.call('/fhir/metadata?_format=xml', { token: '', anonymous: true })).text).toMatch(/^<\?xml|^<CapabilityStatement/);
    const smart = await node.call('/fhir/.well-known/smart-configuration', { token: '', anonymous: true });
    expect(smart.json()).toMatchObject({ token_endpoint: 'https://openid.test/token' });
    expect(smart.headers.get('content-type')).toContain('application/json');
  });
});

const codeOf = (reply: Reply): string | undefined => reply.json<fhir4.OperationOutcome>().issue[0]?.details?.coding?.[0]?.code;

/** A database whose audit table takes no row. */
function withoutAudit(uow: UnitOfWork<EdgeTx>): UnitOfWork<EdgeTx> {
  return new AlteredWork((work) =>
    uow.run((tx) =>
      work({
        ...tx,
        audit: { ...tx.audit, append: () => Promise.reject(new Error('no space left')), list: tx.audit.list.bind(tx.audit) },
      }),
    ),
  );
}
