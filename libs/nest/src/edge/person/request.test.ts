import fc from 'fast-check';
import { Validators } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { bodyOf, feedPlace, idOf } from './request.js';

const validators = new Validators();

describe('a body', () => {
  it('is read from a parsed value, a text or bytes alike, and is empty where none came', () => {
    const body = { reason: 'Because' };
    for (const given of [body, JSON.stringify(body), new TextEncoder().encode(JSON.stringify(body))])
      expect(bodyOf(validators, 'reason-body', given)).toEqual(body);
    expect(() => bodyOf(validators, 'reason-body', undefined)).toThrow(/person\.body-invalid.*reason/);
  });

  it('that does not fit never has its values quoted', () => {
    expect(() => bodyOf(validators, 'reason-body', { reason: 'x', diagnosis: 'secret' })).toThrow(/^(?!.*secret)/);
    expect(() => bodyOf(validators, 'reason-body', '['.repeat(100))).toThrow(/nested deeper/);
    expect(() => bodyOf(validators, 'reason-body', `{"reason":"${'x'.repeat(70_000)}"}`)).toThrow(/longer than/);
  });

  it('of any shape is fitted or refused with its code', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          bodyOf(validators, 'consent-body', value);
        } catch (error) {
          expect(error).toMatchObject({ code: 'person.body-invalid' });
        }
      }),
    );
  });
});

describe('a place in the feed', () => {
  it('begins at nothing and goes on from a number', () => {
    expect(feedPlace(undefined, undefined)).toEqual({ after: '0', limit: 50 });
    expect(feedPlace('17', '500')).toEqual({ after: '17', limit: 500 });
  });

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d{0,18}$/.test(text));
        expect(() => feedPlace(text, undefined)).toThrow(/person\.place-invalid/);
      }),
    );
    for (const limit of ['0', '501', '-1', '5.5', '', ['5'], 'ten']) expect(() => feedPlace('1', limit)).toThrow(/limit/);
  });
});

it('an id is a UUID or unknown', () => {
  expect(idOf('2f1c6f3e-6a2b-4c4b-9d5e-0a1b2c3d4e5f', 'person.consent-unknown')).toBe('2f1c6f3e-6a2b-4c4b-9d5e-0a1b2c3d4e5f');
  expect(() => idOf("' OR 1=1", 'person.consent-unknown')).toThrow(/person\.consent-unknown/);
});
