import forge from 'node-forge';
import { refused } from './pkcs12-engine.js';

/*
 * node-forge derives keys on this thread, for as many rounds as a file asks. So before it opens one, the file is walked: every algorithm with
 * a passphrase (RFC 8018, RFC 7292 appendix C) is judged by its rounds, and what is encrypted within is opened by node-forge and walked, too.
 */
const MOST_ROUNDS = 200_000;
const MOST_DEPTH = 40;
const PBES2 = '1.2.840.113549.1.5.13';
const OLD = '1.2.840.113549.1.12.1.';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const { asn1: der } = forge;
type Node = forge.asn1.Asn1;

/** Throws `x509.pkcs12-refused`. */
export function refuseCostly(pfx: Node, passphrase: string): void {
  const budget = { rounds: 0 };
  // PFX: version, authSafe, macData (mac, salt, rounds).
  const mac = childrenOf(pfx)[2];
  if (mac !== undefined) spend(budget, roundsIn(childrenOf(mac).slice(2)) ?? 1);
  walk(pfx, passphrase, budget, 0);
}

function walk(node: Node, passphrase: string, budget: { rounds: number }, depth: number): void {
  if (depth > MOST_DEPTH) throw refused('it is nested too deep');
  const rounds = roundsOf(node);
  if (rounds !== undefined) spend(budget, rounds);
  for (const child of childrenOf(node)) walk(child, passphrase, budget, depth + 1);
  const inner = innerOf(node) ?? decrypted(node, passphrase);
  if (inner !== undefined) walk(inner, passphrase, budget, depth + 1);
}

/** The rounds of an AlgorithmIdentifier with a passphrase: PBES2 has them within PBKDF2's parameters, the older ones beside the salt. */
function roundsOf(node: Node): number | undefined {
  const [name, parameters] = childrenOf(node);
  const oid = oidOf(name);
  if (oid === undefined || parameters === undefined) return undefined;
  if (oid.startsWith(OLD)) return roundsIn(childrenOf(parameters)) ?? Infinity;
  return oid === PBES2 ? (roundsIn(childrenOf(childAt(childAt(parameters, 0), 1))) ?? Infinity) : undefined;
}

/** The first INTEGER, which stands before an optional key length. */
function roundsIn(nodes: readonly Node[]): number | undefined {
  const integer = nodes.find(({ type, tagClass }) => type === der.Type.INTEGER && tagClass === der.Class.UNIVERSAL);
  return integer === undefined ? undefined : Number(`0x${forge.util.bytesToHex(textOf(integer)) || '0'}`);
}

function spend(budget: { rounds: number }, rounds: number): void {
  budget.rounds += rounds;
  if (!(budget.rounds <= MOST_ROUNDS)) throw refused('it asks for too many rounds');
}

/** DER within an OCTET STRING. */
function innerOf({ type, value }: Node): Node | undefined {
  if (type !== der.Type.OCTETSTRING || typeof value !== 'string') return undefined;
  try {
    return der.fromDer(value);
  } catch {
    return undefined;
  }
}

/** What an EncryptedData of the file holds; its own rounds were judged before. */
function decrypted(node: Node, passphrase: string): Node | undefined {
  if (oidOf(childAt(node, 0)) !== ENCRYPTED_DATA) return undefined;
  // [0] EncryptedData: version, EncryptedContentInfo: type, algorithm, content.
  const info = childAt(childAt(childAt(node, 1), 0), 1);
  const [algorithm, content] = [childAt(info, 1), childAt(info, 2)];
  const [oid, parameters] = [oidOf(childAt(algorithm, 0)), childAt(algorithm, 1)];
  if (oid === undefined || parameters === undefined || content === undefined) return undefined;
  const cipher = pbe.getCipher(oid, parameters, passphrase);
  cipher.update(forge.util.createBuffer(textOf(content)));
  return cipher.finish() ? der.fromDer(cipher.output) : undefined;
}

/** A part of forge that its types do not know. */
const { pbe } = forge as unknown as {
  pbe: { getCipher: (oid: string, parameters: Node, passphrase: string) => forge.cipher.BlockCipher };
};

const textOf = ({ value }: Node): string => (Array.isArray(value) ? value.map(textOf).join('') : value);

const oidOf = (node: Node | undefined): string | undefined => (node?.type === der.Type.OID ? der.derToOid(textOf(node)) : undefined);

const childrenOf = (node: Node | undefined): readonly Node[] => (Array.isArray(node?.value) ? node.value : []);

const childAt = (node: Node | undefined, i: number): Node | undefined => childrenOf(node)[i];
