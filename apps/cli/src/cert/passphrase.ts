import { createReadStream } from 'node:fs';
import { PortolanError } from '@portolan/contracts';
import { systemCode } from '../files/read-file.js';
import { WrongUsage, type Terminal } from '../terminal.js';
import { readText } from './texts.js';

/** How a passphrase is given: never on the command line, where every process of the machine reads it, nor in the environment. */
export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

const MAX_CHARS = 1_000;

/** The first line of what the options name, else what a person types. Throws WrongUsage where there is neither. */
export async function passphrase(flags: PassphraseFlags, terminal: Terminal, options: { twice: boolean }): Promise<string> {
  if (flags.passphraseFile !== undefined) return firstLine(await readText(flags.passphraseFile, terminal));
  if (flags.passphraseFd !== undefined) return firstLine(await readDescriptor(flags.passphraseFd));
  if (terminal.ask === undefined)
    throw new WrongUsage(
      'nobody is there to type the passphrase: give it by --passphrase-file FILE (- is standard input) or --passphrase-fd N',
    );
  const typed = await terminal.ask('Passphrase: ');
  if (options.twice && (await terminal.ask('Once more: ')) !== typed) throw new WrongUsage('the two passphrases differ');
  return typed;
}

function firstLine(text: string): string {
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '' || line.length > MAX_CHARS)
    throw new WrongUsage(`a passphrase of 1 to ${MAX_CHARS} characters is wanted in the first line`);
  return line;
}

async function readDescriptor(fd: number): Promise<string> {
  let text = '';
  try {
    for await (const piece of createReadStream('', { fd, encoding: 'utf8' })) {
      text += String(piece);
      if (text.includes('\n') || text.length > MAX_CHARS) break;
    }
    return text;
  } catch (error) {
    throw new PortolanError('cli.file-unreadable', `descriptor ${fd}`, systemCode(error));
  }
}
