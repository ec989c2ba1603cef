import { homedir } from 'node:os';
import { runCli } from './program.js';

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  folder: process.cwd(),
  home: homedir(),
  trustFile: process.env['PORTOLAN_TRUST'],
});
