import { describe, expect, it } from 'vitest';
import { runHere } from './test-support/run-here.js';

const commands = ['demo', 'node', 'token', 'acting', 'translate', 'verify', 'replay', 'terms', 'stays', 'cert', 'doctor', 'bench'];

describe('the command line', () => {
  it('lists every command in its help, on standard output', async () => {
    const { exit, out, notes } = await runHere(['--help']);
    expect(exit).toBe(0);
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(notes).toBe('');
  });
  it.each(commands)('explains %s', async (command) => {
    const { exit, out } = await runHere([command, '--help']);
    expect(exit).toBe(0);
    expect(out).toContain(`portolan ${command}`);
  });
  it('says its version', async () => {
    expect(await runHere(['--version'])).toMatchObject({ exit: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });
  it('suggests the command that was meant', async () => {
    expect(await runHere(['verfy', 'x'])).toEqual({ exit: 2, out: '', notes: "error: unknown command 'verfy'\n(Did you mean verify?)" });
  });
});

describe('a wrong command line ends with 2 and says what is wrong', () => {
  it.each([
    ['no command', [], /Usage: portolan/],
    ['an unknown option', ['verify', 'x', '--trsut', 'y'], /unknown option '--trsut'[^]*--trust/],
    ['verify without a receipt', ['verify'], /missing required argument 'receipt'/],
    ['verify of two receipts', ['verify', 'a', 'b'], /too many arguments/],
    ['translate without a file', ['translate'], /missing required argument 'files'/],
    ['a format that nobody reads', ['translate', 'x', '--format', 'fax'], /Allowed choices are auto, hl7v2, cda, kmehr, ldt/],
    ['a node that is not named', ['node'], /--country CC or --config FILE/],
    ['a node named twice', ['node', '--country', 'EE', '--config', 'x'], /cannot be used with/],
    ['a role that there is not', ['node', '--country', 'EE', '--role', 'king'], /Allowed choices are edge, exchange, notary/],
    ['a role of the orderer', ['node', '--orderer', '--role', 'edge'], /cannot be used with/],
    ['a country that is none', ['node', '--country', '../..'], /two letters/],
    ['a stay that is moved without a reason', ['stays', 'move', 'x', '--country', 'EE'], /--reason <text>/],
    ['a token of nobody', ['token'], /--as PERSON@CC/],
    ['a token without a country', ['token', '--as', 'mari'], /NAME@CC/],
    ['a token of two', ['token', '--as', 'mari@EE', '--system', 'EE'], /cannot be used with/],
    ['a statement of nobody', ['acting'], /required option '--as/],
    ['a purpose that there is not', ['acting', '--as', 'doctor-ee@EE', '--purpose', 'FUN'], /Allowed choices are TREAT/],
    ['a replay of a file for no reject', ['replay', '--country', 'EE', '--file', 'x'], /name the reject by its id/],
    ['a discard of nothing', ['replay', '--country', 'EE', '--discard', '--reason', 'x'], /name the reject by its id/],
    ['a discard without a reason', ['replay', 'id', '--country', 'EE', '--discard'], /--reason TEXT/],
    ['a discard with an empty reason', ['replay', 'id', '--country', 'EE', '--discard', '--reason', ' '], /--reason TEXT/],
    ['a list of one', ['replay', 'id', '--country', 'EE', '--list'], /--list takes no id/],
    ['a dead letter that is repaired', ['replay', '7', '--country', 'EE', '--dead-letters', '--file', 'x'], /cannot be used with/],
    [
      'a counterpart without its system',
      ['terms', 'answer', 'X', '--map', 'm', '--equivalence', 'equal', '--to', '2345-7'],
      /--to SYSTEM\|CODE/,
    ],
    ['no counterpart', ['terms', 'answer', 'X', '--map', 'm', '--equivalence', 'equal'], /--to SYSTEM\|CODE/],
    [
      'a counterpart of what has none',
      ['terms', 'answer', 'X', '--map', 'm', '--equivalence', 'unmatched', '--to', 'a|b'],
      /leave out --to/,
    ],
    ['an equivalence that is none', ['terms', 'answer', 'X', '--map', 'm', '--equivalence', 'same'], /Allowed choices/],
    ['a replay at no node', ['replay', '--list'], /--country CC or --config FILE/],
    // A command that loads the whole node takes its time on a busy machine.
  ])('%s', { timeout: 90_000 }, async (_, args, says) => {
    const { exit, out, notes } = await runHere(args);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(notes).toMatch(says);
  });
});

describe('what fails says what to do next, and ends with 1', () => {
  it.each([
    ['node', ['node', '--country', 'EE'], 'cli.config-missing'],
    ['node --config', ['node', '--config', 'none.json'], 'cli.config-missing'],
    ['node --orderer', ['node', '--orderer', '--config', 'none.json'], 'cli.file-unreadable'],
    ['token', ['token', '--as', 'mari@EE'], 'cli.config-missing'],
    ['token --system', ['token', '--system', 'EE'], 'cli.config-missing'],
    ['acting', ['acting', '--as', 'doctor-ee@EE'], 'cli.config-missing'],
    ['replay', ['replay', '--country', 'EE', '--list'], 'cli.config-missing'],
    ['doctor', ['doctor', '--country', 'EE'], 'cli.config-missing'],
  ])('%s without a configuration', async (_, args, code) => {
    const { exit, out, notes } = await runHere(args);
    expect({ exit, out }).toEqual({ exit: 1, out: '' });
    expect(notes).toMatch(new RegExp(`^portolan: ${code}: .*Next: `));
  });
});
