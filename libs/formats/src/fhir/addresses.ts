import { textOf, unversioned, type Entry } from './entries.js';

/** R4 §2.3.0.1: a RESTful address, with its base, type and id. */
const rest = /^(https?:\/\/.*\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;

/** Finds the entry that a reference of a document names (R4 §2.36.4). */
export class Addresses {
  private readonly byUrl = new Map<string, Entry>();
  private readonly byName = new Map<string, Entry | 'several'>();

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) {
      if (entry.fullUrl !== undefined && !this.byUrl.has(entry.fullUrl)) this.byUrl.set(entry.fullUrl, entry);
      const id = textOf(entry.resource['id']);
      if (id === undefined) continue;
      const name = `${entry.type}/${id}`;
      this.byName.set(name, this.byName.has(name) ? 'several' : entry);
    }
  }

  /**
   * The entry that `reference`, which stands in `from`, names. A relative one is read below the address of its own entry; where that has no RESTful
   * address, by type and id, if one resource alone has these.
   */
  find(reference: string, from: Entry): Entry | undefined {
    const plain = unversioned(reference);
    const absolute = this.byUrl.get(this.absolute(plain, from));
    if (absolute !== undefined || !this.isRelative(plain)) return absolute;
    const named = this.byName.get(plain);
    if (named === undefined || named === 'several') return undefined;
    // The same name on another server is another resource.
    const elsewhere = isRestful(from.fullUrl) && isRestful(named.fullUrl);
    return elsewhere ? undefined : named;
  }

  /** The reference as an address of its own where it can be told, else as it stands. */
  absolute(reference: string, { fullUrl }: Entry): string {
    const base = fullUrl === undefined ? undefined : rest.exec(fullUrl)?.[1];
    return this.isRelative(reference) && base !== undefined ? `${base}${reference}` : reference;
  }

  private isRelative(reference: string): boolean {
    const found = rest.exec(reference);
    return found !== null && found[1] === undefined;
  }
}

const isRestful = (address: string | undefined): boolean => address !== undefined && baseOf(address) !== undefined;

/** The type that a RESTful reference names. */
export const typeNamed = (reference: string): string | undefined => rest.exec(unversioned(reference))?.[2];

/** The server's address in front of a RESTful one. */
export const baseOf = (fullUrl: string): string | undefined => rest.exec(fullUrl)?.[1];
