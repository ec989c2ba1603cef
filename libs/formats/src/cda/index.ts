import { PortolanError } from '@portolan/contracts';
import type { Format, SourceHeader, SourceNode } from '../engine/index.js';
import { offsetOf } from '../engine/times.js';
import { readXml, rootName, type Namespaces } from '../xml/index.js';
import { cdaCodeMaps } from './code-maps/index.js';
import { cdaConversions } from './conversions.js';
import { cdaMaps } from './maps/index.js';

/** The pharmacy extension stands under several names for one thing. */
const namespaces: Namespaces = {
  'urn:hl7-org:v3': '',
  'urn:hl7-org:sdtc': 'sdtc',
  'urn:epsos-org:ep:medication': 'pharm',
  'urn:hl7-org:pharm': 'pharm',
  'urn:ihe:pharm:medication': 'pharm',
};

/** LOINC document types whose sections the maps are meant for: patient summary, summary of episode, prescription, dispensation. */
const supportedTypes: ReadonlySet<string> = new Set(['60591-5', '34133-9', '57833-6', '60593-1']);

/**
 * The templates of Consolidated CDA's header (US Realm Header, C-CDA R2.1 vol. 2 §1.1) and of its twelve kinds of document (§1.1.1 to 1.1.13):
 * continuity of care 2, history and physical 3, consultation 4, diagnostic imaging report 5, procedure note 6, operative note 7, discharge summary 8,
 * progress note 9, unstructured document 10, transfer summary 13, referral note 14, care plan 15. Some senders name the header's, some only the kind's.
 */
const consolidated: ReadonlySet<string> = new Set(
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15].map((kind) => `2.16.840.1.113883.10.20.22.1.${kind}`),
);

/** HL7 CDA Release 2 (ISO/HL7 27932): patient summaries in the manner of MyHealth@EU, and the documents of Consolidated CDA. */
export const cda: Format = {
  name: 'cda',
  detect: (bytes) => rootName(bytes) === 'ClinicalDocument',
  read: (bytes, { maxBytes }) => {
    const root = readXml(bytes, maxBytes, namespaces);
    if (root.name !== 'ClinicalDocument') throw new PortolanError('ingest.malformed', 'document', 'not a ClinicalDocument');
    return { root, header: headerOf(root) };
  },
  maps: cdaMaps,
  conceptMaps: cdaCodeMaps,
  conversions: cdaConversions,
};

function at(node: SourceNode, ...names: readonly string[]): SourceNode | undefined {
  return names.reduce<SourceNode | undefined>((found, name) => found?.named(name)[0], node);
}

const valueAt = (node: SourceNode, ...names: readonly string[]): string => at(node, ...names)?.value ?? '';

const instanceId = (node: SourceNode | undefined): string =>
  node === undefined ? '' : [valueAt(node, '@root'), valueAt(node, '@extension')].filter((part) => part !== '').join('^');

function headerOf(root: SourceNode): SourceHeader {
  const custodian = at(root, 'custodian', 'assignedCustodian', 'representedCustodianOrganization');
  const name = custodian === undefined ? '' : valueAt(custodian, 'name', '#text').trim();
  const application = valueAt(root, 'author', 'assignedAuthor', 'assignedAuthoringDevice', 'softwareName', '#text').trim();
  const type = valueAt(root, 'code', '@code');
  const organisation = custodian === undefined ? '' : instanceId(at(custodian, 'id')) || name;
  const id = instanceId(at(root, 'id'));
  if (id === '' || organisation === '')
    throw new PortolanError('ingest.header-incomplete', id === '' ? 'ClinicalDocument/id' : 'custodian');
  return {
    id,
    type,
    processing: 'P',
    sender: {
      organisation,
      ...(name !== '' && { name }),
      ...(application !== '' && { application }),
    },
    supported: supportedTypes.has(type) || root.named('templateId').some((template) => consolidated.has(valueAt(template, '@root'))),
    ...madeAt(valueAt(root, 'effectiveTime', '@value')),
  };
}

function madeAt(sent: string): Pick<SourceHeader, 'sent' | 'offset'> {
  const offset = offsetOf(sent);
  return { ...(offset !== undefined && { offset }), ...(sent !== '' && { sent }) };
}
