import datatypes from './datatypes.json' with { type: 'json' };

/** HL7 v2's own maps, in the order in which they are laid over each other. */
export const hl7v2Maps: Readonly<Record<string, unknown>> = { 'datatypes.json': datatypes };
