// The projects of the house, as the workspaces of package.json name them.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * @typedef {object} Project
 * @property {string} name package name
 * @property {string} folder path from the root, with forward slashes
 * @property {any} manifest its package.json
 * @property {string[]} workspaceDependencies names of the projects it depends on
 */

/** @returns {Project[]} sorted by folder, libraries first */
export function projects(home = root) {
  const folders = readJson(join(home, 'package.json')).workspaces.flatMap((pattern) => expand(home, pattern));
  const found = folders.map((folder) => ({ folder, manifest: readJson(join(home, folder, 'package.json')) }));
  const names = new Set(found.map(({ manifest }) => manifest.name));
  return found
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      folder,
      manifest,
      workspaceDependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) => names.has(name)),
    }))
    .sort((a, b) => rank(a) - rank(b) || (a.folder < b.folder ? -1 : 1));
}

function rank({ folder }) {
  return folder.startsWith('libs/') ? 0 : 1;
}

/** Workspace patterns here are a folder, or a folder and one star. */
function expand(home, pattern) {
  const parent = pattern.replace(/\/\*$/, '');
  const folders = pattern === parent ? [pattern] : readdirSync(join(home, parent)).map((name) => `${parent}/${name}`);
  return folders.filter((folder) => existsSync(join(home, folder, 'package.json')));
}
