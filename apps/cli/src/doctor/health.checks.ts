import type { HealthCheck } from '@portolan/nest';
import type { OperatorApi } from '../operator/operator-api.js';
import { looked, type Finding } from './finding.js';

/** What a running node finds when it looks at itself: rejects, dead deliveries, stuck transfers, its copy of the ledger. */
export async function healthFindings(country: string, operator: OperatorApi): Promise<readonly Finding[]> {
  const mend = "Look into the edge's log";
  return looked(`${country} health`, mend, async () => {
    const { checks } = await operator.health();
    return checks.map((one): Finding => ({
      check: `${country} health ${one.name}`,
      ok: one.ok,
      what: told(one),
      next: one.ok ? '' : (one.next ?? mend),
    }));
  });
}

function told({ ok, code, facts = {} }: HealthCheck): string {
  const said = Object.entries(facts).flatMap(([name, value]) => factText(name, value));
  return [...(code === undefined ? [] : [code]), ...said].join(', ') || (ok ? 'nothing to report' : 'something is wrong');
}

/** `open 3`; of a list how many, and its rows where there are any; nothing of what is unknown. */
function factText(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [`${name} ${value.length}`, ...value.map((row) => JSON.stringify(row))];
  if (typeof value === 'object') return Object.entries(value).flatMap(([inner, one]) => factText(inner, one));
  return [`${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`];
}
