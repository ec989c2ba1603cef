import { PortolanError } from '@portolan/contracts';
import { parseSourcePath, select, textLeaf, type Format, type SourceHeader, type SourceNode } from '../engine/index.js';
import { withoutMark } from '../bytes/charset.js';
import { ldtCodeMaps } from './code-maps/index.js';
import { ldtConversions } from './conversions.js';
import { readLines } from './lines.js';
import { ldtMaps } from './maps/index.js';
import { ldtTree } from './tree.js';

/**
 * LDT 3 (Labordatentransfer, KBV/QMS), Germany: reports (set 8205) of clinical chemistry. Built from the description of the
 * format alone; no foreign file was at hand to test it on.
 */
export const ldt: Format = {
  name: 'ldt',
  detect: (bytes) => /^0138000\d{4}\r?\n/.test(String.fromCharCode(...withoutMark(bytes.subarray(0, 16)).subarray(0, 13))),
  read: (bytes, { maxBytes }) => {
    const root = ldtTree(readLines(bytes, maxBytes));
    return { root, header: headerOf(root) };
  },
  maps: ldtMaps,
  conceptMaps: ldtCodeMaps,
  conversions: ldtConversions,
};

const textAt = (root: SourceNode, path: string): string => {
  const [found] = select(root, parseSourcePath(path));
  return (found === undefined ? undefined : textLeaf(found)?.value)?.trim() ?? '';
};

function headerOf(root: SourceNode): SourceHeader {
  const site = '8220/8119/Obj_0019';
  const organisation = textAt(root, `${site}/0201`) || textAt(root, `${site}/0200`) || textAt(root, `${site}/0203`);
  const order = textAt(root, '8205/8117/Obj_0017/7305') || textAt(root, '8205/8117/Obj_0017/8311');
  if (organisation === '') throw new PortolanError('ingest.header-incomplete', site);
  if (order === '') throw new PortolanError('ingest.header-incomplete', '8205/8117/Obj_0017');
  const name = textAt(root, `${site}/0203`);
  const application = textAt(root, '8220/8132/Obj_0032/8151/Obj_0051/0103');
  const version = textAt(root, '8220/8132/Obj_0032/0001');
  return {
    id: order,
    type: version,
    processing: 'P',
    sender: { organisation, ...(name !== '' && { name }), ...(application !== '' && { application }) },
    supported: /^LDT3\./.test(version),
  };
}
