import { callFields } from "../facts.ts";
import { nearest } from "../nearest.ts";

/** What an expression sees. */
export const variables = ["answer", "call", "now", "params", "tenant", "vars"];
/** What a call has for it. */
export const fieldsOfCall = [...callFields, "headers"];
const ofTime = [
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getDayOfYear",
  "getFullYear",
  "getHours",
  "getMilliseconds",
  "getMinutes",
  "getMonth",
  "getSeconds",
];
const ofText = [
  "contains",
  "endsWith",
  "indexOf",
  "lastIndexOf",
  "lowerAscii",
  "size",
  "split",
  "startsWith",
  "substring",
  "trim",
  "upperAscii",
];
const ofLists = ["all", "exists", "exists_one", "filter", "join", "size"];
const alone = [
  "bool",
  "double",
  "duration",
  "dyn",
  "has",
  "int",
  "size",
  "string",
  "timestamp",
  "type",
  "uint",
];
const functions = [...new Set([...ofText, ...ofTime, ...ofLists, ...alone])];

/** What other languages call these functions. */
const alsoCalled: Readonly<Record<string, string>> = {
  lower: "lowerAscii",
  tolower: "lowerAscii",
  tolowercase: "lowerAscii",
  lowercase: "lowerAscii",
  upper: "upperAscii",
  toupper: "upperAscii",
  touppercase: "upperAscii",
  uppercase: "upperAscii",
  includes: "contains",
  begins: "startsWith",
  beginswith: "startsWith",
  hasprefix: "startsWith",
  starts_with: "startsWith",
  ends_with: "endsWith",
  hassuffix: "endsWith",
  length: "size",
  len: "size",
  count: "size",
  strip: "trim",
  substr: "substring",
  any: "exists",
  some: "exists",
  every: "all",
  hour: "getHours",
  minute: "getMinutes",
  second: "getSeconds",
  year: "getFullYear",
  month: "getMonth",
  day: "getDate",
  date: "getDate",
  weekday: "getDayOfWeek",
  dayofweek: "getDayOfWeek",
  dow: "getDayOfWeek",
  str: "string",
  tostring: "string",
  number: "int",
  parseint: "int",
};

/** What is wrong with an expression, for the person who wrote it. */
export interface Fault {
  message: string;
  suggestion?: string;
}

/** A function by the name that was probably meant; undefined where none is near, or it is right. */
export function meantFunction(name: string): string | undefined {
  const word = name.toLowerCase();
  if (Object.hasOwn(alsoCalled, word)) return alsoCalled[word];
  // `hours` is getHours: what is gotten is what is written.
  return nearest(name, functions) ?? ofTime.find((one) => `get${word}` === one.toLowerCase());
}

/** What CEL says of an expression that it does not take, in the words in which people are told. `at` counts from 1. */
export function faultOf(said: string, at: number | undefined, text: string): Fault {
  const where = at === undefined ? "" : `, at character ${at}`;
  const variable = /^(?:Unknown variable|Reserved identifier): (\w+)/.exec(said)?.[1];
  if (variable !== undefined) return unknownVariable(variable, at, text, where);
  const field = /^No such key: (.+)/.exec(said)?.[1];
  if (field !== undefined)
    return unknown(`call has no ${field}`, `it has ${fieldsOfCall.join(", ")}`, where, meantField(field));
  const [, signature = "", called = "", args = ""] =
    /^found no matching overload for '((?:([\w.<>, ]+)\.)?\w+\((.*)\))'/.exec(said) ?? [];
  if (signature !== "") return unknownFunction(signature, called, args, where);
  const kinds = /^no such overload: (.+)/.exec(said)?.[1];
  if (kinds !== undefined)
    return {
      message: `compares what is not of one kind (${inOurWords(kinds)})${where}: text stands in quotes, numbers do not`,
    };
  if (/^Unexpected|^Expected/.test(said)) return unreadable(said, text, where);
  const operand = /^Logical (?:operator|NOT|AND|OR).* got '(.+?)'/i.exec(said)?.[1];
  if (operand !== undefined)
    return { message: `&&, || and ! join what is true or false, not ${inOurWords(operand)}${where}` };
  return { message: `${said}${where}` };
}

