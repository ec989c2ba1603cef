/** ISO 639-1 codes, each with the three-letter codes that BCP 47 shortens to it (RFC 5646, section 2.2.1; pairs after Unicode CLDR's language aliases). */
const SHORTENED = `
  aa aar, ab abk, ae ave, af afr, ak aka fat twi, am amh, an arg, ar ara arb, as asm, av ava, ay aym ayr, az aze azj,
  ba bak, be bel, bg bul, bi bis, bm bam, bn ben, bo bod tib, br bre, bs bos, ca cat, ce che, ch cha, co cos, cr cre cwd,
  cs ces cze, cu chu, cv chv, cy cym wel, da dan, de deu ger, dv div, dz adp dzo, ee ewe, el ell gre, en eng, eo epo,
  es spa, et ekk est, eu baq eus, fa fas per pes, ff fuc ful, fi fin, fj fij, fo fao, fr fra fre, fy fry, ga gle, gd gla,
  gl glg, gn grn gug, gu guj prp, gv glv, ha hau, he heb, hi hin, ho hmo, hr hrv scr, ht hat, hu hun, hy arm hye, hz her,
  ia ina, id ind, ie ile, ig ibo, ii iii, ik esk ipk, io ido, is ice isl, it ita, iu ike iku, ja jpn, jv jav jaw,
  ka geo kat, kg kng kon, ki kik, kj kua, kk kaz, kl kal, km khm, kn kan, ko kor, kr kau knc, ks kas, ku kmr kur,
  kv kom kpv, kw cor, ky kir, la lat, lb ltz, lg lug, li lim, ln lin, lo lao, lt lit, lu lub, lv lav lvs, mg mlg plt,
  mh mah, mi mao mri, mk mac mkd, ml mal, mn drh khk mon, mr mar, ms may msa zsm, mt mlt, my bur mya, na nau, nb nob,
  nd nde, ne nep npi, ng ndo, nl dut nld, nn nno, no nor, nr nbl, nv nav, ny nya, oc oci, oj ojg oji, om gaz orm,
  or ori ory, os oss, pa pan, pi pli, pl pol, ps pbu pus, pt por, qu que quz, rm roh, rn run, ro mol ron rum, ru rus,
  rw kin, sa cls san, sc src srd, sd snd, se sme, sg sag, si sin, sk slk slo, sl slv, sm smo, sn sna, so som,
  sq alb als sqi, sr scc srp, ss ssw, st sot, su sun, sv swe, sw swa swh, ta tam, te tel, tg tgk, th tha, ti tir, tk tuk,
  tn tsn, to ton, tr tur, ts tso, tt tat, ty tah, ug uig, uk ukr, ur urd, uz uzb uzn, ve ven, vi vie, vo vol, wa wln,
  wo wol, xh xho, yi ydd yid, yo yor, za zha zyb, zh chi cmn zho, zu zul`;

const V2_0296 = 'http://terminology.hl7.org/CodeSystem/v2-0296';

/** HL7 table 0296 suggests ISO 639 and lists nothing; systems write either length, in capitals, too. */
export const languageCodes = {
  resourceType: 'ConceptMap',
  id: 'language-codes',
  status: 'active',
  title: 'ISO 639 codes → BCP 47',
  group: [{ source: V2_0296, target: 'urn:ietf:bcp:47', element: SHORTENED.split(',').flatMap(elementsOf) }],
};

function elementsOf(line: string): { code: string; target: { code: string; equivalence: string }[] }[] {
  const codes = line.trim().split(' ');
  const target = [{ code: codes[0] ?? '', equivalence: 'equivalent' }];
  return codes.flatMap((code) => [code, code.toUpperCase()]).map((code) => ({ code, target }));
}
