/** Bytes as TextDecoder reads them in the set that it knows by this label; undefined where they are no text in it. */
export function checkedText(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
