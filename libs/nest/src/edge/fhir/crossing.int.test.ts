import { randomUUID } from 'node:crypto';
import type { BusinessIdentifier, DataCategory } from '@portolan/contracts';
import { ensureTransferId, ensureViewId, type AskCommand } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE, FhirNode, other, peeter, type FhirCallOptions, type Reply } from './test-support/fhir-node.js';
import { releasedRecord, seedPerson, type SeededPerson } from './test-support/records.fixture.js';

const PT_PIN = 'urn:oid:2.16.620.1.101.10.1.2';
const DAY_MS = 86_400_000;

const entries = (reply: Reply): readonly fhir4.BundleEntry[] => reply.json<fhir4.Bundle>().entry ?? [];
const codeOf = (reply: Reply): string | undefined => reply.json<fhir4.OperationOutcome>().issue[0]?.details?.coding?.[0]?.code;
const parameter = (reply: Reply, name: string): fhir4.ParametersParameter | undefined =>
  reply.json<fhir4.Parameters>().parameter?.find((one) => one.name === name);
const viewOf = (reply: Reply): string => parameter(reply, 'view')?.valueReference?.reference?.split('/')[1] ?? '';

/** What Portugal says to a question: played, with the contracts of the real exchange. */
type Custodian = (command: AskCommand, node: FhirNode) => Promise<void>;

const silent: Custodian = async () => undefined;
const answering =
  (outcome: 'certain-match' | 'none'): Custodian =>
  ({ transferId }, node) =>
    node.exchange.send('transfer.outcome', { transferId, outcome });

/** Releases what was asked for, as a permit would let it. */
const releasing =
  (over: { until?: string } = {}): Custodian =>
  async ({ transferId, traits, categories, purpose, caseId }, node) => {
    const [person] = traits.identifiers as [BusinessIdentifier];
    const until = over.until ?? new Date(Date.now() + DAY_MS).toISOString();
    const permitId = randomUUID();
    const opening = JSON.stringify({
      v: 1,
      salt: 'x',
      permitId,
      custodian: 'PT',
      recipient: 'EE',
      purpose,
      until,
      ground: 'consent',
      person,
      categories,
      duties: [],
    });
    const record = releasedRecord(person, categories);
    const openedFor = `${peeter.id.system}|${peeter.id.value}`;
    await node.exchange.send('view.store', {
      transferId,
      viewId: randomUUID(),
      custodian: 'PT',
      permitId,
      purpose,
      caseId,
      openedFor,
      until,
      record,
      opening,
    });
  };

