import { isFhirObject, type FhirObject, type FhirValue } from '../engine/index.js';
import { demandAllowed } from '../engine/allowed-codes.js';
import type { BuildJob } from '../engine/build.js';
import { demandKnown } from '../engine/known-codes.js';
import { mapCodings } from '../engine/codings.js';
import type { CompiledElement, CompiledResource } from '../engine/compile.js';
import { joinPath, type Mark } from '../engine/marks.js';

/** A resource as it is built: its elements, and where each came from. */
export interface Drawn {
  readonly resource: FhirObject;
  readonly marks: readonly Mark[];
}

/** Looks up the codes of each element that the rule binds to concept maps; the counterpart stands beside the original code. */
export function bound(drawn: Drawn, { elements }: CompiledResource, job: BuildJob): Drawn {
  const { resource } = drawn;
  let { marks } = drawn;
  for (const element of elements) {
    for (const place of placesOf(resource, element)) {
      const { holder, name, path } = place;
      const inside = marks.filter((mark) => isWithin(mark.path, path));
      const relative = inside.map((mark) => ({ ...mark, path: mark.path.slice(path.length).replace(/^\./, '') }));
      const value = holder[name];
      if (!isFhirObject(value)) continue;
      const mapped = mapCodings({ value, marks: relative }, element, job);
      demandKnown(mapped, element, job);
      if (element.allowed !== undefined) demandAllowed(mapped, element, element.allowed, job);
      holder[name] = mapped.value;
      marks = [
        ...marks.filter((mark) => !isWithin(mark.path, path)),
        ...mapped.marks.map((mark) => ({ ...mark, path: joinPath(path, mark.path) })),
      ];
    }
  }
  return { resource, marks };
}

interface Place {
  readonly holder: FhirObject;
  readonly name: string;
  readonly path: string;
}

/** Every place that the rule's target names: an element that repeats at each of its places. */
function placesOf(resource: FhirObject, { to }: CompiledElement): Place[] {
  const last = to.at(-1);
  if (last === undefined) return [];
  let holders: { readonly holder: FhirObject; readonly path: string }[] = [{ holder: resource, path: '' }];
  for (const { name } of to.slice(0, -1))
    holders = holders.flatMap(({ holder, path }) =>
      objectsAt(holder[name], joinPath(path, name)).map(([at, one]) => ({ holder: one, path: at })),
    );
  return holders.flatMap(({ holder, path }) => placesIn(holder, last.name, joinPath(path, last.name)));
}

function placesIn(holder: FhirObject, name: string, path: string): Place[] {
  const value = holder[name];
  if (!Array.isArray(value)) return isFhirObject(value) ? [{ holder, name, path }] : [];
  const list = value as unknown as FhirObject;
  return value.flatMap((one, i) => (isFhirObject(one) ? [{ holder: list, name: String(i), path: `${path}[${i}]` }] : []));
}

function objectsAt(value: FhirValue | undefined, path: string): [string, FhirObject][] {
  if (Array.isArray(value)) return value.flatMap((one, i): [string, FhirObject][] => (isFhirObject(one) ? [[`${path}[${i}]`, one]] : []));
  return isFhirObject(value) ? [[path, value]] : [];
}

const isWithin = (path: string, outer: string): boolean =>
  path === outer || (path.startsWith(outer) && ['.', '['].includes(path.charAt(outer.length)));
