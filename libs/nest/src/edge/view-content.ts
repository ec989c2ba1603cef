import { fromFhirJson, isFhirObject, toFhirJson, type FhirObject, type FhirValue, type ViewResource } from '@portolan/domain';

/**
 * The resources of a record that came from abroad, as a FHIR client of ours reads them: the Bundle itself, and each entry under the id
 * of its `urn:uuid:` full URL, with references turned into `Type/id`. The person is our own handle of her, the id under which the
 * client asked; digits of decimals stay.
 */
export function viewResources(record: string, viewId: string, patientHandle: string): ViewResource[] {
  const bundle = fromFhirJson(record);
  if (!isFhirObject(bundle)) return [];
  const entries = Array.isArray(bundle['entry']) ? bundle['entry'].filter(isFhirObject) : [];
  const places = new Map(entries.flatMap((entry) => placeOf(entry, patientHandle)));
  const shown = entries.flatMap((entry): ViewResource[] => {
    const resource = entry['resource'];
    const place = typeof entry['fullUrl'] === 'string' ? places.get(entry['fullUrl']) : undefined;
    if (!isFhirObject(resource) || place === undefined) return [];
    const [type = '', id = ''] = place.split('/');
    const local = relinked({ ...resource, id }, places) as FhirObject;
    return [{ type, id, text: toFhirJson(local) }];
  });
  return [...shown, { type: 'Bundle', id: viewId, text: toFhirJson({ ...bundle, id: viewId }) }];
}

function placeOf(entry: FhirObject, patientHandle: string): [string, string][] {
  const { fullUrl, resource } = entry as { fullUrl?: FhirValue; resource?: FhirValue };
  if (typeof fullUrl !== 'string' || !isFhirObject(resource) || typeof resource['resourceType'] !== 'string') return [];
  const type = resource['resourceType'];
  return [[fullUrl, `${type}/${type === 'Patient' ? patientHandle : fullUrl.replace(/^urn:uuid:/, '')}`]];
}

function relinked(value: FhirValue, places: ReadonlyMap<string, string>): FhirValue {
  if (Array.isArray(value)) return value.map((one: FhirValue) => relinked(one, places));
  if (!isFhirObject(value)) return value;
  const members = Object.entries(value).map(([key, one]): [string, FhirValue] => {
    if (key === 'reference' && typeof one === 'string') return [key, places.get(one) ?? one];
    return [key, relinked(one, places)];
  });
  return Object.fromEntries<FhirValue>(members);
}

/** FHIR Provenance of a view: where it came from, on which permit, for whom (provenance of every view, design section 4, step 9). */
export function viewProvenance(
  view: { id: string; custodian: string; permitId: string; transferId: string },
  targets: readonly ViewResource[],
  recorded: string,
): ViewResource {
  const text = toFhirJson({
    resourceType: 'Provenance',
    id: view.transferId,
    target: targets.filter(({ type }) => type !== 'Bundle').map(({ type, id }) => ({ reference: `${type}/${id}` })),
    recorded,
    policy: [`urn:uuid:${view.permitId}`],
    activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'DISCLOSE' }] },
    agent: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian' }] },
        who: { identifier: { system: 'urn:portolan:node', value: view.custodian }, display: `Portolan node ${view.custodian}` },
      },
    ],
    entity: [{ role: 'source', what: { identifier: { system: 'urn:portolan:transfer', value: view.transferId } } }],
  });
  return { type: 'Provenance', id: view.transferId, text };
}
