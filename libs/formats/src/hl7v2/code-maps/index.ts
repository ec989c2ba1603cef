/** HL7 v2's own concept maps. */
export const hl7v2CodeMaps: Readonly<Record<string, unknown>> = {};
