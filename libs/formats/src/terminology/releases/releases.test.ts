import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRelease, type Publisher, type Release, type ReleaseFile, type ReleaseOptions } from './index.js';

/** A file in pieces of so many characters. */
function file(name: string, text: string, pieceChars = 7): ReleaseFile {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += pieceChars) yield await Promise.resolve(text.slice(at, at + pieceChars));
  }
  return { name, text: pieces() };
}
const tabs = (...rows: readonly (readonly string[])[]): string => rows.map((row) => `${row.join('\t')}\r\n`).join('');

const loinc = `\uFEFF"LOINC_NUM","COMPONENT","STATUS","LONG_COMMON_NAME","VersionLastChanged"
"99998-1","Made-up ""thing""","ACTIVE","Made-up, of
two lines","2.9"
"99997-3","Old","DEPRECATED","Gone","2.66"
"99996-5","Other","ACTIVE","Other test","2.81"
`;
const variant = `LOINC_NUM,LONG_COMMON_NAME,LinguisticVariantDisplayName
99998-1,Made-up,Inventado
99996-5,Outro teste,
99997-3,Velho,Velho
`;
const concepts = tabs(
  ['id', 'effectiveTime', 'active', 'moduleId', 'definitionStatusId'],
  ['100001', '20260101', '1', 'm', 'd'],
  ['100002', '20260101', '1', 'm', 'd'],
  ['100003', '20260101', '0', 'm', 'd'],
);
const descriptionTitles = [
  'id',
  'effectiveTime',
  'active',
  'moduleId',
  'conceptId',
  'languageCode',
  'typeId',
  'term',
  'caseSignificanceId',
];
const description = (
  id: string,
  concept: string,
  term: string,
  over: { active?: string; type?: string; language?: string } = {},
): string[] => [id, '20260101', over.active ?? '1', 'm', concept, over.language ?? 'en', over.type ?? '900000000000013009', term, 'c'];
const descriptions = tabs(
  descriptionTitles,
  description('d1', '100001', 'Thing "as it is" (thing)', { type: '900000000000003001' }),
  description('d2', '100001', 'Thing first'),
  description('d3', '100001', 'Thing preferred'),
  description('d4', '100002', 'Never', { active: '0' }),
  description('d5', '100002', 'Asi', { language: 'et' }),
  description('d6', '100003', 'Of a retired one'),
);
const language = tabs(
  ['id', 'effectiveTime', 'active', 'moduleId', 'refsetId', 'referencedComponentId', 'acceptabilityId'],
  ['r1', '20260101', '1', 'm', 's', 'd2', '900000000000549004'],
  ['r2', '20260101', '1', 'm', 's', 'd3', '900000000000548007'],
);
const relationships = tabs(
  ['id', 'effectiveTime', 'active', 'moduleId', 'sourceId', 'destinationId', 'relationshipGroup', 'typeId'],
  ['x1', '20260101', '1', 'm', '100002', '100001', '0', '116680003'],
  ['x2', '20260101', '1', 'm', '100001', '100002', '0', '363698007'],
  ['x3', '20260101', '1', 'm', '100002', '100003', '0', '116680003'],
);
const claml = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ClaML SYSTEM "ClaML.dtd">
<ClaML version="2.0.0">
  <Title name="ICD-10-TEST" version="2026">Made up</Title>
  <Class code="I" kind="chapter"><SubClass code="A00-A09"/><Rubric kind="preferred"><Label xml:lang="en">Chapter</Label></Rubric></Class>
  <Class code="A00-A09" kind="block"><SuperClass code="I"/><Rubric kind="preferred"><Label xml:lang="en">Block &amp; more</Label></Rubric></Class>
  <Class code="A00" kind="category"><SuperClass code="A00-A09"/>
    <Rubric kind="preferred"><Label xml:lang="de">Erfundene
      <Fragment type="item">Krankheit</Fragment> <Reference>B00</Reference></Label><Label xml:lang="en">Made-up disease</Label></Rubric>
    <Rubric kind="inclusion"><Label xml:lang="en">Something else</Label></Rubric>
  </Class>
