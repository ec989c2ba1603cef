/**
 * Whether a text can be a LOINC code: number, hyphen, and the check digit of its last place (Mod 10, LOINC Users' Guide, appendix
 * "LOINC check digit"). Codes of parts, answers and lists (`LP…`, `LA…`, `LL…`, `LG…`) have letters before the number, and the same digit at
 * their end is not checked.
 */
export function isLoincCode(text: string): boolean {
  const [, letters, number = '', check = ''] = /^(L[AGLP])?(\d{1,7})-(\d)$/.exec(text) ?? [];
  if (number === '') return false;
  return letters !== undefined || mod10(number) === Number(check);
}

/** Every second digit from the right counts double; the digits of all products, and what their sum lacks to the next ten. */
function mod10(digits: string): number {
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, digit, i) => {
      const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return (10 - (sum % 10)) % 10;
}

/** Multiplication of the dihedral group of order ten, row by row, and the permutation that Verhoeff's scheme applies once a place. */
const product = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const permuted = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258'];

/**
 * Whether a text can be a SNOMED CT identifier of a concept: 6 to 18 digits without a leading zero, the partition of concepts (`00`, or `10`
 * in an extension), and Verhoeff's check digit (SNOMED CT Release File Specifications, "SCTID Representation"). An expression of the
 * compositional grammar is one where each of its concepts is; terms and literals in it are not looked at.
 */
export function isSnomedCode(text: string): boolean {
  if (/^\d+$/.test(text)) return isConcept(text);
  const bare = text.replace(/\|[^|]*\||"[^"]*"|#-?[\d.]+/g, ' ');
  const concepts = bare.match(/\d+/g) ?? [];
  return concepts.length > 0 && /^[\d\s:+,={}()<]*$/.test(bare) && concepts.every(isConcept);
}

const isConcept = (text: string): boolean => /^[1-9]\d{2,14}[01]0\d$/.test(text) && verhoeff(text) === 0;

function verhoeff(digits: string): number {
  return Array.from(digits)
    .reverse()
    .reduce((check, digit, i) => Number(product[check]?.[Number(permuted[i % 8]?.[Number(digit)])] ?? 0), 0);
}
