import { connect, type TLSSocket } from 'node:tls';
import type { Door, NodeConfig } from '@portolan/contracts';
import { CountryFolders, FileKeyVault, findPartnerIdentity, findTlsIdentity, SystemClock } from '@portolan/nest';
import { bad, good, looked, type Finding } from './finding.js';

const PATIENCE_MS = 3_000;
/** In TLS 1.3 a server says after the client's last word that it refuses her certificate: so long is waited for it. */
const REFUSAL_MS = 300;

/** What a way leads to: a door of ours or of a partner's, and whose certificate opens it. */
interface Way {
  readonly check: string;
  readonly doors: readonly Door[];
  readonly identity: () => Promise<Identity | undefined>;
  readonly mend: string;
}

interface Identity {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
}

/** Our own brokers and each partner's inbox can be reached, are whom we take them for, and let our certificate in. */
export async function wayFindings({ country, home, inbox, partners }: NodeConfig): Promise<readonly Finding[]> {
  const folders = new CountryFolders(home);
  const vault = new FileKeyVault({ folder: folders.keys('exchange'), clock: new SystemClock() });
  const own: Way[] =
    'kind' in inbox
      ? [
          {
            check: `${country} broker`,
            doors: inbox.brokers,
            identity: () => findTlsIdentity(folders.internal('exchange')),
            mend: 'Start the broker, or correct its address; its log says what it refused',
          },
        ]
      : [];
  const theirs = partners.map(({ country: at, inbox: door }): Way => ({
    check: `${country} inbox at ${at}`,
    doors: 'kind' in door ? door.brokers : [door],
    identity: () => findPartnerIdentity(folders.partner(at), vault),
    mend: `Ask ${at} whether its inbox runs and whether our key stands registered there; what we send waits and is sent again`,
  }));
  const found = [...own, ...theirs].flatMap((way) => way.doors.map((door) => wayFinding(way, door)));
  return (await Promise.all(found)).flat();
}

function wayFinding({ check, identity, mend }: Way, door: Door): Promise<readonly Finding[]> {
  return looked(check, mend, async () => {
    const found = await identity();
    if (found === undefined)
      return bad(check, 'not asked: it issued no certificate for us', 'Get a certificate for our registered TLS key');
    const refused = await refusalAt(door, found);
    const where = `${door.host}:${door.port}`;
    return refused === undefined ? good(check, `lets us in at ${where}`) : bad(check, `${where}: ${refused}`, mend);
  });
}

/** Why a door does not let us in: the system's or TLS's own code; undefined where it does. */
function refusalAt({ host, port }: Door, { privateKeyPem, certificatePem, authorityPem }: Identity): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      ...{ host, port, key: privateKeyPem, cert: certificatePem, ca: authorityPem, minVersion: 'TLSv1.3' },
    });
    const end = (answer: string | undefined): void => {
      clearTimeout(patience);
      socket.destroy();
      resolve(answer);
    };
    const patience = setTimeout(() => end('no answer in time'), PATIENCE_MS);
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.name));
    socket.on('end', () => end('closed at once'));
    socket.on('secureConnect', () => setTimeout(() => end(undefined), REFUSAL_MS));
  });
}
