import limit from './limit.json' with { type: 'json' };
import reportStatus from './report-status.json' with { type: 'json' };
import sex from './sex.json' with { type: 'json' };
import testStatus from './test-status.json' with { type: 'json' };

/** LDT's own concept maps. */
export const ldtCodeMaps: Readonly<Record<string, unknown>> = {
  'limit.json': limit,
  'report-status.json': reportStatus,
  'sex.json': sex,
  'test-status.json': testStatus,
};
