import { readFile } from 'node:fs/promises';
import { inject } from 'vitest';
import { keepBundle } from '../hl7-validator/kept-bundles.js';
import { CountryClient, type Answer } from '../client/country-client.js';
import { readWorld, type ProvisionedWorld } from '../world/provision-world.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Booted by tools/scenario-world.mjs, once for all scenario files. */
    world: { readonly folder: string; readonly roles: 'together' | 'apart'; readonly log: string };
  }
}

/** The world that this run's scenarios share, seen from outside. */
export interface SharedWorld {
  readonly provisioned: ProvisionedWorld;
  readonly roles: 'together' | 'apart';
  at(country: string): CountryClient;
  /** Every log line that any node has written so far. */
  logs(): Promise<string>;
}

export async function sharedWorld(): Promise<SharedWorld> {
  const { folder, roles, log } = inject('world');
  const provisioned = await readWorld(folder);
  const keep = (answer: Answer): Promise<void> => keepBundle(folder, answer);
  const clients = new Map([...provisioned.countries].map(([code, country]) => [code, new CountryClient(country, keep)]));
  return {
    provisioned,
    roles,
    at(country) {
      const client = clients.get(country);
      if (client === undefined) throw new Error(`no ${country} in this world`);
      return client;
    },
    logs: () => readFile(log, 'utf8'),
  };
}
