import { checkedText } from './checked-text.js';

/** Half-width katakana: 0xA1 to 0xDF of JIS X 0201, in the order of Unicode from U+FF61. */
const KATAKANA = 0xff61 - 0xa1;

/** JIS X 0201 above ASCII; undefined where a byte is none of it. */
export function decodeKatakana(bytes: Uint8Array): string | undefined {
  if (bytes.some((byte) => byte >= 0x80 && (byte < 0xa1 || byte > 0xdf))) return undefined;
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : byte + KATAKANA)).join('');
}

/** JIS X 0201 (ISO IR14): ASCII but for two signs, and katakana. */
export const decodeJis201 = (bytes: Uint8Array): string | undefined =>
  decodeKatakana(bytes)?.replace(/[\\~]/g, (sign) => (sign === '~' ? '‾' : '¥'));

/** The byte that announces a sign of JIS X 0212 in EUC-JP. */
const SINGLE_SHIFT = 0x8f;

/** Signs of two bytes of seven bits, with blanks and line ends between them: the same that EUC-JP writes with the eighth. */
export function decodeJisPairs(bytes: Uint8Array, set: 'JIS X 0208' | 'JIS X 0212'): string | undefined {
  const euc: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    if (first <= 0x20) euc.push(first);
    else {
      if (first > 0x7e || second <= 0x20 || second > 0x7e) return undefined;
      if (set === 'JIS X 0212') euc.push(SINGLE_SHIFT);
      euc.push(first | 0x80, second | 0x80);
      at += 1;
    }
  }
  return checkedText('euc-jp', Uint8Array.from(euc));
}
