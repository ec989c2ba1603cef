export * from './world/demo-people.js';
export { keepJson } from './world/files.js';
export type { WorldProcess } from './world/processes.js';
export { REGULATOR, type ProvisionedCountry, type ProvisionedWorld } from './world/provision-world.js';
export { repository, World, type WorldOptions } from './world/world.js';
