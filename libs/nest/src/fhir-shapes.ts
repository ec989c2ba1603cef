import { R4Definitions, type Element } from '@portolan/fhir-validator';
import type { FhirElement, FhirShapes } from '@portolan/formats';

/** What R4 has, by HL7's definitions; these are read when they are first asked. */
export function fhirShapes(): FhirShapes {
  const definitions = new R4Definitions();
  return {
    isResource: (type) => definitions.isResource(type),
    element: (shape, name) => elementOf(definitions, shape, name),
  };
}

/** `_birthDate` is what stands beside a primitive: its extensions. */
function elementOf(definitions: R4Definitions, shape: string, name: string): FhirElement | undefined {
  const plain = name.replace(/^_/, '');
  if (plain === 'resourceType') return undefined;
  const { elements, forms } = definitions.shape(shape);
  const form = forms.get(plain);
  const element = elements.find((one) => one.forms.some((other) => other.name === plain));
  if (form === undefined || element === undefined || (plain !== name && !form.primitive)) return undefined;
  if (plain !== name) return { repeats: element.max > 1, shape: 'Element', primitive: false, codes: undefined };
  const codes = form.type === 'code' ? codesOf(definitions, element) : undefined;
  return { repeats: element.max > 1, shape: form.shape, primitive: form.primitive, codes };
}

function codesOf(definitions: R4Definitions, { valueSet }: Element): ReadonlySet<string> | undefined {
  const systems = valueSet === undefined ? undefined : definitions.valueSet(valueSet);
  return systems === undefined ? undefined : new Set(Object.values(systems).flat());
}
