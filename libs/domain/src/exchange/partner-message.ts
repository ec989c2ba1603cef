/** A sealed part is at most 2 MB; the rest is its wire header. */
export const MESSAGE_MAX_BYTES = 3_000_000;

const NAME = /^[A-Za-z0-9._:/-]{1,200}$/;

/** Whether `text` may be a message's id or key. */
export const isMessageName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text);
