/**
 * Atoms of UCUM (The Unified Code for Units of Measure, case-sensitive form) that clinical documents use. The list is no
 * registry: a unit made of others keeps its text and gets no UCUM code, so what bears one can be computed with.
 */
const metric = new Set(
  'm s g rad K C cd mol l L eq Eq osm kat Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv sr cal B bar u eV st t U [iU] [IU] m[H2O] m[Hg] g% cal_[15]'.split(
    ' ',
  ),
);
const plain = new Set(
  "min h d wk mo a % [ppth] [ppm] [ppb] [pH] [degF] deg ' '' [in_i] [ft_i] [yd_i] [mi_i] [lb_av] [oz_av] [gr] [foz_us] [pt_us] [cup_us] [tsp_us] [tbs_us] [drp] [arb'U] [CFU] [PFU] [USP'U] [diop] [HPF] [LPF] atm".split(
    ' ',
  ),
);
const prefixes = new Set('Y Z E P T G M k h da d c m u n p f a z y'.split(' '));

/** Whether a text is a UCUM expression of known atoms, such as `mmol/L`, `10*9/L`, `kg/m2`, `mL/min/{1.73_m2}`, `mm[Hg]`. */
export function isUcum(text: string): boolean {
  const components = split(text.startsWith('/') ? text.slice(1) : text);
  return components !== undefined && components.every(isComponent);
}

/** Splits at `.` and `/` outside braces, brackets and parentheses; undefined where one of these stays open. */
function split(text: string): readonly string[] | undefined {
  const components = [''];
  let depth = 0;
  for (const c of text) {
    depth += '([{'.includes(c) ? 1 : ')]}'.includes(c) ? -1 : 0;
    if (depth < 0) return undefined;
    if (depth === 0 && (c === '.' || c === '/')) components.push('');
    else components.push((components.pop() ?? '') + c);
  }
  return depth === 0 ? components : undefined;
}

function isComponent(component: string): boolean {
  if (component.startsWith('(') && component.endsWith(')')) return isUcum(component.slice(1, -1));
  if (/^\{[!-z|~]*\}$/.test(component) || /^[1-9]\d*$/.test(component) || /^10[*^][+-]?\d+$/.test(component)) return true;
  const unit = component.replace(/\{[!-z|~]*\}$/, '').replace(/[+-]?\d+$/, '');
  return plain.has(unit) || metric.has(unit) || [1, 2].some((n) => prefixes.has(unit.slice(0, n)) && metric.has(unit.slice(n)));
}
