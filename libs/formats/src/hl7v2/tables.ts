import type { ClosedSystems } from '../engine/index.js';
import tables from './tables.json' with { type: 'json' };

/** The tables of HL7 v2 whose codes FHIR R4 lists in full. */
export const hl7v2Tables: ClosedSystems = new Map(
  Object.entries(tables.tables).map(([number, codes]) => [
    `http://terminology.hl7.org/CodeSystem/v2-${number}`,
    new Set(codes.split('\n')),
  ]),
);