</ClaML>`;
const atcXml = `<?xml version="1.0"?><xml xmlns:rs="urn:rs" xmlns:z="urn:z"><rs:data>
<z:row ATCCode="A" Name="ALIMENTARY"/><z:row ATCCode="A10" Name="DIABETES"/><z:row ATCCode="A10B" Name="LOWERING"/>
<z:row ATCCode="A10BA" Name="Biguanides"/><z:row ATCCode="A10BA02" Name="metformin"/><z:row ATCCode="A10BA02" Name="metformin"/></rs:data></xml>`;
const edqmJson = JSON.stringify({
  content: [
    {
      class: 'PDF',
      code: 'PDF-99910000',
      domain: 'Human',
      status: 'Current',
      english: 'Made-up tablet',
      translations: [
        { language: 'et', term: 'Välja mõeldud tablett' },
        { language: 'pt', term: '-' },
      ],
    },
    { class: 'PDF', code: 'PDF-99920000', status: 'Deprecated', english: 'Gone' },
  ],
});

async function read(publisher: Publisher, files: readonly ReleaseFile[], options: ReleaseOptions = {}): Promise<unknown> {
  const { version, isHierarchy, concepts: codes }: Release = await readRelease(publisher, files, options);
  const told = [...codes.values()].map(({ code, designations, parents }) => [
    code,
    designations.map(({ language: tag, value }) => `${tag} ${value}`),
    parents,
  ]);
  return { version, isHierarchy, told };
}
const snomedFiles = (): ReleaseFile[] => [
  file('sct2_Relationship_Snapshot_INT_20260301.txt', relationships),
  file('sct2_Description_Snapshot-en_INT_20260301.txt', descriptions),
  file('der2_cRefset_LanguageSnapshot-en_INT_20260301.txt', language),
  file('sct2_Concept_Snapshot_INT_20260301.txt', concepts),
];

describe('a release is read', () => {
  it('LOINC, its deprecated codes left out, with variants by their display name, else their long one', async () => {
    expect(await read('loinc', [file('ptBR8LinguisticVariant.csv', variant), file('Loinc.csv', loinc)])).toEqual({
      version: '2.81',
      isHierarchy: false,
      told: [
        ['99998-1', ['en Made-up, of\ntwo lines', 'pt-BR Inventado'], []],
        ['99996-5', ['en Other test', 'pt-BR Outro teste'], []],
      ],
    });
  });
  it('SNOMED CT, what is inactive left out, preferred terms before others, is-a relationships alone', async () => {
    expect(await read('snomed', snomedFiles())).toEqual({
      version: '20260301',
      isHierarchy: true,
      told: [
        ['100001', ['en Thing preferred'], []],
        ['100002', ['et Asi'], ['100001']],
      ],
    });
  });
  it('SNOMED CT by its first synonyms, where no language is given', async () => {
    const files = [
      file('sct2_Concept_Snapshot_INT_20260301.txt', concepts),
      file('sct2_Description_Snapshot-en_INT_20260301.txt', descriptions),
    ];
    expect(await read('snomed', files)).toMatchObject({
      isHierarchy: false,
      told: [['100001', ['en Thing first'], []], expect.anything()],
    });
  });
  it('ICD-10 by its preferred rubrics, without the codes that they refer to', async () => {
    expect(await read('icd10', [file('icd10.xml', claml)])).toEqual({
      version: '2026',
      isHierarchy: true,
      told: [
        ['I', ['en Chapter'], []],
        ['A00-A09', ['en Block & more'], ['I']],
        ['A00', ['de Erfundene Krankheit', 'en Made-up disease'], ['A00-A09']],
      ],
    });
  });
  it('ATC as XML, each substance once, under the levels above it', async () => {
    expect(await read('atc', [file('2026 ATC.xml', atcXml)])).toMatchObject({
      version: '2026',
      isHierarchy: true,
      told: expect.arrayContaining([
        ['A10BA02', ['en metformin'], ['A10BA']],
        ['A', ['en ALIMENTARY'], []],
      ]) as unknown,
    });
  });
  it('ATC as CSV, in the language that is given', async () => {
    const csv = 'ATC code;ATC level name;DDD\nA10;DIABEEDIRAVIMID;\n';
    expect(await read('atc', [file('atc.csv', csv)], { language: 'et', release: '2026' })).toMatchObject({
      told: [['A10', ['et DIABEEDIRAVIMID'], []]],
    });
  });
  it('EDQM as JSON and as CSV, current terms alone', async () => {
    const told = [['99910000', ['en Made-up tablet', 'et Välja mõeldud tablett'], []]];
    expect(await read('edqm', [file('2026-11-01.json', edqmJson)])).toEqual({ version: '2026-11-01', isHierarchy: false, told });
    const csv =
      'Class,Code,Status,Language,Term\nPDF,PDF-99910000,Current,en,Made-up tablet\nPDF,PDF-99910000,Current,et,Välja mõeldud tablett\nPDF,PDF-1,Rejected,en,No\n';
    expect(await read('edqm', [file('terms.csv', csv)], { release: 'x' })).toMatchObject({ told });
  });
  it.each<[Publisher, string, string]>([
    ['loinc', 'Loinc.csv', loinc],
    ['icd10', 'icd10.xml', claml],
  ])('%s alike, in pieces of whatever size', async (publisher, name, text) => {
    const whole = await read(publisher, [file(name, text, 10_000)]);
    const inPieces = fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (size) => {
      expect(await read(publisher, [file(name, text, size)])).toEqual(whole);
    });
    await fc.assert(inPieces, { numRuns: 30 });
  });
});

describe('what is in no publisher’s layout is refused, with file and line', () => {
  it.each<[string, Publisher, ReleaseFile[], ReleaseOptions, RegExp]>([
    ['another table', 'loinc', [file('Loinc.csv', 'A,B\n1,2\n')], {}, /Loinc\.csv:2.*LOINC_NUM/],
    [
      'a row too short',
      'loinc',
      [file('Loinc.csv', 'LOINC_NUM,STATUS,LONG_COMMON_NAME\n1-8,ACTIVE,x\n2-6,ACTIVE\n')],
      {},
      /Loinc\.csv:3.*has 2 cells and not 3/,
    ],
    ['quotes that nobody closes', 'loinc', [file('Loinc.csv', 'LOINC_NUM,STATUS\n"1-8,ACTIVE\n')], {}, /Loinc\.csv:2.*quotes/],
    ['a variant alone', 'loinc', [file('ptBR8LinguisticVariant.csv', variant)], {}, /Loinc\.csv itself is wanted/],
    [
      'a variant of no language',
      'loinc',
      [file('Loinc.csv', loinc), file('variant.csv', variant)],
      {},
      /variant\.csv .*its name tells the language/,
    ],
    ['no version', 'loinc', [file('Loinc.csv', 'LOINC_NUM,STATUS,LONG_COMMON_NAME\n1-8,ACTIVE,x\n')], {}, /names no version/],
    ['nothing at all', 'loinc', [file('Loinc.csv', '')], { release: '1' }, /Loinc\.csv .*holds no code/],
    ['no concepts', 'snomed', [file('sct2_Description_Snapshot-en_INT_20260301.txt', descriptions)], {}, /concepts is wanted/],
    ['a full release in place of a snapshot', 'snomed', [file('sct2_Concept_Full_INT_20260301.txt', concepts)], {}, /no snapshot/],
    [
      'a row of another table',
      'snomed',
      [...snomedFiles().slice(1, 3), file('sct2_Concept_Snapshot_INT_20260301.txt', tabs(['id', 'active'], ['1', '1']))],
      {},
      /20260301\.txt:2.*definitionStatusId/,
    ],
    ['broken XML', 'icd10', [file('a.xml', '<ClaML>\n<Class code="A00"></ClaML>')], {}, /a\.xml:2.*not well-formed/],
    ['XML that ends too early', 'icd10', [file('a.xml', '<ClaML><Class code="A00">')], { release: '1' }, /not well-formed/],
    [
      'an entity that is none',
      'icd10',
      [
        file(
          'a.xml',
          '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<ClaML><Class code="A00"><Rubric kind="preferred"><Label xml:lang="en">&e;</Label></Rubric></Class></ClaML>',
        ),
      ],
      { release: '1' },
      /not well-formed/,
    ],
    [
      'a label of no language',
      'icd10',
      [file('a.xml', '<ClaML><Class code="A00"><Rubric kind="preferred"><Label>x</Label></Rubric></Class></ClaML>')],
      { release: '1' },
      /names no language/,
    ],
    ['elements in elements for ever', 'icd10', [file('a.xml', '<a>'.repeat(200))], { release: '1' }, /terms\.release-too-large.*nested/],
    ['no ATC code', 'atc', [file('a.csv', 'code,name\nA1,x\n')], { release: '1' }, /a\.csv:2.*no ATC code/],
    ['no JSON', 'edqm', [file('a.json', '{')], { release: '1' }, /a\.json.*not JSON/],
    ['no term', 'edqm', [file('a.json', '{"content":[{"code":"PDF-1"}]}')], { release: '1' }, /content\[0\].*english/],
  ])('%s', async (_name, publisher, files, options, what) => {
    await expect(readRelease(publisher, files, options)).rejects.toThrow(what);
  });
  it('whatever the bytes are: a release, or a refusal with a code', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .constantFrom(loinc, descriptions, claml, edqmJson)
        .chain((text) =>
          fc.tuple(fc.nat(text.length), fc.string()).map(([at, junk]) => `${text.slice(0, at)}${junk}${text.slice(at + 3)}`),
        ),
    );
    const kinds = fc.constantFrom<[Publisher, string]>(
      ['loinc', 'Loinc.csv'],
      ['snomed', 'sct2_Concept_Snapshot_INT_20260301.txt'],
      ['icd10', 'a.xml'],
      ['atc', 'a.xml'],
      ['atc', 'a.csv'],
      ['edqm', 'a.json'],
      ['edqm', 'a.csv'],
    );
    await fc.assert(
      fc.asyncProperty(kinds, texts, async ([publisher, name], text) => {
        const answer = await readRelease(publisher, [file(name, text, 50)], { release: '1' }).catch((error: unknown) => error);
        expect(answer).toSatisfy((one: object) => 'concepts' in one || ('code' in one && String(one.code).startsWith('terms.release-')));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 10_000 },
    );
  });
});
