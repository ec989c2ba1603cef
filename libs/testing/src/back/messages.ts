import { BatchReader, type FhirResource, type Translation } from '@portolan/formats';

/** The messages of a file that a node wrote. */
export function messagesIn(file: Uint8Array): readonly Uint8Array[] {
  const batch = new BatchReader({ maxMessages: 100, maxBytes: 1_000_000 });
  return [...batch.push(file), ...batch.end()].map((item) => {
    if (item.kind === 'message') return item.bytes;
    throw new Error(`${item.code} at ${item.place}`);
  });
}

/** What stands in several messages is one resource: its id is made of its business identifier. */
export const uniqueResources = (all: readonly Translation[]): readonly FhirResource[] => [
  ...new Map(all.flatMap(({ resources }) => resources.map((one) => [`${one.resourceType}/${one.id}`, one] as const))).values(),
];
