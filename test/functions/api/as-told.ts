import { expect } from "vitest";
import * as z from "zod";
import { refusalSchema } from "../../../shared/api/refusal.ts";
import { apiTable, type TableEntry } from "../../../shared/api/table.ts";

/** Statuses that any path may have. */
const OF_ANY = [401, 403, 404, 429, 500, 503];

/** Fails unless the table has the answer: this status, and a body with these fields and no others. */
export async function expectAsTold(method: string, path: string, response: Response): Promise<void> {
  const entry = entryOf(method, path);
  if (!entry)
    return expect(response.status, `${method} ${path}`).toSatisfy((status) => OF_ANY.includes(status));
  const { status } = response;
  const told = entry.answers[status] ?? (OF_ANY.includes(status) ? refusalSchema : null);
  if (told instanceof z.ZodFile) {
    expect(response.headers.get("content-type"), entry.operation).toMatch(/^audio\//);
    return;
  }
  const text = await response.clone().text();
  if (told === null) {
    expect([entry.operation, status, text]).toEqual([entry.operation, 204, ""]);
    return;
  }
  const json: unknown = JSON.parse(text);
  const read = told.safeParse(json);
  expect(read.error?.issues ?? [], `${entry.operation} ${status}: ${text.slice(0, 2_000)}`).toEqual([]);
  // A field that the table lacks was left out.
  expect(read.data, entry.operation).toEqual(json);
}

function entryOf(method: string, path: string): TableEntry | undefined {
  const [asked = ""] = path.split("?");
  return apiTable.find(
    (entry) =>
      entry.method === method && new RegExp(`^${entry.path.replaceAll(/:\w+/g, "[^/]+")}$`).test(asked),
  );
}
