import type { TestEdge } from './test-edge.js';

/** Which changes of entries the exchange is told of, as a relay hands it on: message by message, each key in its order. */
export async function heardByExchange(edge: TestEdge): Promise<readonly unknown[]> {
  const bodies: unknown[] = [];
  for (;;) {
    const taken = await edge.uow.run((tx) => tx.outbox.take(200, 60_000));
    if (taken.length === 0) return bodies;
    for (const { id, to, type } of taken) {
      if (type === 'resource.changed') bodies.push(await edge.uow.run((tx) => tx.outbox.body(id, to)));
      await edge.uow.run((tx) => tx.outbox.delivered(id));
    }
  }
}
