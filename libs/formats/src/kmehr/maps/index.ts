import datatypes from './datatypes.json' with { type: 'json' };
import header from './header.json' with { type: 'json' };
import items from './items.json' with { type: 'json' };

/** KMEHR's own maps, in the order in which they are laid over each other. */
export const kmehrMaps: Readonly<Record<string, unknown>> = {
  'datatypes.json': datatypes,
  'header.json': header,
  'items.json': items,
};
