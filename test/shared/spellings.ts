/**
 * Addresses as callers, gateways and operators write them, and what each is: the one table that matching, sticky rooms, kept seats,
 * PIN limits and dial permissions are tested by, and that the naive oracle reads. Written by hand, by no code of the product's.
 */

/** What an address is on one side of a call. */
export interface Reading {
  /** As it fills {from} or {to}. */
  canonical: string;
  /** What number patterns are compared with; absent: no number pattern fits. */
  number?: string;
  /** User and host, with which SIP patterns are compared; absent: no SIP pattern fits. */
  uri?: readonly [user: string, host: string];
  withheld?: true;
  /** The same for all that are the same caller; null: nobody is. */
  caller: string | null;
}

export interface Spelling {
  written: string;
  country?: string;
  sip_gateways?: readonly string[];
  from: Reading;
  to: Reading;
  /** Whom a wrong PIN counts against; null: this call alone. */
  counted: string | null;
  /** Which number it counts against. */
  called: string;
  /** How it may be called, where it may at all: to a number or to a host. */
  dials?: "number" | "uri";
}

type Settings = Pick<Spelling, "country" | "sip_gateways">;

const germany: Settings = { country: "DE" };
const gateway: Settings = { sip_gateways: ["GW.example.net."] };

/** A number on both sides. */
function number(written: string, e164: string, called: string, settings: Settings = {}): Spelling {
  const reading = { canonical: e164, number: e164, caller: e164 };
  const dials = written === e164 ? { dials: "number" as const } : {};
  return { written, ...settings, from: reading, to: reading, counted: e164, called, ...dials };
}

/** Digits that are no number of the world's. */
function digits(
  written: string,
  canonical: string,
  counted: string | null,
  settings: Settings = {},
): Spelling {
  const reading = { canonical, caller: canonical };
  return {
    written,
    ...settings,
    from: reading,
    to: reading,
    counted,
    called: counted !== null && /^\d+$/.test(written) ? counted : "unreadable",
  };
}

interface SipFacts {
  canonical?: string;
  dials?: true;
  called?: string;
}

/** A SIP URI on both sides. */
function sip(written: string, user: string, host: string, facts: SipFacts = {}): Spelling {
  const caller = `sip:${user}@${host}`;
  const reading: Reading = { canonical: facts.canonical ?? caller, uri: [user, host], caller };
  return {
    written,
    from: reading,
    to: reading,
    counted: caller,
    called: facts.called ?? `sip:*@${host}`,
    ...(facts.dials ? { dials: "uri" as const } : {}),
  };
}

/** A SIP URI before whose @ a number stands: in `to` it is that, in `from` anybody can write it. */
function sipNumber(
  written: string,
  user: string,
  host: string,
  e164: string,
  facts: SipFacts & Settings = {},
): Spelling {
  const { country, sip_gateways, canonical, dials, called } = facts;
  const isTrusted = sip_gateways !== undefined;
  const uri = [user, host] as const;
  const asNumber: Reading = { canonical: e164, number: e164, uri, caller: e164 };
  const itself = `sip:${user}@${host}`;
  const asUri: Reading = { canonical: canonical ?? itself, uri, caller: itself };
  return {
    written,
    ...(country === undefined ? {} : { country }),
    ...(sip_gateways === undefined ? {} : { sip_gateways }),
    from: isTrusted ? asNumber : asUri,
    to: asNumber,
    counted: isTrusted ? e164 : itself,
    called: called ?? `sip:*@${host}`,
    ...(dials ? { dials: "uri" as const } : {}),
  };
}

interface WithheldFacts {
  uri?: readonly [user: string, host: string];
  number?: string;
  called?: string;
  dials?: "number" | "uri";
}

function withheld(written: string, { called = "unreadable", ...facts }: WithheldFacts = {}): Spelling {
  const { dials, ...patterns } = facts;
  const reading: Reading = { canonical: written, withheld: true, caller: null, ...patterns };
  return {
    written,
    from: reading,
    to: reading,
    counted: null,
    called,
    ...(dials === undefined ? {} : { dials }),
  };
}

