import { homedir } from 'node:os';
import { askSecretly } from './ask-secretly.js';
import { runCli } from './program.js';

// A reader that stops listening (`portolan verify … | head`) changes nothing about the work or how it ends.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  folder: process.cwd(),
  home: homedir(),
  trustFile: process.env['PORTOLAN_TRUST'],
  ...(process.stdin.isTTY ? { ask: askSecretly } : {}),
});
