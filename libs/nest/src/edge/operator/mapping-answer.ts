import { PortolanError } from '@portolan/contracts';
import type { MappingAnswer } from '@portolan/domain';
import { answeredPack, canBeCode, type CountryPack } from '@portolan/formats';
import { conceptMapsOf } from '../ingest/index.js';

const MAX_CHARS = 500;
const WITHOUT_CODE: ReadonlySet<unknown> = new Set(['unmatched', 'disjoint']);

/**
 * The answer in a body: `{map, system?, code, target: {system, code, display?, equivalence, comment?}}`; of `unmatched` and `disjoint` the
 * equivalence alone. Throws `operator.mapping-invalid` for what a ConceptMap could not say, or what cannot be a code of its system.
 */
export function answerOf(body: unknown, pack: CountryPack): MappingAnswer {
  const { map, system, code, target } = membersOf(body, 'body');
  const answer: MappingAnswer = {
    map: textOf(map, 'map'),
    ...(system !== undefined && { system: textOf(system, 'system') }),
    code: textOf(code, 'code'),
    target: targetOf(membersOf(target, 'target')),
  };
  try {
    answeredPack(pack, conceptMapsOf([answer]));
  } catch (error) {
    throw new PortolanError('operator.mapping-invalid', 'target', undefined, { cause: error });
  }
  return answer;
}

function targetOf({ system, code, display, equivalence, comment }: Readonly<Record<string, unknown>>): MappingAnswer['target'] {
  const said = { equivalence: textOf(equivalence, 'target.equivalence'), ...optional({ comment }) };
  if (WITHOUT_CODE.has(equivalence)) return said;
  const coding = { system: textOf(system, 'target.system'), code: textOf(code, 'target.code') };
  if (!canBeCode(coding.system, coding.code)) throw new PortolanError('operator.mapping-invalid', 'target.code');
  return { ...coding, ...said, ...optional({ display }) };
}

function optional<Name extends string>(members: Readonly<Record<Name, unknown>>): Partial<Record<Name, string>> {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, textOf(value, `target.${name}`)])) as Partial<Record<Name, string>>;
}

function membersOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PortolanError('operator.mapping-invalid', where);
  return value as Record<string, unknown>;
}

function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_CHARS)
    throw new PortolanError('operator.mapping-invalid', where);
  return value;
}
