/**
 * Fields that belong to the field before them (LDT 3, tables of objects): an indented field there stands after its parent here.
 * Field → fields that may stand below it. All others stand side by side in their object.
 */
export const nestedFields: Readonly<Record<string, readonly string[]>> = {
  '7260': ['7352', '7251', '7365', '7366', '8418'],
  '7306': ['8420', '8236'],
  '7312': ['8167'],
  '7316': ['7317'],
  '7363': ['8419'],
  '7371': ['8419'],
  '8310': ['8313', '8214', '8215'],
  '8410': ['8411', '7263', '7264', '8418', '7302'],
  '8419': ['8421'],
  '8420': ['8419', '8421', '8142', '8225', '8237'],
  '8422': ['8126'],
  '8424': ['8167'],
  '8461': ['8419'],
  '8462': ['8419'],
  '8504': ['8170'],
  '8611': ['8147'],
};
