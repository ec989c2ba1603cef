import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBench } from './bench/bench.command.js';
import { addCert } from './cert/cert.command.js';
import { addDemo } from './demo/demo.command.js';
import { addDoctor } from './doctor/doctor.command.js';
import { addFaults } from './faults/faults.command.js';
import { addNode } from './node/node.command.js';
import { addJoin } from './join/join.command.js';
import { addReplay } from './replay/replay.command.js';
import { addStack } from './stack/stack.command.js';
import { addStays } from './stays/stays.command.js';
import { addTerms } from './terms/terms.command.js';
import { addActing, addToken } from './token/token.command.js';
import { exits, WrongUsage, type Exit, type Run, type Terminal } from './terminal.js';
import { addTranslate } from './translate/translate.command.js';
import { addVerify } from './verify/verify.command.js';

/** Runs one command line, without the program's name. Never throws: what went wrong stands on standard error. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<Exit> {
  let exit: Exit = exits.ok;
  const run: Run = async (work) => {
    exit = await work(terminal);
  };
  try {
    await portolan(terminal, run).parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    return tell(error, terminal);
  }
}

/** The command tree. Each command's file holds its words and options alone; its work is loaded when it is called. */
function portolan(terminal: Terminal, run: Run): Command {
  const program = new Command('portolan')
    .description("Lets a person's health record cross a border lawfully, and lets anyone entitled prove afterwards what crossed.")
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.note(text.trimEnd()) })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed (standard error says what to do next), 2 wrong command line.');
  for (const add of [
    addDemo,
    addNode,
    addToken,
    addActing,
    addTranslate,
    addVerify,
    addReplay,
    addTerms,
    addStays,
    addCert,
    addDoctor,
    addStack,
    addJoin,
    addBench,
    addFaults,
  ])
    add(program, run);
  return program;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

async function tell(error: unknown, terminal: Terminal): Promise<Exit> {
  // Help and version end the parsing with exit code 0; everything else that commander says is about the command line.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok : exits.usage;
  if (error instanceof WrongUsage) {
    terminal.note(`error: ${error.message}`);
    return exits.usage;
  }
  const { failureText } = await import('./failure.js');
  terminal.note(failureText(error));
  return exits.failed;
}
