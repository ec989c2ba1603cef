import type { RevocationReason } from '@portolan/domain';
import type { AuthorityName, Revocation } from '@portolan/nest/certificates';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { atOffice, type OfficeFlags } from './home.js';

export interface RevokeFlags extends OfficeFlags {
  readonly reason: RevocationReason;
  readonly json: boolean;
}

export interface RevocationsFlags extends OfficeFlags {
  readonly authority: AuthorityName;
  readonly json: boolean;
}

/** `portolan cert revoke`. */
export async function revoke(id: string, flags: RevokeFlags, terminal: Terminal): Promise<Exit> {
  const done = await atOffice(flags, terminal, (office) => office.revoke(id, flags.reason));
  const report = reportOf(done);
  if (flags.json) terminal.out(JSON.stringify({ ...plain(done), ...report }));
  else for (const line of lines(report)) terminal.out(line);
  return exits.ok;
}

/** `portolan cert revocations`. */
export async function revocations(flags: RevocationsFlags, terminal: Terminal): Promise<Exit> {
  const done = await atOffice(flags, terminal, (office) => office.refreshList(flags.authority));
  if (flags.json) terminal.out(JSON.stringify(done));
  else terminal.out(`list ${done.listNumber}, valid until ${done.nextUpdate}: ${done.listFile}`);
  return exits.ok;
}

interface Report {
  readonly done: readonly string[];
  readonly remains: readonly string[];
}

const lines = ({ done, remains }: Report): string[] => [
  ...done.map((line) => `done     ${line}`),
  ...remains.map((line) => `remains  ${line}`),
];

const plain = ({ revoked, listFile, listNumber, nextUpdate, keys }: Revocation): object => ({
  revoked: revoked.map(({ serial, commonName, kid, notAfter }) => ({ serial, commonName, kid, notAfter })),
  listFile,
  listNumber,
  nextUpdate,
  refusedKeys: keys,
});

/** What was done here, and what only others, or other machines, can do. */
function reportOf(revocation: Revocation): Report {
  const { revoked, before, listFile, listNumber, nextUpdate } = revocation;
  const known = new Set(before);
  const partners = revoked.filter(({ purpose }) => purpose === 'partner');
  const servers = revoked.filter(({ purpose }) => purpose === 'server');
  const door = partners.length === 0 ? { done: [], remains: [] } : doorReport(revocation, partners);
  return {
    done: [
      ...revoked.map((one) => `${known.has(one) ? 'was revoked before' : 'revoked'}: ${one.commonName}, serial ${one.serial}`),
      `list ${listNumber}, valid until ${nextUpdate}: ${listFile}`,
      ...door.done,
    ],
    remains: [
      ...door.remains,
      ...servers.map(
        ({ commonName }) =>
          `here: partners and roles read no list; if ${commonName} is still shown, portolan cert renew ${commonName.split(' ')[0] ?? ''} --now`,
      ),
    ],
  };
}

function doorReport({ atDoor, doorFile, keys }: Revocation, partners: Revocation['revoked']): Report {
  const named = [...new Set(partners.map(({ commonName }) => commonName))];
  const refused = new Set(keys.map(({ org, kid }) => `${org}-${kid}`));
  const whole = named.filter((name) => refused.has(name));
  const single = named.filter((name) => !refused.has(name));
  const by = atDoor
    ? 'within a second at an embedded inbox, five at Kafka (its grants go; an idle connection may stay, without rights)'
    : '';
  return {
    done: atDoor ? whole.map((name) => `our door refuses ${name}: ${by}`) : [],
    remains: [
      ...(atDoor
        ? []
        : [`here: bring ${doorFile} to <home>/exchange/inbox/refused.json on the machine of the exchange; until then the door is open`]),
      ...single.map(
        (name) =>
          `${name} has another certificate that lives: an embedded inbox refuses the revoked one alone, Kafka cannot tell them apart`,
      ),
      ...whole.map(
        (name) =>
          `${name.slice(0, name.indexOf('-'))}: end key ${name.slice(name.indexOf('-') + 1)} on the channel; until then the other countries still let it in`,
      ),
    ],
  };
}
