import { PortolanError } from '@portolan/contracts';
import type { Format } from '../engine/index.js';
import { takeApart } from './entries.js';
import { headerOf } from './header.js';
import { readJson } from './json-tree.js';
import { fhirMaps } from './maps/index.js';
import { takeOver } from './take-over.js';

/** Signs of a beginning that are looked through. */
const BEGINNING = 4096;

/**
 * Foreign FHIR R4 in JSON: a Bundle (document, collection, transaction, batch, searchset, message) or one resource. An International Patient
 * Summary from abroad is a document. What it says is FHIR already, so its resources are copied element by element; the maps say which types are
 * taken, and to which concept maps their codes are bound.
 */
export const fhir: Format = {
  name: 'fhir',
  detect: (bytes) => {
    const text = new TextDecoder().decode(bytes.subarray(0, BEGINNING)).trimStart();
    return text.startsWith('{') && (text.includes('"resourceType"') || bytes.length > BEGINNING);
  },
  read: (bytes, limits) => {
    const document = takeApart(readJson(bytes, limits.maxBytes));
    const header = headerOf(document, bytes, limits);
    if (document.bundle !== undefined && document.entries.length === 0)
      throw new PortolanError('ingest.malformed', 'Bundle.entry', 'no resources');
    return { root: document.root, header, takeOver: (job) => takeOver(document, job) };
  },
  maps: fhirMaps,
  conceptMaps: {},
  conversions: { copy: (node) => (node.value === undefined ? undefined : { value: node.value, origins: [{ path: '', from: [node] }] }) },
};