function unknownVariable(name: string, at: number | undefined, text: string, where: string): Fault {
  const there = `there are ${variables.join(", ")}`;
  const before = at === undefined ? "" : text.slice(0, at - 1);
  const header = /call\.headers\.([\w-]+-)$/.exec(before)?.[1];
  if (header !== undefined)
    return {
      message: `there is no ${name}${where}: a name with - in it stands in brackets`,
      suggestion: `call.headers['${header}${name}']`,
    };
  if (fieldsOfCall.includes(name)) return unknown(`there is no ${name}`, there, where, `call.${name}`);
  if (name === "header") return unknown(`there is no ${name}`, there, where, "call.headers");
  return unknown(`there is no ${name}`, there, where, nearest(name, variables));
}

function meantField(field: string): string | undefined {
  const meant = nearest(field, fieldsOfCall) ?? (field === "header" ? "headers" : undefined);
  return meant === undefined ? undefined : `call.${meant}`;
}

function unknownFunction(signature: string, called: string, args: string, where: string): Fault {
  const name = signature.slice(called === "" ? 0 : called.length + 1).replace(/\(.*$/, "");
  if (functions.includes(name)) {
    const on = called === "" ? "" : ` of ${inOurWords(called)}`;
    const takes = args === "" ? "nothing" : inOurWords(args);
    return { message: `${name}()${on} does not take ${takes} here${where}` };
  }
  if (name === "not") return { message: `there is no function not()${where}: write ! for not` };
  const meant = meantFunction(name);
  const offered = functionsOf(called).map((one) => `${one}()`);
  return unknown(`there is no function ${name}()`, `there are ${offered.join(", ")}`, where, meant);
}

function functionsOf(called: string): readonly string[] {
  if (called === "") return alone;
  if (called === "string") return ofText;
  if (called.includes("Timestamp")) return ofTime;
  return called.startsWith("list") || called.startsWith("map") ? ofLists : functions;
}

function unreadable(said: string, text: string, where: string): Fault {
  if (text.trim() === "") return { message: 'is empty: leave "when" out' };
  const bare = text.replace(/'[^']*'|"[^"]*"/g, (quoted) => " ".repeat(quoted.length));
  const hints = [
    ...(/[^=!<>]=[^=]/.test(bare) ? ["write == to compare"] : []),
    ...(/\band\b/i.test(bare) ? ["write && for and"] : []),
    ...(/\bor\b/i.test(bare) ? ["write || for or"] : []),
    ...(/\bnot\b/i.test(bare) ? ["write ! for not"] : []),
    ...(/===|!==/.test(bare) ? ["write == and !="] : []),
    ...(/\w\s+(?:contains|startsWith|endsWith)\b/i.test(bare)
      ? ["a function stands behind a dot: call.from.contains('555')"]
      : []),
    ...(/\w\s+matches\b/i.test(bare)
      ? ["there is no matches: write startsWith(), endsWith() or contains()"]
      : []),
  ];
  if (hints.length > 0) return { message: `cannot be read${where}: ${hints.join(", ")}` };
  const open = count(bare, "(") - count(bare, ")");
  if (open > 0) return { message: `cannot be read${where}: a ) is missing` };
  const why = said.includes("EOF") ? "it ends too soon" : said.charAt(0).toLowerCase() + said.slice(1);
  return { message: `cannot be read${where}: ${why}` };
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function unknown(what: string, there: string, where: string, suggestion: string | undefined): Fault {
  return { message: `${what}${where}; ${there}`, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** CEL's names of types. */
export function inOurWords(types: string): string {
  return types
    .replaceAll("google.protobuf.Timestamp", "a time")
    .replaceAll("google.protobuf.Duration", "a duration")
    .replace(/\bstring\b/g, "text")
    .replace(/\b(?:int|uint|double)\b/g, "a number")
    .replace(/\bbool\b/g, "true or false")
    .replace(/\bCall\b/g, "a call")
    .replace(/\bdyn\b/g, "anything")
    .replace(/\b(list|map)<[^>]*>/g, "a $1");
}
