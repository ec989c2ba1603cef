import { connect } from 'node:net';
import type { NodeConfig } from '@portolan/contracts';
import { bad, good, type Finding } from './finding.js';

const PATIENCE_MS = 2_000;

interface Door {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Whether a node of ours answers at the configured address: it refuses a stranger with a problem document. */
export async function isNode({ http }: NodeConfig): Promise<boolean> {
  try {
    const response = await fetch(`http://${http.host}:${http.port}/operator/health`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
    });
    await response.body?.cancel();
    return (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
  } catch {
    return false;
  }
}

/**
 * Where the node runs, each door of it answers; where it does not, each port is free for it. Roles apart are up one by one, so each of
 * their doors has to answer.
 */
export async function portFindings(config: NodeConfig, runs: boolean): Promise<readonly Finding[]> {
  const { country, transport } = config;
  const wanted = runs || transport.kind === 'tcp';
  const doors = doorsOf(config);
  const answers = await Promise.all(doors.map(answersAt));
  const wrong = doors.filter((_, i) => answers[i] !== wanted).map((door) => wrongDoor(country, door, wanted));
  const all = wrong.length === 0 ? [good(`${country} ports`, `${doors.length} ${wanted ? 'answer' : 'free'}`)] : wrong;
  return [runs ? good(`${country} node`, 'runs') : notRunning(config), ...all];
}

function wrongDoor(country: string, { name, host, port }: Door, wanted: boolean): Finding {
  const check = `${country} port ${name}`;
  return wanted
    ? bad(check, `nothing answers at ${host}:${port}`, 'Start the role that listens there, or look for its failure in the log')
    : bad(check, `another program holds ${host}:${port}`, 'End that program, or configure another port');
}

function notRunning({ country, transport }: NodeConfig): Finding {
  return transport.kind === 'tcp'
    ? bad(`${country} node`, 'its edge does not run', `portolan node --country ${country} --role edge`)
    : bad(`${country} node`, 'does not run', `portolan node --country ${country}, or portolan demo`);
}

/** The node's own doors; brokers and peers are looked at by themselves. */
function doorsOf({ http, mllp, inbox, demoOpenid, transport }: NodeConfig): Door[] {
  const inner =
    transport.kind === 'tcp'
      ? (['edge', 'exchange', 'notary'] as const).map((name) => ({ name, host: transport.host, port: transport[name] }))
      : [];
  const openid = demoOpenid === undefined ? [] : [{ name: 'openid', ...demoOpenid.door }];
  const own = 'kind' in inbox ? [] : [{ name: 'inbox', ...inbox }];
  const doors = [{ name: 'http', ...http }, { name: 'mllp', ...mllp }, ...own, ...openid, ...inner];
  // Port 0 takes any free one: nothing can be said of it from outside.
  return doors.filter(({ port }) => port !== 0);
}

function answersAt({ host, port }: Door): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
}
