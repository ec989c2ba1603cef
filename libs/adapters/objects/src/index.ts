export { FileObjects, type FileObjectsConfig } from './file-objects.js';
