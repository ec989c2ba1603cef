export { rootName } from './xml-text.js';
export { readXml, type Namespaces } from './xml-tree.js';
