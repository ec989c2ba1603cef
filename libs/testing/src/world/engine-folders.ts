import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';

/** Where the engines of a world lie below its folder. */
export const engineFolders = (folder: string) =>
  ({
    cluster: (country: CountryCode) => join(folder, 'postgres', country.toLowerCase()),
    broker: (country: CountryCode) => join(folder, 'kafka', country.toLowerCase()),
    fabric: join(folder, 'fabric'),
  }) as const;
