import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { failureOf } from './refusal.js';

it.each<[ErrorCode, boolean]>([
  ['link.unreachable', false],
  ['store.unavailable', false],
  ['store.outcome-unknown', false],
  ['exchange.partner-unreachable', false],
  ['exchange.busy', false],
  ['exchange.partner-refused', true],
  ['exchange.partner-unknown', true],
  ['exchange.certificate-refused', true],
  ['exchange.message-too-large', true],
  ['link.failed', true],
  ['link.unknown-message', true],
  ['exchange.transfer-unknown', true],
])('%s is a refusal: %s', (code, refused) => {
  expect(failureOf(new PortolanError(code, 'here'), 'link.failed')).toEqual({ code, refused });
});

it('what is no error of ours counts as the code that the caller says', () => {
  expect(failureOf(new TypeError('x'), 'link.failed')).toEqual({ code: 'link.failed', refused: true });
  expect(failureOf(new TypeError('x'), 'exchange.partner-unreachable')).toEqual({ code: 'exchange.partner-unreachable', refused: false });
});
