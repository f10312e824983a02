import { nearest } from "../shared/rules/nearest.ts";
import { readTextFile } from "./read-file.ts";

/** One caller of a list, as its line has it. */
export interface ListedCaller {
  line: number;
  from?: string;
  to?: string;
  at?: string;
  type?: string;
  answers: [name: string, keyed: string][];
  headers: [name: string, value: string][];
  params: [name: string, value: string][];
}

export type CallerList = { ok: true; callers: ListedCaller[] } | { ok: false; message: string };

const plainColumns = ["from", "to", "at", "type"] as const;
const COLUMNS = "from, to, at, type, answer.<name>, header.<name>, param.<name>";
/** More is a job for a program, which has --json. */
const CALLERS = 1_000;

/** Reads a CSV file whose first line names the columns. */
export async function readCallers(file: string): Promise<CallerList> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  const rows = csvRows(text);
  const [header, ...lines] = rows;
  if (header === undefined)
    return { ok: false, message: `${file} is empty: its first line names the columns, ${COLUMNS}` };
  const columns = header.fields.map((field) => field.trim());
  for (const column of columns) {
    if (plainColumns.some((one) => one === column) || /^(?:answer|header|param)\.\S+$/.test(column)) continue;
    const meant = nearest(column, plainColumns);
    const hint =
      header.fields.length === 1 && /[;\t]/.test(column)
        ? "; its columns are divided by commas"
        : meant === undefined
          ? ""
          : `. Did you mean ${meant}?`;
    return {
      ok: false,
      message: `${file}:${header.line}: there is no column ${JSON.stringify(column)}; there are ${COLUMNS}${hint}`,
    };
  }
  if (lines.length > CALLERS)
    return { ok: false, message: `${file} has ${lines.length} callers, and ${CALLERS} are allowed` };
  const odd = lines.find(({ fields }) => fields.length > columns.length);
  if (odd !== undefined)
    return {
      ok: false,
      message: `${file}:${odd.line}: has ${odd.fields.length} fields, and the first line names ${columns.length}`,
    };
  if (lines.length === 0)
    return { ok: false, message: `${file} names no caller: write one a line after the first` };
  return { ok: true, callers: lines.map(({ line, fields }) => callerOf(line, columns, fields)) };
}

function callerOf(line: number, columns: readonly string[], fields: readonly string[]): ListedCaller {
  const caller: ListedCaller = { line, answers: [], headers: [], params: [] };
  columns.forEach((column, index) => {
    const value = (fields[index] ?? "").trim();
    const plain = plainColumns.find((one) => one === column);
    if (plain !== undefined) {
      if (value !== "") caller[plain] = value;
      return;
    }
    const [kind, name] = [column.slice(0, column.indexOf(".")), column.slice(column.indexOf(".") + 1)];
    // Left empty, nothing was asked or sent; - stands for a caller who keyed nothing.
    if (value === "") return;
    if (kind === "answer") caller.answers.push([name, value === "-" ? "" : value]);
    else if (kind === "header") caller.headers.push([name, value]);
    else caller.params.push([name, value]);
  });
  return caller;
}

interface Row {
  line: number;
  fields: string[];
}

/** Fields by commas, in quotes where they hold one; empty lines are left out. */
function csvRows(text: string): Row[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const fields = [...line.matchAll(/(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))/g)];
    return [
      {
        line: index + 1,
        fields: fields.map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? ""),
      },
    ];
  });
}
