// The light door: what acts as a person or a hospital of a demonstration from outside, and loads nothing of the nodes.
export { demoClinicians } from '../world/demo-people.js';
export { systemKey } from '../world/hospital-keys.js';
export { CountryClient } from './country-client.js';
export { demoLogin } from './demo-login.js';
