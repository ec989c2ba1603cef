import report from './report.json' with { type: 'json' };

/** LDT's own maps. */
export const ldtMaps: Readonly<Record<string, unknown>> = { 'report.json': report };
