import { DIGITS } from "../shared/rules/limits.ts";
import { type PinRecord, pinRecord } from "../shared/rules/schema/pin-record.ts";
import { problemsOf } from "../shared/rules/schema/problems.ts";
import { answerHmac } from "../shared/secret-answer.ts";

/** A PIN as KV holds it. */
export interface HashedPin {
  hmac: string;
  record: PinRecord;
}

export type PinList = { ok: true; pins: HashedPin[] } | { ok: false; problems: string[] };

const COLUMNS = ["pin", "room", "role", "note"];
const HEADER = "pin,room,role";

/** Where KV holds the record of the PIN that this HMAC stands for. */
export function pinKey(tenant: string, hmac: string): string {
  return `pins/${tenant}/${hmac}`;
}

/**
 * Reads a list of PINs: a header that names the columns, then a PIN a line. Problems name the line and never show the PIN.
 * @param bytes of the file.
 */
export async function readPinList(
  bytes: Uint8Array,
  credentials_key: string,
  tenant: string,
): Promise<PinList> {
  const encoding = encodingProblem(bytes);
  if (encoding !== null) return { ok: false, problems: [encoding] };
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/);
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0) return { ok: false, problems: ["there is no PIN in it"] };
  const columns = columnsOf(lines[first] ?? "");
  if (typeof columns === "string") return { ok: false, problems: [`line ${first + 1}: ${columns}`] };
  const pins: HashedPin[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    if (index <= first || line.trim() === "") continue;
    const read = readLine(line, columns);
    const wrong = [...read.problems];
    const other = lineOf.get(read.pin);
    if (other !== undefined) wrong.push(`the PIN is that of line ${other}, too`);
    else lineOf.set(read.pin, index + 1);
    if (wrong.length > 0) problems.push(`line ${index + 1}: ${wrong.join("; ")}`);
    else pins.push({ hmac: await answerHmac(credentials_key, tenant, read.pin), record: read.record });
  }
  if (pins.length === 0 && problems.length === 0) problems.push("there is no PIN in it");
  return problems.length === 0 ? { ok: true, pins } : { ok: false, problems };
}

/** What is wrong with a PIN's record, in words; empty where nothing is. */
export function pinRecordProblems(record: unknown): string[] {
  const read = pinRecord.safeParse(record);
  return read.success
    ? []
    : problemsOf(read.error.issues, record).map(({ path, message }) => `${path || "it"}: ${message}`);
}

function encodingProblem(bytes: Uint8Array): string | null {
  const [one, two] = bytes;
  const hasMark = (one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff);
  if (hasMark || bytes.subarray(0, 1_000).includes(0))
    return 'it is UTF-16, as Excel\'s "Unicode text" is: save it as CSV in UTF-8';
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return null;
  } catch {
    return "it is not UTF-8: save it as CSV in UTF-8";
  }
}

/** The columns by their places, or what is wrong with the header. */
function columnsOf(line: string): string[] | string {
  const separator = separatorProblem(line);
  if (separator !== null) return separator;
  const names = line.split(",").map((name) => name.trim().toLowerCase());
  if (names.every((name) => COLUMNS.includes(name)) && names.includes("pin")) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    return twice === undefined ? names : `the column ${twice} is there twice`;
  }
  const isRow = /^\s*[0-9*#]+\s*(,|$)/.test(line);
  return isRow
    ? `the header is missing: the first line must be ${HEADER} (or with note as well)`
    : `the header must be ${HEADER} (or with note as well)`;
}

function separatorProblem(line: string): string | null {
  if (line.includes('"')) return "there are quotes: write the fields without them";
  if (line.includes("\t")) return "the fields are separated by tabs: separate them by commas";
  if (line.includes(";")) return "the fields are separated by ; : separate them by commas";
  return null;
}

function readLine(
  line: string,
  columns: readonly string[],
): { pin: string; record: PinRecord; problems: string[] } {
  const fields = line.split(",").map((field) => field.trim());
  const given = Object.fromEntries(columns.map((name, index) => [name, fields[index] ?? ""]));
  const { pin = "", ...rest } = given;
  const record = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ""));
  const odd = line.includes('"') || fields.length === 1 ? separatorProblem(line) : null;
  if (odd !== null) return { pin: line, record: {}, problems: [odd] };
  const problems = [
    ...(/^[0-9]+$/.test(pin) && pin.length <= DIGITS ? [] : [`the PIN must be 1 to ${DIGITS} digits`]),
    ...(fields.length <= columns.length ? [] : [`there must be no more than ${columns.join(",")}`]),
    ...pinRecordProblems(record),
  ];
  return { pin, record, problems };
}
