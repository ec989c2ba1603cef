import { beforeEach, describe, expect, it } from 'vitest';
import type { AdapterFactory } from 'oidc-provider';
import { memoryStore } from './memory-store.js';

let at: number;
let store: AdapterFactory;
beforeEach(() => {
  at = 1_000_000;
  store = memoryStore(() => at);
});

describe('what is kept', () => {
  it('is found until its time is over', async () => {
    await store('Session').upsert('a', { uid: 'u' }, 10);
    at += 9_999;
    expect(await store('Session').find('a')).toEqual({ uid: 'u' });
    expect(await store('Session').findByUid('u')).toEqual({ uid: 'u' });
    at += 1;
    expect(await store('Session').find('a')).toBeUndefined();
    expect(await store('Session').findByUid('u')).toBeUndefined();
  });

  it('stands on its own shelf', async () => {
    await store('Session').upsert('a', { uid: 'u' }, 10);
    expect(await store('Interaction').find('a')).toBeUndefined();
  });

  it('is used once: a consumed code says so', async () => {
    await store('AuthorizationCode').upsert('c', { grantId: 'g' }, 60);
    await store('AuthorizationCode').consume('c');
    expect(await store('AuthorizationCode').find('c')).toEqual({ grantId: 'g', consumed: 1_000 });
    await store('AuthorizationCode').consume('unknown');
    expect(await store('AuthorizationCode').find('unknown')).toBeUndefined();
  });

  it('goes with its grant, on every shelf', async () => {
    await store('AuthorizationCode').upsert('c', { grantId: 'g' }, 60);
    await store('AccessToken').upsert('t', { grantId: 'g' }, 60);
    await store('AccessToken').upsert('other', { grantId: 'h' }, 60);
    await store('AccessToken').revokeByGrantId('g');
    expect(await store('AuthorizationCode').find('c')).toBeUndefined();
    expect(await store('AccessToken').find('t')).toBeUndefined();
    expect(await store('AccessToken').find('other')).toBeDefined();
  });

  it('is replaced and destroyed', async () => {
    await store('Session').upsert('a', { uid: 'u' }, 10);
    await store('Session').upsert('a', { uid: 'v' }, 10);
    expect(await store('Session').findByUid('u')).toBeUndefined();
    await store('Session').destroy('a');
    expect(await store('Session').find('a')).toBeUndefined();
  });
});

describe('a flood', () => {
  it('pushes out the oldest', async () => {
    for (let i = 0; i < 5_001; i += 1) await store('Interaction').upsert(`i${i}`, {}, 600);
    expect(await store('Interaction').find('i0')).toBeUndefined();
    expect(await store('Interaction').find('i1')).toBeDefined();
    expect(await store('Interaction').find('i5000')).toBeDefined();
  });

  it('of used assertions is refused rather than forgotten, until their time is over', async () => {
    for (let i = 0; i < 5_000; i += 1) await store('ReplayDetection').upsert(`r${i}`, {}, 300);
    await expect(store('ReplayDetection').upsert('one more', {}, 300)).rejects.toMatchObject({ error: 'temporarily_unavailable' });
    await expect(store('ReplayDetection').upsert('r0', {}, 300)).rejects.toMatchObject({ error: 'invalid_client' });
    at += 300_000;
    await store('ReplayDetection').upsert('one more', {}, 300);
    expect(await store('ReplayDetection').find('one more')).toBeDefined();
  });
});
