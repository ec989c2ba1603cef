import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { NodeConfig, NodeEmbeddedLedger } from '@portolan/contracts';
import { CountryFolders, FileKeyVault, findPartnerIdentity, SystemClock } from '@portolan/nest';
import { clockFinding } from './clock.js';
import { bad, good, looked, type Finding } from './finding.js';

const PATIENCE_MS = 5_000;

/** The orderer lets our notary in, and our clock agrees with its own. */
export async function ordererFindings(config: NodeConfig): Promise<readonly Finding[]> {
  const { ledger } = config;
  return ledger.kind === 'embedded' ? embeddedFindings(config, ledger) : [];
}

async function embeddedFindings({ country, home }: NodeConfig, { orderer }: NodeEmbeddedLedger): Promise<readonly Finding[]> {
  const check = `${country} orderer`;
  const { host, port } = orderer;
  return looked(
    check,
    `Start the orderer at ${host}:${port} (portolan node --orderer, or portolan demo), or correct its address`,
    async () => {
      const folders = new CountryFolders(home);
      const identity = await findPartnerIdentity(
        folders.orderer,
        new FileKeyVault({ folder: folders.keys('notary'), clock: new SystemClock() }),
      );
      if (identity === undefined)
        return bad(
          check,
          'not asked: it issued no certificate for us',
          "Get a certificate for the notary's TLS key from the orderer's organisation",
        );
      const before = Date.now();
      const answer = await ask(orderer, { key: identity.privateKeyPem, cert: identity.certificatePem, ca: identity.authorityPem });
      const found =
        answer.status === 200
          ? good(check, `answers at ${host}:${port}`)
          : bad(check, `refuses us (HTTP ${answer.status})`, 'Look into its log');
      return [found, clockFinding(`${country} clock`, answer.date, before, Date.now())];
    },
  );
}

function ask(
  door: { host: string; port: number },
  tls: { key: string; cert: string; ca: string },
): Promise<{ status: number; date: string | undefined }> {
  const sent = request({
    ...door,
    ...tls,
    minVersion: 'TLSv1.3',
    path: '/blocks?from=0&wait=0',
    agent: false,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  sent.end();
  return once(sent, 'response').then(([response]) => {
    const { statusCode: status = 0, headers } = response as IncomingMessage;
    (response as IncomingMessage).destroy();
    return { status, date: headers.date };
  });
}
