/** The three processes of a country's node, and whom a message inside the node can come from. */
export const roles = ['edge', 'exchange', 'notary'] as const;
export type Role = (typeof roles)[number];
