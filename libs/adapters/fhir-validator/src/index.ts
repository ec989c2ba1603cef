export { R4Definitions, type Element } from './r4-definitions.js';
export { R4Validator } from './r4-validator.adapter.js';
export { R4Xml } from './r4-xml.adapter.js';
