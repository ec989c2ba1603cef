import { describe, expect, it } from 'vitest';
import { brokenLine, mistakeLine } from './mistake-line.js';

const map = `{
  "map": "ee/own",
  "types": {
    "Name": [
      { "to": "family" }
    ]
  },
  "resources": [
    {
      "id": "patient",
      "elements": [
        { "id": "own", "to": "gender" },
        {
          "to": "name[]",
          "elements": [{ "to": "use" },
            { "to": "text" }]
        }
      ]
    }
  ],
  "ignore": [
    { "id": "left" }
  ],
  "unmapped": {
    "a-codes": "keep",
    "b-codes": "queue"
  }
}`;
const set = `{
  "resourceType": "ValueSet",
  "compose": {
    "include": [
      { "system": "urn:a" },
      {
        "concept": [
          { "code": "1" },
          { "display": "x" }
        ]
      }
    ]
  }
}`;

describe('the line of a mistake', () => {
  it.each([
    ['a resource rule', map, 'patient', 'names no resource', 9],
    ['an element by its id', map, 'own', 'as magic: no such conversion', 12],
    ['an element by its owner and target', map, 'patient.name[]', 'x', 13],
    ['an element within another', map, 'patient.name[].text', 'x', 16],
    ['a type', map, 'Name.family', 'x', 5],
    ['a value left out', map, 'left', 'x', 22],
    ['an entry of a table', map, 'unmapped', 'names the concept map b-codes, which is none', 26],
    ['a pointer of the schema', map, 'patient', '/resources/0/elements/1/to must be string', 14],
    ['a place', set, '(value set)', 'compose.include[1].concept[0].code stands twice', 8],
    ['a place where something is missing: what it is missing from', set, '(value set)', 'compose.include[1].concept[1].code is no text', 9],
    ['a place outside of what there is: as far as there is something', set, '(value set)', 'compose.exclude is no list', 3],
    ['the whole file', set, '(value set)', 'the file is no object', 1],
    ['a rule of an earlier map', map, 'observation', 'names no resource', undefined],
    ['a file that is no JSON', '', '(value set)', 'url is no text', undefined],
  ])('%s', (_name, text, rule, what, line) => expect(mistakeLine(text, { rule, what })).toBe(line));
});

describe('the line on which a text stops to be JSON', () => {
  it.each([
    ['{\n"a": 1,,\n}', 2],
    ['{\n"a": x\n}', 2],
    ['{\n\n', 1],
    ['{\n"a": "b\n}', 2],
    ['{ // why\n}', 1],
    ['{\n}', undefined],
  ])('%j: %s', (text, line) => expect(brokenLine(text)).toBe(line));
});
