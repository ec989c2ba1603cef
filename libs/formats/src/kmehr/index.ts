import { PortolanError } from '@portolan/contracts';
import { parseSourcePath, select, textLeaf, type Format, type SourceHeader, type SourceNode } from '../engine/index.js';
import { readXml, rootName, type Namespaces } from '../xml/index.js';
import { kmehrCodeMaps } from './code-maps/index.js';
import { kmehrConversions } from './conversions.js';
import { withoutHeadings } from './headings.js';
import { kmehrMaps } from './maps/index.js';
import { withMoments } from './regimen.js';

const namespaces: Namespaces = { 'http://www.ehealth.fgov.be/standards/kmehr/schema/v1': '' };

/** Transactions (CD-TRANSACTION) whose items the maps are meant for. */
const supportedTypes: ReadonlySet<string> = new Set(['medicationscheme', 'medicationschemeelement', 'sumehr']);

/** KMEHR (Kind Messages for Electronic Healthcare Record), Belgium: medication scheme and SumEHR. */
export const kmehr: Format = {
  name: 'kmehr',
  detect: (bytes) => rootName(bytes) === 'kmehrmessage',
  read: (bytes, { maxBytes }) => {
    const root = withMoments(withoutHeadings(readXml(bytes, maxBytes, namespaces)));
    if (root.name !== 'kmehrmessage') throw new PortolanError('ingest.malformed', 'document', 'not a kmehrmessage');
    return { root, header: headerOf(root) };
  },
  maps: kmehrMaps,
  conceptMaps: kmehrCodeMaps,
  conversions: kmehrConversions,
};

const transactionTypes = parseSourcePath("folder/transaction/cd[@S='CD-TRANSACTION']");

const textAt = (root: SourceNode, path: string): string => {
  const [found] = select(root, parseSourcePath(path));
  return (found === undefined ? undefined : textLeaf(found)?.value)?.trim() ?? '';
};

function headerOf(root: SourceNode): SourceHeader {
  const id = textAt(root, 'header/id');
  const organisation = textAt(root, 'header/sender/hcparty/id');
  if (id === '' || organisation === '')
    throw new PortolanError('ingest.header-incomplete', id === '' ? 'header/id' : 'header/sender/hcparty/id');
  const name = textAt(root, 'header/sender/hcparty/name');
  const types = select(root, transactionTypes).map((node) => textLeaf(node)?.value?.trim() ?? '');
  // A message is taken for the transactions that rules read; the others are carried beside them.
  const type = types.find((one) => supportedTypes.has(one)) ?? types[0] ?? '';
  return {
    id,
    type,
    processing: 'P',
    sender: { organisation, ...(name !== '' && { name }) },
    supported: supportedTypes.has(type),
  };
}
