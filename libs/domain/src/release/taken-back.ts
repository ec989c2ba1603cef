import { child, objects, type Resource } from './resource.js';

/** Whether its source marked it as entered in error: it was never so. */
export const isTakenBack = (resource: Resource): boolean =>
  resource['status'] === 'entered-in-error' ||
  resource['lifecycleStatus'] === 'entered-in-error' ||
  objects(child(resource['verificationStatus'], 'coding')).some((coding) => coding['code'] === 'entered-in-error');
