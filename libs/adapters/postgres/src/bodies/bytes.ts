/** A driver's Buffer as the plain bytes that ports speak of, without a copy. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