describe('a record held abroad, over FHIR', () => {
  let node: FhirNode;
  let portugal: Custodian = silent;

  beforeAll(async () => {
    node = await FhirNode.start();
    node.exchange.onMessage = async ({ type, body }) => {
      if (type === 'transfer.ask') await portugal(body as AskCommand, node);
    };
  });
  afterAll(() => node.close());

  const matching = (identifier: BusinessIdentifier, options: FhirCallOptions = {}, also: readonly object[] = []): Promise<Reply> => {
    const resource = {
      resourceType: 'Patient',
      identifier: [identifier],
      birthDate: '1980-02-02',
      name: [{ family: 'Exemplo', given: ['Ana'] }],
    };
    const parameters = [
      { name: 'resource', resource },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'country', valueCode: 'PT' },
      ...also,
    ];
    return node.post('/fhir/Patient/$match', { resourceType: 'Parameters', parameter: parameters }, options);
  };
  const requesting = (
    handle: string,
    categories: readonly DataCategory[],
    options: FhirCallOptions = {},
    also: readonly object[] = [],
  ): Promise<Reply> => {
    const parameters = [
      { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
      ...categories.map((category) => ({ name: 'category', valueCode: category })),
      { name: 'purpose', valueCode: 'TREAT' },
      ...also,
    ];
    return node.post('/fhir/$request-record', { resourceType: 'Parameters', parameter: parameters }, options);
  };
  const someone = (): BusinessIdentifier => ({ system: PT_PIN, value: randomUUID().slice(0, 9) });
  const matched = async (): Promise<{ handle: string; identifier: BusinessIdentifier }> => {
    portugal = answering('certain-match');
    const identifier = someone();
    return { handle: entries(await matching(identifier))[0]?.resource?.id ?? '', identifier };
  };
  const viewed = async (
    categories: readonly DataCategory[] = ['summary', 'laboratory'],
  ): Promise<{ handle: string; view: string; transfer: string }> => {
    const { handle } = await matched();
    portugal = releasing();
    const reply = await requesting(handle, categories);
    return { handle, view: viewOf(reply), transfer: parameter(reply, 'transfer')?.valueId ?? '' };
  };

  describe('$match', () => {
    it('gives back what was sent and nothing else, under a handle of ours', async () => {
      portugal = answering('certain-match');
      const identifier = someone();
      const reply = await matching(identifier);
      const [entry] = entries(reply);
      expect(entry?.resource).toEqual({
        resourceType: 'Patient',
        id: entry?.resource?.id,
        identifier: [identifier],
        name: [{ family: 'Exemplo', given: ['Ana'] }],
        birthDate: '1980-02-02',
      });
      expect(entry?.search).toMatchObject({ score: 1 });
      const asked = await node.exchange.until('transfer.ask', ({ traits }) => traits.identifiers[0]?.value === identifier.value);
      expect(asked).toMatchObject({
        kind: 'match',
        country: 'PT',
        purpose: 'TREAT',
        traits: { birthDate: '1980-02-02', family: 'Exemplo', given: 'Ana' },
      });
      expect(Object.keys(asked.evidence)).toEqual(['accessToken', 'assertion']);
    });

    it('answers none alike, but for id and time', async () => {
      portugal = answering('none');
      const [one, two] = [await matching(someone()), await matching(someone())];
      const blank = ({ text }: Reply): string => text.replace(/"id":"[^"]+"/, '').replace(/"lastUpdated":"[^"]+"/, '');
      expect(one.json()).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 0 });
      expect(blank(one)).toBe(blank(two));
    });

    it('answers later where the country takes its time, to the asker alone', async () => {
      portugal = silent;
      const identifier = someone();
      const reply = await matching(identifier, { headers: { prefer: 'respond-async' } });
      expect(reply.status).toBe(202);
      const poll = (reply.headers.get('content-location') ?? '').replace(BASE, '/fhir');
      const pending = await node.call(poll);
      expect([pending.status, pending.headers.get('x-progress'), pending.headers.get('retry-after')]).toEqual([202, 'asked', '1']);
      expect([(await node.call(poll, { actor: other })).status]).toEqual([404]);
      await node.exchange.send('transfer.outcome', { transferId: poll.split('/').at(-1) ?? '', outcome: 'certain-match' });
      const [first, again] = [await node.call(poll), await node.call(poll)];
      expect(entries(first)[0]?.resource?.id).toBe(entries(again)[0]?.resource?.id);
      expect((entries(first)[0]?.resource as fhir4.Patient).identifier).toEqual([identifier]);
    });

    it('keeps no longer on the line than the client wants', async () => {
      portugal = silent;
      const started = Date.now();
      expect((await matching(someone(), {}, [{ name: 'wait', valueUnsignedInt: 0 }])).status).toBe(202);
      expect(Date.now() - started).toBeLessThan(3_000);
    });
  });

  describe('$request-record', () => {
    it('gives a view, and its transfer, permit, end and categories', async () => {
      const { handle } = await matched();
      portugal = releasing();
      const reply = await requesting(handle, ['summary', 'laboratory'], {}, [{ name: 'since', valueDate: '2020-01-01' }]);
      expect(reply.status).toBe(200);
      expect(parameter(reply, 'outcome')?.valueCode).toBe('released');
      const asked = await node.exchange.until('transfer.ask', ({ transferId }) => transferId === parameter(reply, 'transfer')?.valueId);
      expect(asked).toMatchObject({ kind: 'record', categories: ['summary', 'laboratory'], since: '2020-01-01', country: 'PT' });
      expect(parameter(reply, 'until')?.valueInstant).toMatch(/Z$/);
      expect(
        reply
          .json<fhir4.Parameters>()
          .parameter?.filter(({ name }) => name === 'category')
          .map(({ valueCode }) => valueCode),
      ).toEqual(['summary', 'laboratory']);
      expect((await node.call(`/fhir/Bundle/${viewOf(reply)}`)).status).toBe(200);
    });

    it('has one negative answer, with the offer of the emergency', async () => {
      const texts: string[] = [];
      for (const categories of [['summary'], ['laboratory', 'claim']] as const) {
        const { handle } = await matched();
        portugal = answering('none');
        const reply = await requesting(handle, categories);
        expect([reply.status, codeOf(reply)]).toEqual([404, 'request.none']);
        texts.push(reply.text);
      }
      expect(texts[0]).toBe(texts[1]);
      expect(texts[0]).toContain('$declare-emergency');
    });

    it('hands the emergency and its reason on', async () => {
      const { handle } = await matched();
      portugal = answering('none');
      const id = randomUUID();
      const emergency = {
        name: 'emergency',
        part: [
          { name: 'id', valueId: id },
          { name: 'reason', valueString: 'unconscious' },
        ],
      };
      await requesting(handle, ['summary'], {}, [emergency]);
      expect((await node.exchange.until('transfer.ask', (one) => one.emergency?.id === id)).emergency).toEqual({
        id,
        reason: 'unconscious',
      });
    });

    it('says why a request failed', async () => {
      const { handle } = await matched();
      portugal = ({ transferId }, played) =>
        played.exchange.send('transfer.outcome', { transferId, outcome: 'failed', code: 'request.unanswered' });
      const reply = await requesting(handle, ['summary']);
      expect([reply.status, codeOf(reply)]).toEqual([504, 'request.unanswered']);
    });
  });

  describe('a view', () => {
    it('is read as a document, tagged as a view, and the custodian is told', async () => {
      const { handle, view, transfer } = await viewed();
      const reply = await node.call(`/fhir/Patient/${handle}/$summary`);
      const bundle = reply.json<fhir4.Bundle>();
      expect(bundle).toMatchObject({ type: 'document', id: view, meta: { tag: [{ system: 'urn:portolan:tag', code: 'view' }] } });
      expect(reply.text).toContain('"value":1.50,');
      const notice = await node.exchange.until('view.notice', ({ transferId }) => transferId === transfer);
      expect(notice).toMatchObject({ kind: 'accessed', actor: peeter });
      expect(notice.items.map(({ type, change }) => `${type} ${change}`)).toEqual(
        expect.arrayContaining(['Observation viewed', 'Condition viewed']),
      );
      expect(notice.items.map(({ type }) => type)).not.toContain('Patient');
      const [event] = await node.run(({ audit }) => audit.list({ transferId: ensureTransferId(transfer) }, 10));
      expect(event).toMatchObject({ type: 'view-read', person: undefined, outcome: 'success' });
      expect(event?.body).toContain(peeter.name);
    });

    it('is searched by the handle, with units, flags and digits, in JSON and XML', async () => {
      const { handle, transfer } = await viewed();
      const reply = await node.call(`/fhir/Observation?patient=Patient/${handle}&category=laboratory&_include=Observation:performer`);
      const [match, included] = entries(reply);
      expect(match?.resource).toMatchObject({
        subject: { reference: `Patient/${handle}` },
        valueQuantity: { unit: 'mg/dL', code: 'mg/dL' },
        interpretation: [{ coding: [{ code: 'H' }] }],
        meta: { tag: [{ code: 'view' }] },
      });
      expect(included?.resource?.resourceType).toBe('Practitioner');
      expect(reply.text).toContain('"value":1.50,');
      expect(reply.text).toContain('"high":{"value":1.10,');
      const xml = await node.call(`/fhir/Observation?patient=${handle}&value-quantity=1.5`, {
        headers: { accept: 'application/fhir+xml' },
      });
      expect(xml.text).toContain('<value value="1.50"/>');
      await node.exchange.until(
        'view.notice',
        (one) => one.transferId === transfer && one.items.some(({ type }) => type === 'Observation'),
      );
    });

    it('gives its entries, its person and its provenance by id', async () => {
      const { handle, transfer } = await viewed();
      const [match] = entries(await node.call(`/fhir/Observation?patient=${handle}`));
      expect((await node.call(`/fhir/Observation/${match?.resource?.id}`)).text).toContain('"value":1.50,');
      expect((await node.call(`/fhir/Patient/${handle}`)).json<fhir4.Patient>().name?.[0]?.family).toBe('Exemplo');
      const provenance = (await node.call(`/fhir/Provenance/${transfer}`)).json<fhir4.Provenance>();
      expect(provenance.entity?.[0]?.what.identifier?.value).toBe(transfer);
      expect((await node.call(`/fhir/Observation/${match?.resource?.id}/_history`)).status).toBe(404);
    });

    it('shows what several views give together, each entry once, and the newest summary', async () => {
      const { handle, view } = await viewed(['summary']);
      portugal = releasing();
      const second = viewOf(await requesting(handle, ['laboratory']));
      expect(second).not.toBe(view);
      expect(entries(await node.call(`/fhir/Condition?patient=${handle}`))).toHaveLength(1);
      expect(entries(await node.call(`/fhir/Observation?patient=${handle}`))).toHaveLength(1);
      expect((await node.call(`/fhir/Patient/${handle}/$summary`)).json<fhir4.Bundle>().id).toBe(view);
      const third = viewOf(await requesting(handle, ['summary', 'laboratory']));
      expect((await node.call(`/fhir/Patient/${handle}/$summary`)).json<fhir4.Bundle>().id).toBe(third);
      expect(entries(await node.call(`/fhir/Observation?patient=${handle}&_total=accurate`))).toHaveLength(1);
    });

    it('says that its custodian amended the record', async () => {
      const { handle, transfer } = await viewed();
      await node.exchange.send('view.amend', { transferId: transfer, items: [] });
      const [match] = entries(await node.call(`/fhir/Observation?patient=${handle}`));
      expect(match?.resource?.meta?.tag?.map(({ code }) => code)).toEqual(['view', 'amended']);
    });

    it('needs a scope over all types for the whole document', async () => {
      const { handle, view } = await viewed();
      for (const path of [`/fhir/Bundle/${view}`, `/fhir/Patient/${handle}/$summary`]) {
        expect((await node.call(path, { scope: 'system/Patient.rs system/Bundle.rs' })).status).toBe(403);
      }
      expect((await node.call(`/fhir/Observation?patient=${handle}`, { scope: 'system/Observation.rs' })).status).toBe(200);
    });

    it('does not open to another professional, purpose or case, nor after its end: as if it had never been', async () => {
      const { handle, view } = await viewed();
      const [match] = entries(await node.call(`/fhir/Observation?patient=${handle}`));
      const never = randomUUID();
      const addresses = (patient: string, bundle: string, item: string): readonly string[] => [
        `/fhir/Observation?patient=${patient}`,
        `/fhir/Patient/${patient}`,
        `/fhir/Patient/${patient}/$summary`,
        `/fhir/Bundle/${bundle}`,
        `/fhir/Observation/${item}`,
        `/fhir/Patient?_id=${patient}`,
      ];
      const answers = async (paths: readonly string[], options: FhirCallOptions): Promise<readonly [number, string][]> => {
        const replies = await Promise.all(paths.map((path) => node.call(path, options)));
        return replies.map(({ status, text }) => [status, text.replaceAll(handle, never)]);
      };
      const real = addresses(handle, view, match?.resource?.id ?? '');
      const nothing = await answers(addresses(never, never, never), {});
      expect(nothing.map(([status]) => status)).toEqual([404, 404, 404, 404, 404, 200]);
      const strangers: readonly FhirCallOptions[] = [
        { actor: other },
        { purpose: 'HPAYMT' },
        { headers: { 'portolan-case': randomUUID() } },
      ];
      for (const options of strangers) expect(await answers(real, options)).toEqual(nothing);
      const { caseId } = (await node.run(({ views }) => views.get(ensureViewId(view)))) ?? { caseId: '' };
      expect((await node.call(real[0] ?? '', { headers: { 'portolan-case': caseId } })).status).toBe(200);
      const { permitId } = (await node.run(({ views }) => views.get(ensureViewId(view)))) ?? { permitId: '' };
      await node.exchange.send('view.destroy', { permitId, reason: 'permit-ended' });
      expect(await answers(real, {})).toEqual(nothing);
    });

    it('is closed when its time has passed, also before anybody destroyed it', async () => {
      const { handle } = await matched();
      portugal = releasing({ until: new Date(Date.now() - 1000).toISOString() });
      const reply = await requesting(handle, ['summary']);
      expect((await node.call(`/fhir/Bundle/${viewOf(reply)}`)).status).toBe(404);
    });

    it('is bound to the person whom the statement names', async () => {
      const { handle } = await viewed();
      const reply = await node.call(`/fhir/Observation?patient=${handle}`, { personId: 'somebody-else' });
      expect([reply.status, codeOf(reply)]).toEqual([403, 'fhir.person-not-stated']);
    });

    it('is not mixed with our own records in one search', async () => {
      const { handle } = await viewed();
      const local = await seedPerson(node, 'Kohalik');
      const reply = await node.call(`/fhir/Observation?patient=${handle},${local.patient}`);
      expect([reply.status, codeOf(reply)]).toEqual([400, 'fhir.search-mixed']);
    });
  });

  describe('acts on single entries', () => {
    let local: SeededPerson;
    beforeAll(async () => {
      local = await seedPerson(node, 'Exemplo');
    });
    const reference = (name: string, type: string, id: string): object => ({ name, valueReference: { reference: `${type}/${id}` } });
    const act = (operation: string, parameters: readonly object[], options: FhirCallOptions = {}): Promise<Reply> =>
      node.post(`/fhir/$${operation}`, { resourceType: 'Parameters', parameter: parameters }, options);
    const reason = { name: 'reason', valueString: 'relied on for the dose' };
    const itemOf = async (handle: string): Promise<string> =>
      entries(await node.call(`/fhir/Observation?patient=${handle}`))[0]?.resource?.id ?? '';

    it('$link confirms, $unlink undoes, and the person is told', async () => {
      const { handle } = await matched();
      const link = [reference('foreign', 'Patient', handle), reference('patient', 'Patient', local.patient)];
      expect((await act('link', link)).status).toBe(200);
      expect((await node.run(({ links }) => links.get(handle)))?.local).toBe(local.person);
      expect((await act('unlink', link.slice(0, 1))).status).toBe(200);
      expect((await node.run(({ links }) => links.get(handle)))?.local).toBeUndefined();
      const told = (await node.run((tx) => tx.feed.after(local.person, '0', 50))).map(({ body }) => (body as { act: string }).act);
      expect(told).toEqual(expect.arrayContaining(['patient-linked', 'patient-unlinked']));
    });

    it('$adopt takes an item over with its source version, once somebody confirmed who it is', async () => {
      const { handle, transfer } = await viewed();
      const item = await itemOf(handle);
      const adoption = [reference('item', 'Observation', item), reference('patient', 'Patient', local.patient), reason];
      const early = await act('adopt', adoption);
      expect([early.status, codeOf(early)]).toEqual([409, 'fhir.patient-not-linked']);
      await act('link', [reference('foreign', 'Patient', handle), reference('patient', 'Patient', local.patient)]);
      const reply = await act('adopt', adoption);
      expect(reply.status).toBe(201);
      const adopted = reply.json<fhir4.Observation>();
      expect(adopted).toMatchObject({
        subject: { reference: `Patient/${local.patient}` },
        meta: { versionId: '1', tag: [{ code: 'adopted' }] },
        contained: [{ resourceType: 'Practitioner' }],
      });
      expect(adopted.performer?.[0]?.reference).toBe(`#${adopted.contained?.[0]?.id}`);
      expect(reply.headers.get('location')).toBe(`${BASE}/Observation/${adopted.id}/_history/1`);
      const read = await node.call(`/fhir/Observation?patient=${local.patient}&_tag=urn:portolan:tag|adopted`);
      expect(read.text).toContain('"value":1.50,');
      const [provenance] = entries(await node.call(`/fhir/Provenance?target=Observation/${adopted.id}`));
      const { entity } = provenance?.resource as fhir4.Provenance;
      expect(entity?.map(({ what }) => what.identifier?.value)).toEqual([transfer, `urn:uuid:${item}`]);
      expect(entity?.[1]?.what.display).toBe('version 3');
      const notice = await node.exchange.until('view.notice', ({ kind, transferId }) => kind === 'adopted' && transferId === transfer);
      expect(notice).toMatchObject({
        items: [{ type: 'Observation', id: item, change: 'adopted' }],
        reason: 'relied on for the dose',
        actor: peeter,
      });
      const events = await node.run(({ audit }) => audit.list({ person: local.person, type: 'item-adopted' }, 5));
      expect(events[0]).toMatchObject({ transferId: transfer });
      // Taken over once more it repeats what she has by now.
      const again = (await act('adopt', adoption)).json<fhir4.Observation>();
      const pairs = await node.run((tx) => tx.reconciliations.unjudgedOf(local.person));
      expect(pairs).toMatchObject([{ known: `Observation/${adopted.id}`, come: `Observation/${again.id}`, state: 'open' }]);
    });

    it('$propose hands a change to the custodian', async () => {
      const { handle, transfer } = await viewed();
      const item = await itemOf(handle);
      const { meta: _meta, ...resource } = (await node.call(`/fhir/Observation/${item}`)).json<fhir4.Observation>();
      const changed = { ...resource, status: 'amended' };
      const reply = await act('propose', [reference('item', 'Observation', item), { name: 'resource', resource: changed }, reason]);
      expect(reply.status).toBe(202);
      const notice = await node.exchange.until('view.notice', ({ kind, transferId }) => kind === 'proposal' && transferId === transfer);
      expect(JSON.parse(notice.proposal ?? '')).toMatchObject({ id: item, status: 'amended' });
      expect(
        await node.run(({ audit }) => audit.list({ transferId: ensureTransferId(transfer), type: 'change-proposed' }, 5)),
      ).toHaveLength(1);
    });

    it('refuses items that are not open to the caller, and what is no entry by itself', async () => {
      const { handle } = await viewed();
      const item = await itemOf(handle);
      await act('link', [reference('foreign', 'Patient', handle), reference('patient', 'Patient', local.patient)]);
      const adopt = (type: string, id: string, options: FhirCallOptions = {}): Promise<Reply> =>
        act('adopt', [reference('item', type, id), reference('patient', 'Patient', local.patient), reason], options);
      expect(codeOf(await adopt('Observation', item, { actor: other }))).toBe('fhir.not-found');
      expect(codeOf(await adopt('Observation', randomUUID()))).toBe('fhir.not-found');
      expect(codeOf(await adopt('Patient', handle))).toBe('fhir.not-adoptable');
      expect(codeOf(await adopt('Observation', item, { scope: 'system/*.read' }))).toBe('fhir.scope-missing');
    });

    it('$declare-emergency names country, reason and end, and when its review falls due', async () => {
      const until = new Date(Date.now() + 3_600_000).toISOString();
      const declaration = [
        { name: 'country', valueCode: 'PT' },
        { name: 'until', valueInstant: until },
        { name: 'reason', valueString: 'unconscious' },
      ];
      const refused = await act('declare-emergency', declaration);
      expect([refused.status, codeOf(refused)]).toEqual([403, 'request.purpose-not-stated']);
      const reply = await act('declare-emergency', declaration, { purpose: 'ETREAT' });
      const id = parameter(reply, 'id')?.valueId;
      const declared = await node.exchange.until('emergency.declare', ({ emergencyId }) => emergencyId === id);
      expect(declared).toMatchObject({ country: 'PT', until, reason: 'unconscious' });
      const due = Date.parse(parameter(reply, 'reviewDue')?.valueInstant ?? '');
      expect(due - Date.parse(until)).toBe(node.parts.country.policy.emergencyReviewHours * 3_600_000);
    });

    it('one statement is good for one act, and for any number of reads before and after it', async () => {
      const headers = { 'portolan-acting-professional': await node.statement() };
      const [links, unlinks] = ['link', 'unlink'].map((name) => () => {
        const parameters = [reference('foreign', 'Patient', handle), reference('patient', 'Patient', local.patient)];
        return act(name, name === 'link' ? parameters : parameters.slice(0, 1), { headers });
      }) as [() => Promise<Reply>, () => Promise<Reply>];
      const { handle } = await viewed();
      const read = async (): Promise<number> => (await node.call(`/fhir/Patient/${local.patient}`, { headers })).status;
      expect([await read(), await read()]).toEqual([200, 200]);
      // An act that came to nothing uses nothing up.
      const nobody = await act('link', [reference('foreign', 'Patient', randomUUID()), reference('patient', 'Patient', local.patient)], {
        headers,
      });
      expect(codeOf(nobody)).toBe('request.patient-unknown');
      expect((await Promise.all([links(), links(), links()])).map(({ status }) => status).sort()).toEqual([200, 401, 401]);
      expect(codeOf(await unlinks())).toBe('access.assertion-used');
      expect(await read()).toBe(200);
      const asks = node.exchange.of('transfer.ask').length;
      const again = await node.post(
        '/fhir/Patient/$match?country=PT',
        { resourceType: 'Patient', identifier: [local.identifier], birthDate: '1971-01-01' },
        { headers },
      );
      expect(codeOf(again)).toBe('access.assertion-used');
      expect(node.exchange.of('transfer.ask')).toHaveLength(asks);
    });

    it('an emergency is declared, ended and reviewed by what proves the caller, and in nobody’s name', async () => {
      const id = randomUUID();
      await act('end-emergency', [{ name: 'id', valueId: id }]);
      await act('review-emergency', [
        { name: 'id', valueId: id },
        { name: 'outcome', valueCode: 'justified' },
        { name: 'reason', valueString: 'needed' },
      ]);
      const ended = await node.exchange.until('emergency.end', ({ emergencyId }) => emergencyId === id);
      const reviewed = await node.exchange.until('emergency.review', ({ emergencyId }) => emergencyId === id);
      const [declared] = node.exchange.of('emergency.declare');
      for (const one of [declared, ended, reviewed]) {
        const principal = await node.parts.tokens.verify(one?.evidence.accessToken ?? '');
        expect((await node.parts.professionals.verify(one?.evidence.assertion ?? '', principal)).actor).toEqual(peeter);
        expect(one).not.toHaveProperty('actor');
      }
    });
  });

  it('leaves no name and no value in the log', () => {
    expect(node.lines.join('\n')).not.toMatch(/Exemplo|1\.50|unconscious|Creatinine/);
  });
});
