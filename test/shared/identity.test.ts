import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dialBody } from "../../shared/api/dial.ts";
import { permits } from "../../shared/dial-permission.ts";
import {
  addressCounted,
  canonicalAddress,
  countedBefore,
  countedCaller,
  countedNumber,
  isSameCaller,
  isWithheld,
  type Numbering,
  sameCallerKey,
  withCanonical,
} from "../../shared/identity.ts";
import { compileRuleset } from "../../shared/rules/compile/compile.ts";
import { decide } from "../../shared/rules/decide.ts";
import { acme, callWith, mustParse } from "./rules/sample.ts";
import { fitsReading, type Spelling, spellings } from "./spellings.ts";

const patterns = [
  "anonymous",
  "+15550100001",
  "+1555*",
  "+1202*",
  "+12025550123",
  "+49*",
  "+266696687",
  "+*",
  "sip:*@*",
  "sip:bob@example.com",
  "sip:*@example.com",
  "sip:restricted@203.0.113.7",
  "sip:anonymous@*",
  "sip:*@evil.example",
  "sip:*@gw.example.net",
  "sip:+15550100001@*",
  "sip:bob@[2001:db8::1]",
];
const rows = spellings.map((row): [string, Spelling] => [
  `${JSON.stringify(row.written)}${row.country ? ` in ${row.country}` : ""}${row.sip_gateways ? " by a gateway" : ""}`,
  row,
]);

function callOf({ written, country, sip_gateways }: Spelling, side: "from" | "to") {
  return withCanonical(callWith({ [side]: written }), { country, sip_gateways });
}

function decisionOf(match: object, place: object, row: Spelling, side: "from" | "to" = "from") {
  const ruleset = mustParse({ rules: [{ id: "one", match, place: { room: "one", ...place } }] });
  return decide(compileRuleset(ruleset, { ...acme, hash: "0".repeat(64) }), callOf(row, side), 0);
}

describe("an address", () => {
  test("is spelled in more than eighty ways in the table", () => {
    expect(new Set(rows.map(([name]) => name)).size).toBeGreaterThanOrEqual(80);
  });

  describe.each(["from", "to"] as const)("in %s matches what it is", (side) => {
    test.each(rows)("%s", (_, row) => {
      const fitting = patterns.filter((one) => decisionOf({ [side]: one }, {}, row, side).rule !== null);
      expect(fitting).toEqual(patterns.filter((one) => fitsReading(one, row[side])));
    });
  });

  test.each(rows)("%s fills a template in its canonical form", (_, row) => {
    const settings = { country: row.country, sip_gateways: row.sip_gateways };
    for (const side of ["from", "to"] as const)
      expect(canonicalAddress(row.written, side, settings)).toBe(row[side].canonical);
    const said = decisionOf({}, { announce: "{from}" }, row);
    const { canonical } = row.from;
    expect(said).toMatchObject(canonical === "" ? { rule: null } : { announce: [{ say: canonical }] });
  });

  test.each(rows)("%s sticks as the caller that it is", (_, row) => {
    const decision = decisionOf({}, { sticky: "from" }, row);
    expect("sticky_key" in decision ? decision.sticky_key : null).toBe(row.from.caller);
  });

  test.each(rows)("%s counts wrong PINs as what it is, and against the number dialled", (_, row) => {
    expect(countedCaller(row.from.canonical, "c-1")).toBe(row.counted ?? "anonymous c-1");
    expect(countedNumber(row.written)).toBe(row.called);
  });

  test.each(rows)("%s may be called as exactly what is dialled", (_, row) => {
    const isTaken = dialBody.safeParse({ to: row.written }).success;
    const byNumber = permits(["+*"], { to: row.written });
    const byHost = permits(["sip:*@*"], { to: row.written });
    const allowed = !isTaken
      ? "refused"
      : byNumber === "permitted"
        ? "number"
        : byHost === "permitted"
          ? "uri"
          : "denied";
    const isLonger = /:\d+(;|$)|;/.test(row.written) && isTaken && row.from.uri !== undefined;
    expect(allowed).toBe(row.dials ?? (isLonger ? "denied" : "refused"));
    expect(permits(["anonymous"], { to: row.written })).toBe("denied");
  });

  test("counts no finer against wrong PINs than the version before, but for withheld numbers", () => {
    const user = fc.constantFrom("2025550123", "12025550123", "+12025550123", "+2025550123", "b%6fb", "bob");
    const tail = fc.constantFrom("", ":5060", ";x=1", ";x=@evil.example", "?a=@b");
    const host = fc.constantFrom("gw.example.net", "GW.example.net", "example.com", "[2001:DB8::1]");
    const written = fc.oneof(
      fc.tuple(user, host, tail).map(([one, at, more]) => `sip:${one}@${at}${more}`),
      fc.constantFrom("2025550123", "+2025550123", "12025550123", "+12025550123", "89161234567"),
      fc.constantFrom("+89161234567", "79161234567", "+79161234567", "4930123456", "+4930123456", "4711"),
      fc.constantFrom("+4711", "/public/bridge", "/Public/Bridge?x=1", "Payphone"),
      fc.constantFrom(...spellings.map((row) => row.written)),
    );
    const country = fc.constantFrom(undefined, "US", "RU", "DE", "IT", "ES");
    const gateways = fc.constantFrom(undefined, ["gw.example.net"]);
    const countedAs = (from: string, settings: Numbering) =>
      countedCaller(addressCounted(withCanonical(callWith({ from }), settings), settings), "c-1");
    fc.assert(
      fc.property(written, written, country, gateways, (one, other, country, sip_gateways) => {
        const before = countedBefore(one, "from");
        fc.pre(before !== null && before === countedBefore(other, "from"));
        fc.pre(!isWithheld(one) && !isWithheld(other));
        const settings = { country, sip_gateways };
        expect(countedAs(one, settings)).toBe(countedAs(other, settings));
      }),
      { numRuns: 3_000, maxSkipsPerRun: 1_000 },
    );
  });

  test("is read once: what is read of a canonical form is that form", () => {
    const some = fc.oneof(
      fc.constantFrom(...spellings.map(({ written }) => written)),
      fc.string(),
      fc.string({ unit: "binary" }).map((user) => `sip:${user}@example.com`),
      fc.stringMatching(/^sip:[%0-9a-f;@+]{1,12}@[a-z.]{1,4}$/),
    );
    fc.assert(
      fc.property(some, fc.constantFrom("from", "to"), (written, side) => {
        const once = canonicalAddress(written, side);
        expect(canonicalAddress(once, side)).toBe(once);
        expect(sameCallerKey(once, side)).toBe(sameCallerKey(written, side));
      }),
    );
  });

  test("that withholds its number is nobody's in every country and behind every gateway", () => {
    for (const { written, from } of spellings) expect(isWithheld(written)).toBe(from.withheld === true);
  });

  test("is the same caller as itself and as its other spellings, and as nobody who withholds the number", () => {
    for (const one of spellings)
      for (const other of spellings) {
        const isSame = isSameCaller(one.from.canonical, other.from.canonical);
        const isText = one.from.canonical === other.from.canonical;
        expect(isSame).toBe(isText || (one.from.caller !== null && one.from.caller === other.from.caller));
      }
  });
});
