import type { Rule } from './rule.js';

export const rules: Readonly<Record<string, Rule<unknown>>> = {};
