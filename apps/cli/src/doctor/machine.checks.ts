import { bad, good, type Finding } from './finding.js';

/** Node 24 from 24.11 on: what database and test tools take. */
export function nodeVersionFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const what = `Node ${version}`;
  return major === 24 && minor >= 11
    ? good('machine', what)
    : bad('machine', what, 'Run the command as npx portolan, which fetches Node 24, or install 24.11 or a later 24');
}
