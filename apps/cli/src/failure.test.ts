import { PortolanError } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { failureText } from './failure.js';

it('tells a known failure with what to do next', () => {
  expect(failureText(new PortolanError('cli.file-unreadable', 'x.hl7', 'ENOENT'))).toBe(
    'portolan: cli.file-unreadable: A file cannot be read at x.hl7 (ENOENT). Next: Check its name and that you may read it.',
  );
});

it('tells a fault by its kind and place, and never by its message, which may quote a record', () => {
  const text = failureText(new TypeError('cannot read "Mari Näidis 47101010033"'));
  expect(text).toMatch(/^portolan: cli\.failed: .*\(TypeError\)/);
  expect(text).toContain('failure.test.ts');
  expect(text).not.toMatch(/Mari|47101010033/);
  expect(failureText('47101010033')).not.toContain('4710');
});
