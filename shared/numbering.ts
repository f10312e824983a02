/**
 * How telephone numbers are written within a country, as far as carriers write callers' numbers so: E.164 without its plus,
 * behind `00` or its like, or as a national number with its trunk prefix. From the ITU's lists of dialling procedures.
 */
interface Plan {
  /** Country code. */
  code: string;
  /** What stands before a national number in its own country; null: nothing, and such a number can't be told from others. */
  trunk: string | null;
  /** What stands before a country code; null: it depends on the carrier. */
  international: string | null;
  /** Digits of the shortest number behind the country code that is believed without a plus. */
  shortest: number;
}

/** Countries whose trunk prefix is 0, each with its country code. */
const TRUNK_ZERO =
  "AE971 AF93 AL355 AM374 AR54 AT43 AU61 AX358 AZ994 BA387 BD880 BE32 BG359 BL590 BO591 BR55 CC61 CD243 CH41 CN86 CO57 " +
  "CU53 CX61 DE49 DZ213 EC593 EG20 EH212 ER291 ET251 FI358 FR33 GB44 GE995 GF594 GG44 GH233 GP590 HR385 ID62 IE353 IL972 " +
  "IM44 IN91 IQ964 IR98 JE44 JO962 JP81 KE254 KG996 KH855 KP850 KR82 LA856 LB961 LI423 LK94 LR231 LT370 LY218 MA212 MC377 " +
  "MD373 ME382 MF590 MG261 MK389 MM95 MN976 MQ596 MW265 MY60 NA264 NG234 NL31 NP977 NZ64 PE51 PH63 PK92 PM508 PS970 PY595 " +
  "RE262 RO40 RS381 RW250 SA966 SD249 SE46 SI386 SK421 SL232 SO252 SS211 SY963 TH66 TR90 TW886 TZ255 UA380 UG256 UY598 " +
  "VE58 VN84 XK383 YE967 YT262 ZA27 ZM260 ZW263";
/** Countries without one, each with its country code and the length of its shortest number that is no special service. */
const NO_TRUNK =
  "AC247:6 AD376:6 AO244:9 AW297:7 BF226:8 BH973:8 BI257:8 BJ229:10 BN673:7 BQ599:7 BT975:7 BW267:7 BZ501:7 CF236:8 " +
  "CG242:9 CI225:10 CL56:9 CM237:8 CR506:8 CV238:7 CW599:7 CY357:8 CZ420:9 DJ253:8 DK45:8 EE372:7 ES34:9 FJ679:7 FM691:7 " +
  "FO298:6 GA241:7 GI350:8 GL299:6 GM220:7 GN224:8 GQ240:9 GR30:10 GT502:8 GW245:7 GY592:7 HK852:8 HN504:8 HT509:8 IO246:7 " +
  "IS354:7 KI686:8 KM269:7 KW965:7 LS266:8 LU352:6 LV371:8 MH692:7 ML223:8 MO853:7 MR222:8 MT356:8 MU230:7 MV960:7 MX52:10 " +
  "MZ258:8 NC687:6 NE227:8 NF672:6 NI505:8 NO47:8 NR674:7 NU683:7 OM968:7 PA507:7 PF689:6 PG675:7 PL48:9 PT351:9 PW680:7 " +
  "QA974:7 SB677:7 SC248:7 SG65:8 SJ47:8 SN221:9 SR597:6 ST239:7 SV503:7 SZ268:8 TD235:8 TG228:8 TJ992:9 TK690:6 TL670:7 " +
  "TN216:8 TO676:7 TV688:6 UZ998:9 VU678:7 WF681:6 WS685:6";
/** Countries of the North American plan. */
const NORTH_AMERICA = "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI";
/** What is dialled for a foreign number, where it is not 00. */
const INTERNATIONAL = new Map(
  "AU0011 CC0011 CX0011 CU119 GY001 JP010 KE000 MH011 MN001 NG009 TJ810"
    .split(" ")
    .map((entry) => [entry.slice(0, 2), entry.slice(2)]),
);
/** Where it depends on the carrier. */
const BY_CARRIER = new Set("BR CL CO CV ID KH KR PW SG TH TW TZ UG WS".split(" "));

/** Digits of the shortest national number that is believed: what is shorter is an extension or a special service. */
const SHORTEST = 6;
const LONGEST = 15;

