export {
  BackDocuments,
  BackMaps,
  type BackAccount,
  type BackDocument,
  type BackDocumentInput,
  type BackInput,
  type BackMessage,
  type BackOriginal,
  type BackTranslation,
  resourcesIn,
} from './back/index.js';
export { ianaName } from './bytes/charset.js';
export { bundleOf } from './bundle.js';
export { answeredPack, countryPack, mistakePlace, type CountryPack } from './country-pack.js';
export * from './engine/index.js';
export { readExtract } from './csv/index.js';
export { detectFormat, formats } from './formats.js';
export * from './hl7v2/index.js';
export type { PersonTraits } from './person-traits.js';
export { CodeSystem, type Concept, type Designation } from './terminology/code-system.js';
export { brokenLine } from './engine/mistake-line.js';
export { Displays, type Wording } from './terminology/displays.js';
export {
  publishers,
  readRelease,
  type Publisher,
  type Release,
  type ReleaseFile,
  type ReleaseOptions,
} from './terminology/releases/index.js';
export { identifierKey } from './identifier-key.js';
export { type MovedStay } from './moved-stays.js';
export { DEFAULT_MAX_BYTES, translate, type Translation, type TranslationInput } from './translate.js';
export type { FormatName } from '@portolan/contracts';