/** A resource at SignalWire, by its address. */
function resource(written: string, path: string): Spelling {
  const reading = { canonical: written, caller: path };
  return { written, from: reading, to: reading, counted: path, called: path };
}

/** Nothing that can be read: a text, which many callers may show. */
function text(written: string): Spelling {
  const reading = { canonical: written, caller: null };
  return { written, from: reading, to: reading, counted: null, called: "unreadable" };
}

export const spellings: readonly Spelling[] = [
  // As rules' tests write them.
  sip("sip:alice@example.com", "alice", "example.com", { dials: true }),
  sip("SIPS:alice@EXAMPLE.com:5061;transport=tls", "alice", "example.com", {
    canonical: "sips:alice@example.com:5061;transport=tls",
  }),
  text("sip:*@*"),
  // Numbers.
  number("+15550100001", "+15550100001", "+15550100001"),
  number("+442071838750", "+442071838750", "+442071838750"),
  number("+1 (555) 010-0001", "+15550100001", "unreadable"),
  number("+1.555.010.0001", "+15550100001", "unreadable"),
  number("+1\u00a0555\u00a0010\u2011" + "0001", "+15550100001", "unreadable"),
  number(" +15550100001 ", "+15550100001", "unreadable"),
  number("tel:+15550100001", "+15550100001", "unreadable"),
  number("TEL:+1-555-010-0001;ext=12", "+15550100001", "unreadable"),
  number("tel:+15550100001;phone-context=example.com", "+15550100001", "unreadable"),
  number("+15550100001;phone-context=+1", "+15550100001", "unreadable"),
  number("Bob <tel:+15550100001>", "+15550100001", "unreadable"),
  number("<+15550100001>", "+15550100001", "unreadable"),
  number('"Bob, \\"B\\" <x>" <tel:+15550100001>;tag=1', "+15550100001", "unreadable"),
  number("12025550123", "+12025550123", "+12025550123"),
  number("1-202-555-0123", "+12025550123", "unreadable"),
  number("1 (202) 555-0123", "+12025550123", "unreadable"),
  number("tel:2025550123;phone-context=+1", "+12025550123", "unreadable"),
  number("tel:030-123456;phone-context=+49", "+4930123456", "unreadable"),
  number("030 123456", "+4930123456", "unreadable", germany),
  number("030/123456", "+4930123456", "unreadable", germany),
  number("004930123456", "+4930123456", "unreadable", germany),
  number("0049 30 123456", "+4930123456", "unreadable", germany),
  number("4930123456", "+4930123456", "+4930123456", germany),
  number("0012025550123", "+12025550123", "unreadable", germany),
  number("12025550123", "+12025550123", "+12025550123", germany),
  number("2025550123", "+12025550123", "+2025550123", { country: "US" }),
  number("0114930123456", "+4930123456", "unreadable", { country: "US" }),
  number("0612345678", "+390612345678", "unreadable", { country: "IT" }),
  number("89161234567", "+79161234567", "+89161234567", { country: "RU" }),
  number("0611234567", "+3611234567", "unreadable", { country: "HU" }),
  number("+49 (0)30 1234567", "+49301234567", "unreadable"),
  number("tel:+49-(0)-30-1234567", "+49301234567", "unreadable"),
  number("+44(0)20 7183 8750", "+442071838750", "unreadable"),
  number("0049 (0)30 1234567", "+49301234567", "unreadable", germany),
  number("(0)30 1234567", "+49301234567", "unreadable", germany),
  number("+36 (06) 1 123 4567", "+3611234567", "unreadable"),
  number("+7 (8) 916 123 45 67", "+79161234567", "unreadable"),
  // Not a trunk prefix: Italian numbers keep their 0, an area code, an extension.
  number("+39 (0)6 12345678", "+390612345678", "unreadable"),
  number("+7 (8482) 123456", "+78482123456", "unreadable"),
  number("+49 30 123456 (0)", "+49301234560", "unreadable"),
  // Digits that stay what they are.
  digits("911", "911", "+911"),
  digits("112", "112", "+112", germany),
  digits("110", "110", "+110", germany),
  digits("100", "100", "+100"),
  digits("4711", "4711", "+4711", germany),
  digits("01234", "01234", null, germany),
  digits("4930123456", "4930123456", "+4930123456"),
  digits("030123456", "030123456", null),
  digits("004930123456", "004930123456", null),
  digits("2025550123", "2025550123", "+2025550123"),
  digits("11234567890", "11234567890", "+11234567890"),
  digits("12021550123", "12021550123", "+12021550123"),
  digits("100-1", "1001", "+1001"),
  // SIP URIs.
  sip("sip:bob@example.com", "bob", "example.com", { dials: true }),
  sip("SIP:bob@EXAMPLE.com", "bob", "example.com"),
  sip("sip:bob@example.com.", "bob", "example.com", { dials: true }),
  sip("sip:bob@example.com:5060", "bob", "example.com", { canonical: "sip:bob@example.com:5060" }),
  sip("sip:bob@EXAMPLE.com:41234;transport=tcp", "bob", "example.com", {
    canonical: "sip:bob@example.com:41234;transport=tcp",
  }),
  sip("sips:bob@example.com:05061", "bob", "example.com", { canonical: "sips:bob@example.com:5061" }),
  sip("sip:b%6fb@example.com", "bob", "example.com", { dials: true }),
  sip("sip:%62%6F%62@example.com?subject=a", "bob", "example.com", {
    canonical: "sip:bob@example.com?subject=a",
  }),
  sip("Bob <sip:bob@example.com>", "bob", "example.com", { called: "unreadable" }),
  sip('"Bob" <sip:bob@example.com;user=ip>;tag=9', "bob", "example.com", {
    canonical: "sip:bob@example.com;user=ip",
    called: "unreadable",
  }),
  sip(" sip:bob@example.com", "bob", "example.com", { called: "unreadable" }),
  sip("sip:Bob@example.com", "Bob", "example.com", { dials: true }),
  sip("sip:emil1@example.com:5060", "emil1", "example.com", { canonical: "sip:emil1@example.com:5060" }),
  sip("sip:emil1@EXAMPLE.com:41234;transport=tcp", "emil1", "example.com", {
    canonical: "sip:emil1@example.com:41234;transport=tcp",
  }),
  sip("sip:dora@example.com", "dora", "example.com", { dials: true }),
  sip("sip:dora;phone-context=pbx.example.com@example.com", "dora", "example.com"),
  sip("sip:al%40home@example.com", "al%40home", "example.com", { dials: true }),
  sip("sip:al@home@example.com", "al%40home", "example.com", { called: "unreadable" }),
  sip("sip:al%2540home@example.com", "al%2540home", "example.com", { dials: true }),
  sip("sip:%%341@example.com", "%2541", "example.com", { dials: true }),
  sip("sip:m%c3%bcller@example.com", "m%C3%BCller", "example.com", { dials: true }),
  sip("sip:müller@example.com", "m%C3%BCller", "example.com", { dials: true }),
  sip("sip:mallory@evil.example;x=@example.com", "mallory", "evil.example", {
    canonical: "sip:mallory@evil.example;x=@example.com",
  }),
  sip("sip:mallory@example.com@evil.example", "mallory%40example.com", "evil.example", {
    called: "unreadable",
  }),
  sip("sip:bob@[2001:DB8:0:0:0:0:0:1]", "bob", "[2001:db8::1]"),
  sip("sip:bob@[2001:db8::0001]:5060", "bob", "[2001:db8::1]", { canonical: "sip:bob@[2001:db8::1]:5060" }),
  sip("sip:bob@203.0.113.7", "bob", "203.0.113.7", { dials: true }),
  sip("sip:100@example.com", "100", "example.com", { dials: true }),
  sip("sip:112@example.com", "112", "example.com", { dials: true }),
  // Numbers before an @.
  sipNumber("sip:+15550100001@gw.example.net", "+15550100001", "gw.example.net", "+15550100001", {
    dials: true,
  }),
  sipNumber("sip:+15550100001@gw.example.net", "+15550100001", "gw.example.net", "+15550100001", {
    ...gateway,
    dials: true,
  }),
  sipNumber("sip:+15550100001@evil.example", "+15550100001", "evil.example", "+15550100001", { dials: true }),
  sipNumber(
    "sip:%2B15550100001@gw.example.net:5060;user=phone",
    "+15550100001",
    "gw.example.net",
    "+15550100001",
    gateway,
  ),
  sipNumber("sip:+1-555-010-0001@GW.example.net", "+1-555-010-0001", "gw.example.net", "+15550100001", {
    ...gateway,
    dials: true,
  }),
  sipNumber(
    "sip:+15550100001;phone-context=example.com@gw.example.net",
    "+15550100001",
    "gw.example.net",
    "+15550100001",
    gateway,
  ),
  sipNumber("sip:12025550123@gw.example.net", "12025550123", "gw.example.net", "+12025550123", {
    ...gateway,
    dials: true,
  }),
  sipNumber("sip:030123456@gw.example.net", "030123456", "gw.example.net", "+4930123456", {
    ...germany,
    ...gateway,
    dials: true,
  }),
  sipNumber("sip:12025550123@example.com:5060", "12025550123", "example.com", "+12025550123", {
    canonical: "sip:12025550123@example.com:5060",
  }),
  sipNumber("sip:+49(0)301234567@gw.example.net", "+49(0)301234567", "gw.example.net", "+49301234567", {
    ...gateway,
    dials: true,
  }),
  // Their own parameters are none of the number, nor of who calls.
  sipNumber(
    "sip:+15550100001;cpc=ordinary@gw.example.net",
    "+15550100001",
    "gw.example.net",
    "+15550100001",
    gateway,
  ),
  sipNumber(
    "sip:12025550123;npdi;rn=12025550100@gw.example.net;user=phone",
    "12025550123",
    "gw.example.net",
    "+12025550123",
    { canonical: "sip:12025550123@gw.example.net;user=phone" },
  ),
  sip("sip:4711;ext=2@example.com", "4711", "example.com"),
  sip("sip:+15550100001@gw.example.net;x=@evil.example", "+15550100001", "gw.example.net", {
    canonical: "sip:+15550100001@gw.example.net;x=@evil.example",
  }),
  // Withheld numbers.
  withheld(""),
  withheld(" "),
  withheld("anonymous"),
  withheld("Anonymous"),
  withheld(" anonymous "),
  withheld("RESTRICTED"),
  withheld("private"),
  withheld("unavailable"),
  withheld("unknown"),
  withheld("withheld"),
  withheld("Out-of-Area"),
  withheld("out of area"),
  withheld("blocked"),
  withheld("No Caller ID"),
  withheld("Anonymous Caller"),
  withheld("Private Number"),
  withheld("PRIVATE CALLER"),
  withheld("Unknown Caller"),
  withheld("unknown_number"),
  withheld("Number Withheld"),
  withheld("Blocked Caller ID"),
  withheld("Caller ID unavailable"),
  withheld("Hidden"),
  withheld("Not Available"),
  withheld("No Number"),
  withheld("No Name"),
  withheld("Number not disclosed"),
  withheld("PrivateNumber"),
  withheld("anonymous.caller"),
  withheld("'Anonymous'"),
  withheld('"Restricted"'),
  withheld("(unknown)"),
  withheld("0000000000"),
  withheld("+00000"),
  withheld("+266696687", { number: "+266696687", called: "+266696687", dials: "number" }),
  withheld("+7378742833", { number: "+7378742833", called: "+7378742833", dials: "number" }),
  withheld("+2562533", { number: "+2562533", called: "+2562533", dials: "number" }),
  withheld("+8656696", { number: "+8656696", called: "+8656696", dials: "number" }),
  withheld("+86282452253", { number: "+86282452253", called: "+86282452253", dials: "number" }),
  withheld("tel:+266696687"),
  withheld("sip:anonymous@anonymous.invalid", {
    uri: ["anonymous", "anonymous.invalid"],
    called: "sip:*@anonymous.invalid",
    dials: "uri",
  }),
  withheld("sip:c8oqz84zk7z@anonymous.invalid", {
    uri: ["c8oqz84zk7z", "anonymous.invalid"],
    called: "sip:*@anonymous.invalid",
    dials: "uri",
  }),
  withheld("sip:restricted@203.0.113.7", {
    uri: ["restricted", "203.0.113.7"],
    called: "sip:*@203.0.113.7",
    dials: "uri",
  }),
  withheld("sip:Unavailable@example.com:5060", {
    uri: ["Unavailable", "example.com"],
    called: "sip:*@example.com",
  }),
  withheld("sip:No%20Caller%20ID@example.com", {
    uri: ["No%20Caller%20ID", "example.com"],
    called: "sip:*@example.com",
    dials: "uri",
  }),
  withheld("sip:Private-Number@example.com", {
    uri: ["Private-Number", "example.com"],
    called: "sip:*@example.com",
    dials: "uri",
  }),
  withheld("sip:OutOfArea@example.com", {
    uri: ["OutOfArea", "example.com"],
    called: "sip:*@example.com",
    dials: "uri",
  }),
  withheld("sip:no.caller.id@example.com:5060", {
    uri: ["no.caller.id", "example.com"],
    called: "sip:*@example.com",
  }),
  withheld("sip:unavailable:secret@example.com", {
    uri: ["unavailable:secret", "example.com"],
    called: "sip:*@example.com",
  }),
  withheld("sip:c8oqz84zk7z@unknown.invalid", {
    uri: ["c8oqz84zk7z", "unknown.invalid"],
    called: "sip:*@unknown.invalid",
    dials: "uri",
  }),
  withheld("sip:anonymous.invalid"),
  withheld("sip:anonymous@203.0.113.7;x=@y", {
    uri: ["anonymous", "203.0.113.7"],
    called: "sip:*@203.0.113.7",
  }),
  withheld("sip:zk7z@anonymous.invalid;x=@example.com", {
    uri: ["zk7z", "anonymous.invalid"],
    called: "sip:*@anonymous.invalid",
  }),
  withheld("sip:+266696687@gw.example.net", {
    uri: ["+266696687", "gw.example.net"],
    called: "sip:*@gw.example.net",
    dials: "uri",
  }),
  withheld('"Anonymous" <sip:anonymous@example.com>', { uri: ["anonymous", "example.com"] }),
  digits("266696687", "266696687", "+266696687"),
  digits("2562533", "2562533", "+2562533"),
  // Resources, and what can't be read.
  resource("/public/bridge", "/public/bridge"),
  resource("/Public/Bridge?x=1", "/public/bridge"),
  text("bob"),
  text("Payphone, 3rd floor"),
  text("+0123456"),
  text("anonymous coward"),
  sip("sip:unknown.artist@example.com", "unknown.artist", "example.com", { dials: true }),
  sip("sip:bob@stale.invalid", "bob", "stale.invalid", { dials: true }),
  text("+1555x"),
  text("+15550100001;x=1"),
  text("sip:bob@exa_mple.com"),
  text("sip:bob@example.com:123456"),
];

/** Whether a pattern fits an address, by what the table says of it. */
export function fitsReading(pattern: string, { number, uri, withheld: isWithheld }: Reading): boolean {
  if (pattern === "anonymous") return isWithheld === true;
  if (!pattern.startsWith("sip:")) {
    if (number === undefined) return false;
    return pattern.endsWith("*") ? number.startsWith(pattern.slice(0, -1)) : number === pattern;
  }
  const [user, host] = pattern.slice(4).split("@");
  return uri !== undefined && (user === "*" || user === uri[0]) && (host === "*" || host === uri[1]);
}

/** What the table says of an address read without any settings; of one that is not in it, that it is a text and nothing else. */
export function readingOf(written: string, side: "from" | "to"): Reading {
  const row = spellings.find((one) => one.written === written && !one.country && !one.sip_gateways);
  if (row !== undefined) return row[side];
  const isNumber = /^\+[1-9]\d+$/.test(written);
  return isNumber
    ? { canonical: written, caller: written, number: written }
    : { canonical: written, caller: null };
}