const plans: ReadonlyMap<string, Plan> = new Map([
  ...TRUNK_ZERO.split(" ").map((entry) => planOf(entry, "0")),
  ...NO_TRUNK.split(" ").map((entry) => planOf(entry, null)),
  ...NORTH_AMERICA.split(" ").map((name): [string, Plan] => [
    name,
    { code: "1", trunk: "1", international: "011", shortest: 10 },
  ]),
  ...(
    [
      // Numbers keep their 0 behind the country code.
      ["IT", { code: "39", trunk: "", international: "00", shortest: 9 }],
      ["VA", { code: "39", trunk: "", international: "00", shortest: 9 }],
      ["SM", { code: "378", trunk: "", international: "00", shortest: 8 }],
      ["HU", { code: "36", trunk: "06", international: "00", shortest: 8 }],
      ["BY", { code: "375", trunk: "80", international: "810", shortest: 9 }],
      ["KZ", { code: "7", trunk: "8", international: "810", shortest: 10 }],
      ["RU", { code: "7", trunk: "8", international: "810", shortest: 10 }],
      ["TM", { code: "993", trunk: "8", international: "810", shortest: 8 }],
    ] as const
  ).map(([name, plan]): [string, Plan] => [name, plan]),
]);

function planOf(entry: string, trunk: string | null): [string, Plan] {
  const [, name = "", code = "", shortest = "7"] = /^([A-Z]{2})(\d+)(?::(\d+))?$/.exec(entry) ?? [];
  const international = BY_CARRIER.has(name) ? null : (INTERNATIONAL.get(name) ?? "00");
  return [name, { code, trunk, international, shortest: Number(shortest) }];
}

/** Whether this is a country, as ISO 3166 writes it, whose numbers can be read. */
export function isCountry(name: string): boolean {
  return plans.has(name);
}

/** The numbers that digits as they are written within a country may be, by every country. */
export function readingsOf(digits: string): string[] {
  const found = [...plans.keys()]
    .map((country) => e164Of(digits, country))
    .filter((number) => number !== null);
  return [...new Set(found)];
}

const E164 = /^\+[1-9]\d{1,14}$/;
/** As North America writes them, which is what carriers leave the plus off. */
const NANP = /^1[2-9]\d{2}[2-9]\d{6}$/;

/** Whether the text is a number in E.164. */
export function isE164(text: string): boolean {
  return E164.test(text);
}

/**
 * Digits without a plus as E.164; null where they are not known to be such a number. Extensions, short codes and emergency numbers
 * are none.
 * @param country Where they are written.
 */
export function e164Of(digits: string, country?: string): string | null {
  const plan = country === undefined ? undefined : plans.get(country);
  if (plan === undefined) return NANP.test(digits) ? `+${digits}` : null;
  const { code, trunk, international, shortest } = plan;
  const behind = (prefix: string) => (digits.startsWith(prefix) ? digits.slice(prefix.length) : null);
  if (international !== null) {
    const number = behind(international);
    if (number !== null && /^[1-9]\d{7,14}$/.test(number)) return `+${number}`;
  }
  if (NANP.test(digits)) return `+${digits}`;
  if (code === "1") return NANP.test(`1${digits}`) ? `+1${digits}` : null;
  const national = behind(code);
  if (national !== null && national.length >= shortest && digits.length <= LONGEST) return `+${digits}`;
  if (trunk === null) return null;
  const number = behind(trunk);
  // Where no trunk prefix is written, a number is known by the 0 that it keeps.
  const isNational = trunk === "" ? /^0[1-9]/.test(digits) : /^[1-9]/.test(number ?? "");
  const full = `${code}${number}`;
  return isNational && number !== null && number.length >= SHORTEST && full.length <= LONGEST
    ? `+${full}`
    : null;
}

/** What stands in brackets behind a country code, before the rest of the number. */
const BEHIND_CODE = /^(\s*(?:\+|00|011)([1-9]\d{0,2})[\s.\-/\u2010-\u2015]*)\(\s*(\d{1,2})\s*\)(?=.*\d)/s;

/** A number without the trunk prefix that is dialled within its country alone: +49 (0)30 is +49 30. */
export function withoutTrunk(number: string): string {
  return number.replace(BEHIND_CODE, (whole: string, before: string, code: string, bracketed: string) => {
    const plan = plans.get(countryOf(code) ?? "");
    return plan?.trunk === bracketed ? before : whole;
  });
}

/** A country whose code this is, to read numbers by that are written within it; undefined: none is known. */
export function countryOf(code: string): string | undefined {
  for (const [name, plan] of plans) if (plan.code === code) return name;
  return undefined;
}
