import { anchorBatch } from './batch/anchor-batch.js';
import { declareEmergency, endEmergency, reviewEmergency } from './emergency/emergencies.js';
import { putHead } from './head/put-head.js';
import { endPermit, putConsent, putPermit, putPermits } from './permit/permits.js';
import { endKey, putKey } from './registry/keys.js';
import { endParticipant, putParticipant, putPolicy } from './registry/participants.js';
import type { Rule } from './rule.js';
import { endSuspension, openMisuseCase, suspend } from './suspension/suspensions.js';

/** Every act of the channel by its name. The first seven are registry acts: the governance identity alone signs them. */
export const rules: Readonly<Record<string, Rule<unknown>>> = Object.fromEntries(
  (
    [
      putParticipant,
      endParticipant,
      putKey,
      endKey,
      putPolicy,
      suspend,
      endSuspension,
      putConsent,
      putPermit,
      putPermits,
      endPermit,
      declareEmergency,
      endEmergency,
      reviewEmergency,
      openMisuseCase,
      anchorBatch,
      putHead,
    ] as Rule<unknown>[]
  ).map((rule) => [rule.name, rule]),
);
